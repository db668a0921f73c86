"""RULES, Terms: whatever happens to somebody's terms, every reader says the same of a day; against a naive model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Refusal
from app.extensions import db
from app.memberships import service
from app.memberships.models import Term, Tier
from app.people.models import Person
from app.portal.explaining import explain
from app.services.service import add_service
from app.verification.service import verify
from tests.memberships.booking import DAY, at, bill, somebody, tier

START = date(2027, 1, 31)
_names = count(1)


@dataclass
class Paid:
    """A layer of the model: what one payment or grant bought, upon another or upon nothing."""

    tier_id: int
    first: date
    below: Paid | None
    payment_id: int | None
    gone_on: date | None = None

    def stands(self, day: date) -> bool:
        is_here = self.first <= day and (self.gone_on is None or day < self.gone_on)
        return is_here and (self.below is None or self.below.stands(day))

    def is_upon(self, other: Paid) -> bool:
        return self is other or (self.below is not None and self.below.is_upon(other))


@dataclass
class Pile:
    """What was bought upon the same term, the lowest first, all to the same last day."""

    last: date
    paid: list[Paid]

    def owner(self, day: date) -> Paid | None:
        """The topmost that stands; of two upon the same one, the later."""
        owner = None
        while True:
            above = [it for it in self.paid if it.below is owner and it.stands(day)]
            if not above:
                return owner
            owner = above[-1]


@dataclass
class Model:
    """One person's days, one by one: the naive reading of the rules."""

    piles: list[Pile] = field(default_factory=list)
    days: dict[date, Pile] = field(default_factory=dict)

    def owner(self, day: date) -> Paid | None:
        pile = self.days.get(day)
        return pile.owner(day) if pile else None

    def settle(self, pile: Pile) -> None:
        """A pile has the days it stands for and nobody else has."""
        day = pile.paid[0].first
        while day <= pile.last:
            if pile.owner(day) is None:
                if self.days.get(day) is pile:
                    del self.days[day]
            else:
                self.days.setdefault(day, pile)
            day += DAY

    def end(self, pile: Pile, paid: Paid, on: date) -> None:
        """Keep those days before `on` that it has."""
        if paid.gone_on is None:
            kept = [
                day
                for day, holder in self.days.items()
                if holder is pile and day < on and (owner := pile.owner(day)) is not None and owner.is_upon(paid)
            ]
            paid.gone_on = max(kept) + DAY if kept else paid.first
            self.settle(pile)

    def restore(self, pile: Pile, paid: Paid) -> None:
        paid.gone_on = None
        self.settle(pile)

    def status(self, day: date, grace_days: dict[int, int]) -> str:
        if day in self.days:
            return "active"
        before = [it for it in self.days if it < day]
        if not before:
            return "none"
        last = max(before)
        pile, owner = self.days[last], self.owner(last)
        assert owner is not None
        ran_out = last == pile.last and owner.gone_on is None
        grace = timedelta(days=grace_days[owner.tier_id])
        return "grace" if ran_out and day <= last + grace else "lapsed"


class World:
    """A person with random luck, and the model beside them."""

    def __init__(self, draw: st.DataObject, person: Person, tiers: list[Tier], giver: Person) -> None:
        self.draw, self.person, self.tiers, self.giver = draw, person, tiers, giver
        self.today = START
        self.model = Model()

    def pick(self, choices: list[int]) -> int:
        return self.draw.draw(st.sampled_from(choices))

    def step(self) -> None:
        self.today += self.pick([0, 0, 1, 1, 3, 28, 31, 90, 200]) * DAY
        act = self.draw.draw(
            st.sampled_from(
                ["buy", "upgrade", "upgrade", "upgrade", "end", "end", "restore", "restore", "grant", "gift"]
            )
        )
        getattr(self, act)()
        self.compare()

    def buy(self) -> None:
        plan = self.tiers[self.pick([0, 1, 2, 3])]
        try:
            offered = service.offer_for(self.person.id, plan, at(self.today), self.today)
        except Refusal:
            assert self.model.days and max(self.model.days) > self.today
            return
        self.sold(plan, offered)

    def upgrade(self) -> None:
        offers = service.upgrade_offers(self.person.id, at(self.today), self.today)
        owner = self.model.owner(self.today)
        if owner is None:
            assert offers == []
        if offers and owner is not None:
            offered = offers[self.pick([0, -1])]
            term = self.sold(offered.tier, offered)
            self.model.piles.pop()
            pile = self.model.days[self.today]
            pile.paid.append(Paid(offered.tier.id, self.today, owner, term.payment_id))
            self.model.settle(pile)

    def sold(self, plan: Tier, offered: service.PricedOffer) -> Term:
        payment = bill(self.person, plan, offered, self.today)
        term = service.sell_term(self.person.id, plan, payment.id, offered.offer, self.today, at(self.today))
        assert term is not None
        self.added(term)
        return term

    def added(self, term: Term) -> None:
        pile = Pile(term.sold_ends_on, [Paid(term.tier_id, term.starts_on, None, term.payment_id)])
        self.model.piles.append(pile)
        if term.upgrades_id is None:
            assert not any(term.starts_on <= day <= term.ends_on for day in self.model.days)
            self.model.settle(pile)

    def grant(self) -> None:
        months = self.pick([1, 2, 6])
        self.added(
            service.grant(
                self.person.id, self.tiers[0], because="a prize", by="board", now=at(self.today), today=self.today,
                months=months,
            )
        )  # fmt: skip

    def gift(self) -> None:
        plan = self.tiers[self.pick([0, 1])]
        offered = service.gift_offer(self.person.id, plan, at(self.today), self.today)
        payment = bill(self.giver, plan, offered, self.today)
        self.added(service.sell_gift(self.person.id, plan, payment.id, at(self.today), self.today))

    def paid(self) -> list[tuple[Pile, Paid]]:
        return [(pile, it) for pile in self.model.piles for it in pile.paid if it.payment_id is not None]

    def end(self) -> None:
        if self.paid():
            pile, it = self.draw.draw(st.sampled_from(self.paid()))
            for _ in range(self.pick([1, 2])):
                service.end_terms_of_payment(it.payment_id or 0, "refunded", at(self.today), self.today)
            self.model.end(pile, it, self.today)

    def restore(self) -> None:
        gone = [(pile, it) for pile, it in self.paid() if it.gone_on is not None]
        if not gone:
            return
        pile, it = self.draw.draw(st.sampled_from(gone))
        came_back = service.restore_terms_of_payment(it.payment_id or 0, at(self.today), self.today)
        self.model.restore(pile, it)
        day, whole = it.first, True
        while day <= pile.last:
            owner = self.model.owner(day) if self.model.days.get(day) is pile else None
            whole = whole and owner is not None and owner.is_upon(it)
            day += DAY
        assert came_back is whole
        assert service.restore_terms_of_payment(it.payment_id or 0, at(self.today), self.today) is True

    def compare(self) -> None:
        """Every day belongs to the same payment, and to one only."""
        held: dict[date, tuple[int, int | None]] = {}
        for term in service.terms_of(self.person.id):
            assert term.anchor_on <= term.starts_on and term.grace_ends_on >= term.ends_on <= term.sold_ends_on
            for day in each_day(term.starts_on, term.ends_on):
                assert day not in held, "two terms have the same day"
                held[day] = (term.tier_id, term.payment_id)
        expected = {day: (it.tier_id, it.payment_id) for day in self.model.days if (it := self.model.owner(day))}
        assert held == expected

    def telling_days(self) -> list[date]:
        """The days around each end: where readers could differ."""
        near = {self.today}
        for term in service.terms_of(self.person.id):
            for day in (term.starts_on, term.ends_on, term.grace_ends_on):
                near |= {day - DAY, day, day + DAY}
        return sorted(near)


def each_day(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += DAY


@settings(max_examples=20)
@given(st.data())
def test_every_reader_says_the_same_of_every_day_whatever_happened(shared_app: Flask, data: st.DataObject) -> None:
    with shared_app.app_context():
        try:
            tiers = [
                tier("basic", 3000), tier("plus", 5000, grace_days=10), tier("grand", 9000, grace_days=0),
                tier("month", 500, months=1, grace_days=5),
            ]  # fmt: skip
            grace_days = {it.id: it.grace_days for it in tiers}
            asker, _key = add_service("Library", ["verify", "verify:number"], None, at(START))
            world = World(data, somebody(f"n{next(_names)}"), tiers, somebody("giver"))
            world.buy()
            for _ in range(data.draw(st.integers(1, 10))):
                world.step()
            number = world.person.member_number
            for day in data.draw(st.lists(st.sampled_from(world.telling_days()), max_size=8, unique=True)):
                now, person_id = at(day), world.person.id
                status = world.model.status(day, grace_days)
                standing = service.standing_of(person_id, now, day)
                membership = service.membership_of(person_id, now, day)
                verdict = verify(asker, number, None, None, None, now, day)
                told = explain(world.person, now, day)
                said = (standing.status, membership.status, verdict.status, told["status"])
                assert said == (status,) * 4, day
                counted = service.count_by_status(day)
                assert counted == {it: int(it == status) for it in ("active", "grace", "lapsed")}
                owner = world.model.owner(day)
                assert service.count_by_tier(day) == ({owner.tier_id: 1} if owner else {})
                assert standing.is_valid is membership.is_valid is verdict.valid is (status in ("active", "grace"))
                if owner is not None:
                    code = next(it.code for it in tiers if it.id == owner.tier_id)
                    assert (verdict.tier, told["tier"], membership.tier and membership.tier.code) == (code,) * 3
                    assert standing.tier_id == owner.tier_id
                    last = day
                    while last + DAY in world.model.days:
                        last += DAY
                    assert (standing.valid_until, verdict.valid_until, membership.valid_until) == (last,) * 3
                    assert told["valid_until"] == last.isoformat()
        finally:
            db.session.rollback()
            db.session.remove()


@pytest.mark.parametrize("held", ["person", "term"])
def test_every_reader_knows_a_hold(house: Flask, held: str) -> None:
    nora, plan = somebody(), tier("basic", 3000)
    offered = service.offer_for(nora.id, plan, at(START), START)
    payment = bill(nora, plan, offered, START)
    service.sell_term(nora.id, plan, payment.id, offered.offer, START, at(START))
    if held == "person":
        service.hold_person(nora, "a letter came back", "desk", at(START))
    else:
        service.suspend_days_of_payment(payment.id, "dispute", at(START), at(START))
    asker, _key = add_service("Library", ["verify", "verify:number"], None, at(START))
    last = offered.offer.dates.grace_ends_on
    for day, status in ((START - DAY, "none"), (START, "suspended"), (last, "suspended"), (last + DAY, "lapsed")):
        now = max(at(day), at(START))
        verdict = verify(asker, nora.member_number, None, None, None, now, day)
        said = (
            service.standing_of(nora.id, now, day).status, service.membership_of(nora.id, now, day).status,
            verdict.status, explain(nora, now, day)["status"],
        )  # fmt: skip
        assert said == (status,) * 4
        assert not verdict.valid
