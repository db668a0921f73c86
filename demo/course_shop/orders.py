"""The shop's courses, its visitors and their orders, kept in memory: it is a sample, which starts anew each time."""

from __future__ import annotations

from dataclasses import dataclass, field

OFF_CENTS = 6000  # for a member, as the shop and the association agreed


@dataclass(frozen=True)
class Course:
    code: str
    name: str
    about: str
    price_cents: int


@dataclass
class Order:
    """`state`: held (for 15 minutes, at the member price), bought, cancelled or expired."""

    number: str
    course: Course
    off_cents: int = 0
    redemption: str | None = None
    state: str = "bought"

    @property
    def total_cents(self) -> int:
        return self.course.price_cents - self.off_cents


@dataclass
class Visitor:
    """`access_token` while signed in with a membership."""

    access_token: str | None = None
    orders: dict[str, Order] = field(default_factory=dict)


COURSES = {
    it.code: it
    for it in (
        Course("bread", "Bread with wild yeast", "Four Tuesdays, 18:30. Flour and apron are there.", 18000),
        Course("binding", "Bookbinding by hand", "One weekend, 10:00 to 17:00. You take three books home.", 14500),
        Course("soldering", "Soldering for beginners", "Three Thursdays, 19:00. You build a radio.", 9500),
    )
}


def euros(cents: int) -> str:
    return f"€{cents // 100}.{cents % 100:02}"
