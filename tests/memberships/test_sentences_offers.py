"""RULES, Offers: joining, renewing, dated prices, closed tiers, conditions, gifts, grants, choosing another tier."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.errors import Refusal
from app.extensions import db
from app.memberships import service
from app.memberships.models import RenewalChoice, Term, Tier
from app.people.models import Degree, Person
from tests.memberships.booking import (
    DAY,
    at,
    bill,
    buy,
    days,
    give,
    settle,
    somebody,
    status,
    take_back,
    tier,
    upgrade,
)

pytestmark = pytest.mark.parametrize("shared_app", ["sqlite"], indirect=True)
JOINED, END, GRACE_END = date(2026, 11, 23), date(2027, 11, 22), date(2027, 12, 22)


@pytest.fixture
def basic(house: Flask) -> Tier:
    return tier("basic", 3000)


@pytest.fixture
def plus(basic: Tier) -> Tier:
    return tier("plus", 5000)


@pytest.fixture
def nora(basic: Tier) -> Person:
    return somebody()


def why_not(person: Person | None, plan: Tier, on: date) -> str | None:
    """The code of the refusal to sell somebody a tier on a day; None when it is sold."""
    try:
        service.offer_for(person.id if person else None, plan, at(on), on)
    except Refusal as refusal:
        return refusal.code
    return None


def sell(
    person: Person, plan: Tier, offered: service.PricedOffer, paid_on: date, arrived_on: date | None = None
) -> Term | None:
    payment = bill(person, plan, offered, paid_on)
    return service.sell_term(
        person.id, plan, payment.id, offered.offer, paid_on, at(arrived_on or paid_on), arrived_on=arrived_on
    )


# An offer fixes its days and its price and holds for thirty days.

OFFERED = date(2027, 6, 10)


@pytest.mark.parametrize(
    "paid_on, starts_on",
    [
        (OFFERED, OFFERED),
        (OFFERED + 29 * DAY, OFFERED),
        (OFFERED + 30 * DAY, OFFERED),  # the last day it holds: some of its days have passed
        (OFFERED + 31 * DAY, OFFERED + 31 * DAY),  # later: as offered on its value date
    ],
)
def test_money_while_an_offer_holds_buys_exactly_its_days(
    nora: Person, basic: Tier, paid_on: date, starts_on: date
) -> None:
    offered = service.offer_for(nora.id, basic, at(OFFERED), OFFERED)
    assert offered.offer.holds_until == OFFERED + timedelta(days=30)
    term = sell(nora, basic, offered, paid_on)
    assert term is not None
    assert (term.starts_on, term.ends_on) == (starts_on, starts_on.replace(year=2028) - DAY)


@pytest.mark.parametrize(
    "paid_on, anchor_on, starts_on",
    [
        (GRACE_END, JOINED, END + DAY),
        (GRACE_END + 7 * DAY, JOINED, END + DAY),  # offered in grace, holds beyond it
        (GRACE_END + 8 * DAY, GRACE_END + 8 * DAY, GRACE_END + 8 * DAY),  # too late for both: a new chain
    ],
)
def test_a_renewal_offered_in_grace_holds_its_anniversary(
    nora: Person, basic: Tier, paid_on: date, anchor_on: date, starts_on: date
) -> None:
    buy(nora, basic, JOINED)
    asked_on = GRACE_END - 23 * DAY
    term = sell(nora, basic, service.offer_for(nora.id, basic, at(asked_on), asked_on), paid_on)
    assert term is not None
    assert (term.anchor_on, term.starts_on) == (anchor_on, starts_on)


def test_late_money_for_somebody_who_has_renewed_buys_no_silent_extra_year(nora: Person, basic: Tier) -> None:
    offered = service.offer_for(nora.id, basic, at(JOINED), JOINED)
    buy(nora, basic, JOINED + DAY)
    buy(nora, basic, JOINED + 2 * DAY)
    assert sell(nora, basic, offered, JOINED + 40 * DAY) is None
    assert len(days(nora)) == 2


def test_money_for_days_already_granted_buys_nothing(nora: Person, basic: Tier) -> None:
    offered = service.offer_for(nora.id, basic, at(JOINED), JOINED)
    service.grant(nora.id, basic, because="a prize", by="board", now=at(JOINED), today=JOINED, months=3)
    assert sell(nora, basic, offered, JOINED) is None


@pytest.mark.parametrize("arrived_on", [JOINED, JOINED + 9 * DAY, JOINED + 60 * DAY])
def test_a_newcomers_debit_gives_full_length_from_the_day_it_arrives(
    nora: Person, basic: Tier, arrived_on: date
) -> None:
    term = sell(nora, basic, service.offer_for(nora.id, basic, at(JOINED), JOINED), JOINED, arrived_on)
    assert term is not None
    assert (term.anchor_on, term.starts_on) == (arrived_on, arrived_on)
    assert term.ends_on == arrived_on.replace(year=arrived_on.year + 1) - DAY


def test_somebody_who_comes_back_by_debit_starts_on_the_day_it_arrives_too(nora: Person, basic: Tier) -> None:
    buy(nora, basic, date(2024, 1, 1))
    offered = service.offer_for(nora.id, basic, at(JOINED), JOINED)
    assert offered.offer.kind == "rejoin"
    term = sell(nora, basic, offered, JOINED, JOINED + 8 * DAY)
    assert term is not None and term.starts_on == JOINED + 8 * DAY


def test_a_members_debit_gives_the_offered_days(nora: Person, basic: Tier) -> None:
    buy(nora, basic, JOINED)
    offered = service.offer_for(nora.id, basic, at(END), END)
    term = sell(nora, basic, offered, END, END + 9 * DAY)
    assert term is not None and (term.starts_on, term.anchor_on) == (END + DAY, JOINED)


def test_a_debit_that_arrives_when_its_days_were_bought_otherwise_buys_nothing(nora: Person, basic: Tier) -> None:
    offered = service.offer_for(nora.id, basic, at(JOINED), JOINED)
    buy(nora, basic, JOINED + DAY)
    assert sell(nora, basic, offered, JOINED, JOINED + 8 * DAY) is None


def test_a_payment_sells_its_term_once_however_often_it_is_told(nora: Person, basic: Tier) -> None:
    offered = service.offer_for(nora.id, basic, at(JOINED), JOINED)
    payment = bill(nora, basic, offered, JOINED)
    terms = {service.sell_term(nora.id, basic, payment.id, offered.offer, JOINED, at(JOINED)) for _ in range(3)}
    assert len(terms) == 1 and len(service.terms_of(nora.id)) == 1


# A renewal is refused before charging while a term lies wholly in the future.


def test_a_renewal_is_refused_before_charging_while_a_term_lies_in_the_future(nora: Person, basic: Tier) -> None:
    buy(nora, basic, JOINED)
    assert why_not(nora, basic, JOINED) is None
    buy(nora, basic, JOINED)
    assert [why_not(nora, basic, day) for day in (JOINED, END - DAY, END)] == ["already_renewed"] * 3
    assert why_not(nora, basic, END + DAY) is None


# Tiers of whole months, fixed years and their bonus days.


@pytest.mark.parametrize(
    "months, joined, ends_on",
    [
        (1, date(2027, 1, 31), date(2027, 2, 28)),
        (1, date(2028, 1, 30), date(2028, 2, 29)),
        (3, date(2026, 11, 30), date(2027, 2, 28)),
        (6, date(2027, 8, 31), date(2028, 2, 29)),
        (18, date(2026, 12, 31), date(2028, 6, 30)),
        (24, date(2024, 2, 29), date(2026, 2, 28)),
        (36, date(2026, 3, 29), date(2029, 3, 28)),
        (120, date(2026, 10, 25), date(2036, 10, 24)),
    ],
)
def test_a_tier_lasts_whole_months(nora: Person, months: int, joined: date, ends_on: date) -> None:
    assert buy(nora, tier("long", 9000, months=months), joined).ends_on == ends_on


def test_a_chain_of_several_month_terms_comes_back_to_its_day(nora: Person) -> None:
    quarter = tier("quarter", 900, months=3, grace_days=10)
    buy(nora, quarter, date(2026, 8, 31))
    for _ in range(4):
        buy(nora, quarter, service.terms_of(nora.id)[-1].ends_on)
    assert [it[1:] for it in days(nora)] == [
        ("2026-08-31", "2026-11-30"), ("2026-12-01", "2027-02-28"), ("2027-03-01", "2027-05-30"),
        ("2027-05-31", "2027-08-30"), ("2027-08-31", "2027-11-30"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "joined, ends_on",
    [
        (date(2027, 9, 15), date(2027, 9, 30)),
        (date(2027, 9, 16), date(2028, 9, 30)),  # 15 days before the new year: the first bonus day
        (date(2027, 9, 30), date(2028, 9, 30)),
        (date(2027, 10, 1), date(2028, 9, 30)),
    ],
)
def test_a_fixed_year_costs_its_full_fee_and_gives_bonus_days_to_joiners(
    nora: Person, joined: date, ends_on: date
) -> None:
    season = tier("season", 4000, fixed_start="10-01", bonus_days=15)
    offered = service.offer_for(nora.id, season, at(joined), joined)
    assert (offered.offer.dates.ends_on, offered.fee_cents) == (ends_on, 4000)


@pytest.mark.parametrize("grace_days, last", [(0, END), (15, END + 15 * DAY), (366, END + 366 * DAY)])
def test_grace_days_are_the_tiers(nora: Person, grace_days: int, last: date) -> None:
    buy(nora, tier("own", 1000, grace_days=grace_days), JOINED)
    assert [status(nora, day) for day in (last, last + DAY)] == ["grace" if grace_days else "active", "lapsed"]


# A fee change is a new price with a date.


def test_a_new_price_counts_from_its_day_and_an_offer_keeps_its_own(nora: Person, basic: Tier) -> None:
    changes = date(2027, 10, 1)
    service.set_price(basic, 3500, changes, at(JOINED), JOINED)
    cents = [
        service.offer_for(nora.id, basic, at(day), day).fee_cents for day in (changes - DAY, changes, changes + DAY)
    ]
    assert cents == [3000, 3500, 3500]
    offered = service.offer_for(nora.id, basic, at(changes - DAY), changes - DAY)
    payment = bill(nora, basic, offered, changes + 9 * DAY)
    assert payment.amount_cents == 3000
    assert [(price.fee_cents, price.from_on) for price in basic.prices] == [(3000, date(2000, 1, 1)), (3500, changes)]


def test_a_price_of_the_past_stays_and_one_to_come_may_be_set_anew(basic: Tier) -> None:
    with pytest.raises(Refusal):
        service.set_price(basic, 3500, JOINED - DAY, at(JOINED), JOINED)
    for cents in (3500, 3600, 3600):
        service.set_price(basic, cents, JOINED + DAY, at(JOINED), JOINED)
    assert [price.fee_cents for price in basic.prices] == [3000, 3600]
    service.set_price(basic, 3100, JOINED, at(JOINED), JOINED)
    with pytest.raises(Refusal) as refusal:
        service.set_price(basic, 3200, JOINED, at(JOINED), JOINED)
    assert refusal.value.code == "price_in_force"


# A closed tier names its successor for renewals.

CLOSES = date(2027, 7, 1)


def test_a_closed_tier_is_sold_no_more_and_names_its_successor(nora: Person, basic: Tier, plus: Tier) -> None:
    service.close_tier(basic, CLOSES, plus, at(JOINED), JOINED)
    assert [why_not(None, basic, day) for day in (CLOSES - DAY, CLOSES, CLOSES + DAY)] == [
        None, "tier_closed", "tier_closed",
    ]  # fmt: skip
    with pytest.raises(Refusal) as refusal:
        service.offer_for(nora.id, basic, at(CLOSES), CLOSES)
    assert "Choose Plus instead." in refusal.value.detail
    assert [basic in service.tiers_on_sale(None, day) for day in (CLOSES - DAY, CLOSES)] == [True, False]


def test_who_holds_a_closed_tier_renews_into_the_end_of_its_chain(nora: Person, basic: Tier, plus: Tier) -> None:
    gold = tier("gold", 7000)
    buy(nora, basic, JOINED)
    service.close_tier(basic, CLOSES, plus, at(JOINED), JOINED)
    assert [service.renewal_tier(nora.id, day) for day in (CLOSES - DAY, CLOSES)] == [basic, plus]
    service.close_tier(plus, CLOSES + 9 * DAY, gold, at(JOINED), JOINED)
    assert [service.renewal_tier(nora.id, CLOSES + n * DAY) for n in (8, 9)] == [plus, gold]
    assert days(nora) == [("basic", "2026-11-23", "2027-11-22")]  # what was bought stays


def test_a_tier_closed_without_successor_leaves_the_choice_to_its_holder(nora: Person, basic: Tier) -> None:
    buy(nora, basic, JOINED)
    service.close_tier(basic, CLOSES, None, at(JOINED), JOINED)
    assert service.renewal_tier(nora.id, CLOSES) is None
    with pytest.raises(Refusal) as refusal:
        service.offer_for(nora.id, basic, at(CLOSES), CLOSES)
    assert (refusal.value.code, refusal.value.detail) == ("tier_closed", "Basic is no longer on sale.")


def test_a_tier_does_not_succeed_itself_whatever_the_chain(basic: Tier, plus: Tier) -> None:
    service.close_tier(plus, CLOSES, basic, at(JOINED), JOINED)
    for successor in (basic, plus):
        with pytest.raises(Refusal) as refusal:
            service.close_tier(basic, CLOSES, successor, at(JOINED), JOINED)
        assert refusal.value.code == "bad_successor"
    with pytest.raises(Refusal):
        service.close_tier(basic, JOINED - DAY, None, at(JOINED), JOINED)
    with pytest.raises(Refusal):
        service.close_tier(plus, CLOSES + DAY, None, at(CLOSES), CLOSES)
    service.close_tier(plus, CLOSES, None, at(CLOSES), CLOSES)
    assert plus.successor is None


# Reduced fees are tiers with a condition.


@pytest.mark.parametrize(
    "years, today, sold",
    [
        ([2024], date(2026, 12, 31), True),  # two years: the whole of the second one
        ([2024], date(2027, 1, 1), False),
        ([2024], date(2024, 1, 1), True),
        ([2024], date(2023, 12, 31), False),  # who has yet to graduate
        ([2010, 2025], date(2026, 6, 1), True),
        ([2010, None], date(2026, 6, 1), False),
        ([], date(2026, 6, 1), False),
    ],
)
def test_a_graduates_fee_is_sold_within_the_years_after_graduation(
    nora: Person, years: list[int | None], today: date, sold: bool
) -> None:
    young = tier("young", 1500, graduated_within=2)
    for n, year in enumerate(years):
        nora.degrees.append(Degree(name=f"Degree {n}", graduation_year=year))
    db.session.flush()
    assert why_not(nora, young, today) == (None if sold else "condition_unmet")
    assert (young in service.tiers_on_sale(nora.id, today)) is sold
    assert young not in service.tiers_on_sale(None, today)
    assert why_not(None, young, today) == "condition_unmet"


def test_a_refused_condition_says_what_is_needed(nora: Person) -> None:
    for plan, words in (
        (tier("young", 1500, graduated_within=2), "at most 2 years ago"),
        (tier("fresh", 1500, graduated_within=1), "at most 1 year ago"),
        (tier("jobless", 1500, needs_document=True), "document"),
    ):
        with pytest.raises(Refusal) as refusal:
            service.offer_for(nora.id, plan, at(JOINED), JOINED)
        assert words in refusal.value.detail


@pytest.mark.parametrize("until", [None, date(2027, 2, 28)])
def test_a_document_that_staff_have_seen_counts_until_its_last_day(nora: Person, until: date | None) -> None:
    jobless = tier("jobless", 1500, needs_document=True)
    assert why_not(nora, jobless, JOINED) == "condition_unmet"
    for _ in range(2):
        service.record_seen_document(nora, jobless, "staff", until, at(JOINED), JOINED)
    last = until or date(2050, 1, 1)
    expected = [None, None, "condition_unmet" if until else None]
    assert [why_not(nora, jobless, last + n * DAY) for n in (-1, 0, 1)] == expected
    assert why_not(somebody("Other"), jobless, JOINED) == "condition_unmet"


def test_a_document_is_noted_only_where_one_is_asked_for_and_not_after_its_time(nora: Person, basic: Tier) -> None:
    jobless = tier("jobless", 1500, needs_document=True)
    for plan, until in ((basic, None), (jobless, JOINED - DAY)):
        with pytest.raises(Refusal):
            service.record_seen_document(nora, plan, "staff", until, at(JOINED), JOINED)


def test_a_reduced_fee_is_not_renewed_into_when_its_condition_is_over(nora: Person) -> None:
    young = tier("young", 1500, graduated_within=2)
    nora.degrees.append(Degree(name="Law", graduation_year=2025))
    db.session.flush()
    buy(nora, young, JOINED)
    assert [service.renewal_tier(nora.id, day) for day in (date(2027, 12, 31), date(2028, 1, 1))] == [young, None]


# Downgrade: at the next renewal, reversible until then.


def test_a_downgrade_is_for_the_next_renewal_and_can_be_taken_back(nora: Person, basic: Tier, plus: Tier) -> None:
    buy(nora, plus, JOINED)
    for _ in range(2):
        service.choose_renewal_tier(nora.id, basic, at(JOINED), JOINED)
    assert service.renewal_tier(nora.id, END) is basic
    assert service.membership_of(nora.id, at(END), END).tier is plus
    for _ in range(2):
        service.choose_renewal_tier(nora.id, None, at(JOINED), JOINED)
    assert service.renewal_tier(nora.id, END) is plus
    service.choose_renewal_tier(nora.id, basic, at(JOINED), JOINED)
    service.choose_renewal_tier(nora.id, plus, at(JOINED), JOINED)  # the one held: as good as taking it back
    assert db.session.execute(select(RenewalChoice)).all() == []


def test_a_choice_is_done_with_the_renewal_it_was_for(nora: Person, basic: Tier, plus: Tier) -> None:
    buy(nora, plus, JOINED)
    service.choose_renewal_tier(nora.id, basic, at(JOINED), JOINED)
    buy(nora, basic, END)
    assert service.find_renewal_choice(nora.id) is None
    assert [service.membership_of(nora.id, at(day), day).tier for day in (END, END + DAY)] == [plus, basic]
    upgrade(nora, plus, END + DAY)
    assert service.renewal_tier(nora.id, END + DAY) is plus


def test_only_a_tier_on_sale_can_be_chosen_and_only_by_a_member(nora: Person, basic: Tier, plus: Tier) -> None:
    with pytest.raises(Refusal) as refusal:
        service.choose_renewal_tier(nora.id, basic, at(JOINED), JOINED)
    assert refusal.value.code == "not_a_member"
    buy(nora, plus, JOINED)
    service.close_tier(basic, CLOSES, plus, at(JOINED), JOINED)
    service.choose_renewal_tier(nora.id, basic, at(CLOSES - DAY), CLOSES - DAY)
    assert service.renewal_tier(nora.id, CLOSES) is plus  # closed since: its successor
    with pytest.raises(Refusal) as refusal:
        service.choose_renewal_tier(nora.id, tier("young", 100, graduated_within=1), at(CLOSES), CLOSES)
    assert refusal.value.code == "condition_unmet"


def test_who_was_never_a_member_renews_into_nothing(nora: Person) -> None:
    assert service.renewal_tier(nora.id, JOINED) is None


# Gift: after the recipient's own run; the giver's refund empties that year only.


@pytest.mark.parametrize(
    "accepted_on, starts_on",
    [
        (JOINED + 9 * DAY, END + DAY),
        (END, END + DAY),
        (GRACE_END, END + DAY),  # no free days, no lost anniversary
        (GRACE_END + DAY, GRACE_END + DAY),  # membership is over: from today
    ],
)
def test_a_gift_follows_the_recipients_own_run(
    nora: Person, basic: Tier, plus: Tier, accepted_on: date, starts_on: date
) -> None:
    buy(nora, basic, JOINED)
    term = give(somebody("Giver"), nora, plus, accepted_on)
    assert (term.person_id, term.starts_on, term.tier) == (nora.id, starts_on, plus)


def test_a_gift_follows_what_was_renewed_already(nora: Person, basic: Tier) -> None:
    buy(nora, basic, JOINED)
    buy(nora, basic, JOINED)
    term = give(somebody("Giver"), nora, basic, JOINED)
    assert (term.starts_on, term.anchor_on) == (date(2028, 11, 23), JOINED)
    again = give(somebody("Aunt"), nora, basic, JOINED)
    assert again.starts_on == date(2029, 11, 23)


def test_a_gift_to_a_newcomer_starts_when_it_is_accepted(basic: Tier) -> None:
    giver, friend = somebody("Giver"), somebody("Friend")
    offered = service.gift_offer(None, basic, at(JOINED), JOINED)
    assert (offered.offer.kind, offered.offer.dates.starts_on, offered.fee_cents) == ("gift", JOINED, 3000)
    payment = bill(giver, basic, offered, JOINED)
    accepted = JOINED + 50 * DAY
    terms = [service.sell_gift(friend.id, basic, payment.id, at(accepted), accepted) for _ in range(2)]
    assert terms[0] is terms[1] and terms[0].starts_on == accepted
    assert service.terms_of(giver.id) == []


def test_a_gifts_refund_empties_that_year_only(nora: Person, basic: Tier) -> None:
    own = buy(nora, basic, JOINED)
    gift = give(somebody("Giver"), nora, basic, JOINED)
    own_days = days(nora)[:1]
    take_back(gift, JOINED + 40 * DAY)
    assert days(nora) == own_days and own.ended_because is None
    assert status(nora, END + DAY) == "grace"


def test_nothing_is_given_to_a_member_for_life_nor_a_fee_with_a_condition_to_a_stranger(
    nora: Person, basic: Tier
) -> None:
    young = tier("young", 100, graduated_within=1)
    service.grant(nora.id, basic, because="thanks", by="board", now=at(JOINED), today=JOINED, life=True)
    for person_id, plan, code in ((nora.id, basic, "for_life"), (None, young, "condition_unmet")):
        with pytest.raises(Refusal) as refusal:
            service.gift_offer(person_id, plan, at(JOINED), JOINED)
        assert refusal.value.code == code


# A grant starts after paid days.


def test_a_grant_starts_after_paid_days_and_is_not_paid(nora: Person, basic: Tier) -> None:
    buy(nora, basic, JOINED)
    term = service.grant(nora.id, basic, because="a prize", by="board", now=at(JOINED), today=JOINED, months=3)
    assert (term.starts_on, term.ends_on) == (END + DAY, date(2028, 2, 22))
    assert (term.payment_id, term.granted_by, term.granted_because) == (None, "board", "a prize")
    later = service.grant(
        nora.id, basic, because="again", by="board", now=at(JOINED), today=JOINED, until=date(2028, 2, 23)
    )
    assert (later.starts_on, later.ends_on) == (date(2028, 2, 23), date(2028, 2, 23))
    with pytest.raises(Refusal):
        service.grant(
            nora.id, basic, because="short", by="board", now=at(JOINED), today=JOINED, until=date(2028, 2, 23)
        )


def test_a_grant_to_a_newcomer_starts_today(nora: Person) -> None:
    season = tier("season", 4000, fixed_start="10-01", bonus_days=60)
    term = service.grant(nora.id, season, because="a prize", by="board", now=at(JOINED), today=JOINED, months=3)
    assert (term.starts_on, term.ends_on) == (JOINED, date(2027, 2, 22))


def test_membership_for_life_has_no_day_after_it(nora: Person, basic: Tier) -> None:
    buy(nora, basic, JOINED)
    term = service.grant(nora.id, basic, because="thanks", by="board", now=at(JOINED), today=JOINED, life=True)
    assert (term.starts_on, term.ends_on, term.grace_ends_on) == (END + DAY, date.max, date.max)
    assert [status(nora, day) for day in (JOINED, END + DAY, date(2222, 2, 2), date.max)] == ["active"] * 4
    assert why_not(nora, basic, END + DAY) == "already_renewed"
    with pytest.raises(Refusal) as refusal:
        service.grant(nora.id, basic, because="more", by="board", now=at(JOINED), today=JOINED, months=1)
    assert refusal.value.code == "for_life"


@pytest.mark.parametrize(
    "wrong",
    [{}, {"months": 1, "life": True}, {"months": 0}, {"months": 121}, {"until": JOINED - DAY},
     {"until": date(2200, 1, 1)}, {"months": 1, "because": " "}],
)  # fmt: skip
def test_a_grant_that_makes_no_sense_is_refused(nora: Person, basic: Tier, wrong: dict[str, object]) -> None:
    given = {"because": "a prize", "by": "board", "now": at(JOINED), "today": JOINED, **wrong}
    with pytest.raises(Refusal) as refusal:
        service.grant(nora.id, basic, **given)  # type: ignore[arg-type]
    assert refusal.value.code == "bad_grant"
    assert service.terms_of(nora.id) == []


def test_settling_an_offer_of_a_tier_closed_since_keeps_the_offer(nora: Person, basic: Tier) -> None:
    offered = service.offer_for(nora.id, basic, at(JOINED), JOINED)
    service.close_tier(basic, JOINED + DAY, None, at(JOINED), JOINED)
    assert settle(nora, basic, offered, JOINED + 2 * DAY).starts_on == JOINED
