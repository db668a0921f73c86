"""The facts of a history in the order they happened, and what the second opinion makes of them.

What the provider knows is read from the provider's own objects and events; what the association did itself was noted
when it was done.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.payments.histories.reference import Member, Plan, last_day

MADRID = ZoneInfo("Europe/Madrid")
DELAYED = "sepa_debit"


def day_of(instant: int | datetime) -> date:
    at = datetime.fromtimestamp(instant, UTC) if isinstance(instant, int) else instant
    return at.astimezone(MADRID).date()


@dataclass
class Order:
    """What was asked of somebody, as its page said it.

    `charged_on` is the day of a charge that nobody asked for at a page; `is_late` when the wish for it had ended.
    """

    number: str
    person: str
    plan: Plan
    kind: str
    cents: int
    anchor: date
    first: date
    last: date
    holds_until: date
    charged_on: date | None = None
    is_late: bool = False


@dataclass
class Purse:
    """One payment's money as it stands: what came, what a fee was made of, what went."""

    received: int = 0
    refunded: int = 0
    lost: int = 0
    has_bought: bool = False
    donated: int = 0

    @property
    def is_empty(self) -> bool:
        return 0 < self.received <= self.refunded + self.lost


@dataclass
class Books:
    """The second opinion: members by name, money by payment number."""

    members: dict[str, Member] = field(default_factory=lambda: defaultdict(Member))
    purses: dict[str, Purse] = field(default_factory=lambda: defaultdict(Purse))
    orders: dict[str, Order] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # whose days a payment bought
    fee_of: Callable[[str, date], int] = lambda code, day: 0

    def receive(self, number: str, cents: int, value_on: date, bought_on: date, arrived_on: date | None) -> None:
        """Money for an order: it buys the days that were offered, or belongs to nobody yet."""
        order, purse = self.orders[number], self.purses[number]
        purse.received += cents
        if purse.has_bought or purse.received < order.cents:
            return
        purse.has_bought = self._buy(order, bought_on, arrived_on)

    def _buy(self, order: Order, bought_on: date, arrived_on: date | None) -> bool:
        member, plan = self.members[order.person], order.plan
        self.owners.setdefault(order.number, order.person)
        if order.kind == "gift":
            return True
        if order.kind == "upgrade":
            first = order.first if bought_on <= order.holds_until else bought_on
            held = member.days.get(first)
            is_higher = (
                held is not None and (held.plan.months, held.plan.fixed) == (plan.months, plan.fixed)
                and self.fee_of(plan.code, first) > self.fee_of(held.plan.code, first)
            )  # fmt: skip
            return member.upgrade(order.number, plan, first, order.last, is_higher)
        kind, anchor, first, last = order.kind, order.anchor, order.first, order.last
        if order.charged_on is not None or bought_on > order.holds_until:
            offered = member.offer(plan, order.charged_on or bought_on)
            if offered is None or order.is_late:
                return False
            kind, anchor, first, last = offered.kind, offered.anchor, offered.first, offered.last
        if arrived_on is not None and kind in ("join", "rejoin"):
            first = anchor = arrived_on
            last = last_day(plan, anchor, first, joining=True)
        return member.buy(order.number, plan, anchor, first, last)

    def give_back(self, number: str, cents: int, day: date) -> None:
        self.purses[number].refunded += cents
        self._look(number, day)

    def take_back(self, number: str, cents: int, day: date) -> None:
        """A refund that failed."""
        self.purses[number].refunded -= cents
        self._look(number, day)

    def lose(self, number: str, cents: int, day: date) -> None:
        self.purses[number].lost += cents
        self._look(number, day)

    def win(self, number: str, cents: int, day: date) -> None:
        """A dispute that had been lost."""
        self.purses[number].lost -= cents
        self._look(number, day)

    def _look(self, number: str, day: date) -> None:
        """Days go when nothing of their money is left, and come back when some is."""
        member = self.members[self.owners.get(number, "")]
        if self.purses[number].is_empty:
            member.lose(number, day)
        else:
            member.regain(number)

    def dispute(self, number: str, is_open: bool) -> None:
        member = self.members[self.owners.get(number, "")]
        (member.disputed.add if is_open else member.disputed.discard)(number)


@dataclass(frozen=True)
class Fact:
    """Something that happened; `tell` tells the books of it."""

    at: float
    rank: int
    tell: Callable[[Books], None]


def provider_facts(objects: dict[str, list[dict[str, Any]]], number_of: dict[str, str]) -> list[Fact]:
    """What the provider's charges, refunds and disputes say; `number_of` is our payment of each intent."""
    instants: dict[tuple[str, str], list[int]] = defaultdict(list)
    for event in objects["event"]:
        instants[event["type"], event["data"]["object"]["id"]].append(event["created"])
    facts = []
    paid = {}
    for charge in objects["charge"]:
        number = number_of.get(charge["payment_intent"])
        if charge["paid"] and number is not None:
            paid[charge["id"]] = number
            facts.append(_charge_fact(charge, number, instants))
    for refund in objects["refund"]:
        number = paid.get(refund["charge"])
        if number is not None:
            facts += _refund_facts(refund, number, instants)
    for dispute in objects["dispute"]:
        number = paid.get(dispute["charge"])
        if number is not None:
            facts += _dispute_facts(dispute, number, objects["event"])
    return facts


def _charge_fact(charge: dict[str, Any], number: str, instants: dict[tuple[str, str], list[int]]) -> Fact:
    is_delayed = charge["payment_method_details"]["type"] == DELAYED
    at = instants["payment_intent.succeeded", charge["payment_intent"]][0] if is_delayed else charge["created"]
    bought_on, value_on = day_of(charge["created"]), day_of(at)
    arrived_on = value_on if is_delayed else None
    return Fact(at, 0, lambda books: books.receive(number, charge["amount"], value_on, bought_on, arrived_on))


def _refund_facts(refund: dict[str, Any], number: str, instants: dict[tuple[str, str], list[int]]) -> list[Fact]:
    cents, sent_at = refund["amount"], refund["created"]
    facts = [Fact(sent_at, 1, lambda books: books.give_back(number, cents, day_of(sent_at)))]
    if refund["status"] in ("failed", "canceled"):
        failed_at = (instants["refund.failed", refund["id"]] or instants["refund.updated", refund["id"]])[-1]
        facts.append(Fact(failed_at, 2, lambda books: books.take_back(number, cents, day_of(failed_at))))
    return facts


def _dispute_facts(dispute: dict[str, Any], number: str, events: list[dict[str, Any]]) -> list[Fact]:
    """Each word of the bank in turn; what is lost stays lost until it is won."""
    facts, was = [], "none"
    for event in events:
        it = event["data"]["object"]
        if it["object"] != "dispute" or it["id"] != dispute["id"]:
            continue
        word, at = it["status"], event["created"]
        if word == was:
            continue
        if word.startswith("warning"):
            continue
        if word == "won":
            if was in ("lost", "appeal"):
                facts.append(Fact(at, 4, lambda books, at=at: books.win(number, dispute["amount"], day_of(at))))
            facts.append(Fact(at, 4, lambda books: books.dispute(number, False)))
            was = "won"
        elif word == "lost":
            facts.append(Fact(at, 4, lambda books, at=at: books.lose(number, dispute["amount"], day_of(at))))
            facts.append(Fact(at, 4, lambda books: books.dispute(number, False)))
            was = "lost"
        elif word.startswith("appeal"):
            was = "appeal"
        elif was == "none":
            facts.append(Fact(at, 3, lambda books: books.dispute(number, True)))
            was = "open"
    return facts


def told(facts: list[Fact], books: Books) -> Books:
    """The books after these facts, in the order they happened."""
    for fact in sorted(facts, key=lambda it: (it.at, it.rank)):
        fact.tell(books)
    return books
