"""RULES, Offers: a higher tier in mid-term, and what happens to it when money goes back or comes back."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Refusal
from app.extensions import db
from app.memberships import rules, service
from app.memberships.layers import Days, Layer, lay
from app.memberships.models import Suspension, Tier
from app.people.models import Person
from tests.memberships.booking import (
    DAY,
    at,
    bill,
    buy,
    come_back,
    days,
    give,
    settle,
    somebody,
    status,
    take_back,
    tier,
    upgrade,
)

JOINED, END = date(2026, 11, 23), date(2027, 11, 22)
CHANGED = date(2027, 3, 1)


@pytest.fixture
def basic(house: Flask) -> Tier:
    return tier("basic", 3000)


@pytest.fixture
def plus(basic: Tier) -> Tier:
    return tier("plus", 5000)


@pytest.fixture
def grand(plus: Tier) -> Tier:
    return tier("grand", 9000)


@pytest.fixture
def nora(basic: Tier) -> Person:
    return somebody()


def code_of(call: object, *arguments: object) -> str:
    with pytest.raises(Refusal) as refusal:
        call(*arguments)  # type: ignore[operator]
    return refusal.value.code


# The price.


@pytest.mark.parametrize(
    "today, cents",
    [
        (JOINED, 2000),  # the whole term is left: 365 of 365 days
        (JOINED + DAY, 1994),  # 364 of 365: 1994.52
        (date(2027, 3, 28), 1315),  # 240: 1315.07, the night clocks go forward
        (date(2027, 10, 31), 126),  # 23: 126.03, the night they go back
        (END - DAY, 10),  # 2: 10.96
        (END, 5),  # today is left too: 1 of 365: 5.48
    ],
)
def test_an_upgrade_costs_the_fee_difference_for_the_days_left_rounded_down(today: date, cents: int) -> None:
    assert rules.upgrade_fee(3000, 5000, JOINED, END, today) == cents


def test_the_offer_of_an_upgrade_names_days_price_and_how_long_it_holds(nora: Person, basic: Tier, plus: Tier) -> None:
    buy(nora, basic, JOINED)
    offered = service.upgrade_offer_for(nora.id, plus, at(CHANGED), CHANGED)
    left = (END - CHANGED).days + 1
    assert offered.offer.kind == "upgrade"
    assert (offered.offer.dates.starts_on, offered.offer.dates.ends_on) == (CHANGED, END)
    assert (offered.fee_cents, offered.currency) == (2000 * left // 365, "EUR")
    assert offered.offer.holds_until == date(2027, 3, 31)
    late = service.upgrade_offer_for(nora.id, plus, at(END - 20 * DAY), END - 20 * DAY)
    assert late.offer.holds_until == END


@given(
    st.lists(st.integers(100, 50_000), min_size=3, max_size=3, unique=True).map(sorted),
    st.integers(1, 3660), st.data(),
)  # fmt: skip
def test_two_upgrades_never_cost_more_than_the_direct_one(fees: list[int], length: int, data: st.DataObject) -> None:
    starts_on = date(2024, 2, 29)
    ends_on = starts_on + (length - 1) * DAY
    first = data.draw(st.dates(starts_on, ends_on))
    second = data.draw(st.dates(first, ends_on))
    low, middle, high = fees
    steps = rules.upgrade_fee(low, middle, starts_on, ends_on, first) + rules.upgrade_fee(
        middle, high, starts_on, ends_on, second
    )
    assert steps <= rules.upgrade_fee(low, high, starts_on, ends_on, first)


def test_a_second_upgrade_is_priced_by_the_whole_term(nora: Person, basic: Tier, plus: Tier, grand: Tier) -> None:
    buy(nora, basic, JOINED)
    upgrade(nora, plus, CHANGED)
    later = date(2027, 6, 1)
    left = (END - later).days + 1
    assert service.upgrade_offer_for(nora.id, grand, at(later), later).fee_cents == 4000 * left // 365


def test_the_fees_in_force_on_the_day_of_the_upgrade_count(nora: Person, basic: Tier, plus: Tier) -> None:
    buy(nora, basic, JOINED)
    service.set_price(plus, 6000, CHANGED, at(JOINED), JOINED)
    before, after = CHANGED - DAY, CHANGED
    prices = [service.upgrade_offer_for(nora.id, plus, at(day), day).fee_cents for day in (before, after)]
    assert prices == [2000 * ((END - before).days + 1) // 365, 3000 * ((END - after).days + 1) // 365]


# What may be upgraded.


def test_every_dearer_tier_of_the_same_length_is_offered_the_cheapest_first(nora: Person, grand: Tier) -> None:
    tier("season", 4000, fixed_start="10-01")
    tier("half", 4000, months=6)
    tier("closed", 4000)
    tier("young", 4000, graduated_within=2)
    service.close_tier(service.get_tier("closed"), CHANGED, None, at(JOINED), JOINED)
    buy(nora, service.get_tier("basic"), JOINED)
    offers = service.upgrade_offers(nora.id, at(CHANGED), CHANGED)
    assert [it.tier.code for it in offers] == ["plus", "grand"]
    for code, why in (
        ("season", "nothing_to_upgrade"), ("half", "nothing_to_upgrade"), ("basic", "nothing_to_upgrade"),
        ("closed", "tier_closed"), ("young", "condition_unmet"),
    ):  # fmt: skip
        assert code_of(service.upgrade_offer_for, nora.id, service.get_tier(code), at(CHANGED), CHANGED) == why


@pytest.mark.parametrize(
    "today, can", [(JOINED - DAY, False), (JOINED, True), (END - 9 * DAY, True), (END + DAY, False)]
)
def test_only_a_running_term_is_upgraded_not_one_in_grace(
    nora: Person, basic: Tier, plus: Tier, today: date, can: bool
) -> None:
    buy(nora, basic, JOINED)
    assert bool(service.upgrade_offers(nora.id, at(today), today)) is can


def test_below_the_providers_least_charge_no_upgrade_is_offered(nora: Person, basic: Tier, plus: Tier) -> None:
    buy(nora, basic, JOINED)
    last_offered = END - 9 * DAY  # 10 of 365 days: 54 cents; the day after: 49
    assert [it.fee_cents for it in service.upgrade_offers(nora.id, at(last_offered), last_offered)] == [54]
    assert service.upgrade_offers(nora.id, at(last_offered + DAY), last_offered + DAY) == []


def test_nothing_is_upgraded_on_hold_or_for_life(nora: Person, basic: Tier, plus: Tier) -> None:
    buy(nora, basic, JOINED)
    service.hold_person(nora, "a letter came back", "test", at(CHANGED))
    assert service.upgrade_offers(nora.id, at(CHANGED), CHANGED) == []
    old = somebody("Old")
    service.grant(old.id, basic, because="thanks", by="the board", now=at(JOINED), today=JOINED, life=True)
    assert service.upgrade_offers(old.id, at(CHANGED), CHANGED) == []


# Selling it.


def test_an_upgrade_starts_on_its_day_and_ends_with_the_lower_term(nora: Person, basic: Tier, plus: Tier) -> None:
    lower = buy(nora, basic, JOINED)
    higher = upgrade(nora, plus, CHANGED)
    assert days(nora) == [("basic", "2026-11-23", "2027-02-28"), ("plus", "2027-03-01", "2027-11-22")]
    assert (lower.ended_because, lower.sold_ends_on, higher.upgrades_id) == ("upgraded", END, lower.id)
    assert [status(nora, day) for day in (CHANGED - DAY, CHANGED, END, END + DAY, END + 30 * DAY)] == [
        "active", "active", "active", "grace", "grace",
    ]  # fmt: skip
    standing = service.standing_of(nora.id, at(JOINED), JOINED)
    assert (standing.tier_id, standing.valid_until) == (basic.id, END)
    renewal = service.offer_for(nora.id, plus, at(CHANGED), CHANGED).offer.dates
    assert (renewal.anchor_on, renewal.starts_on, renewal.ends_on) == (JOINED, END + DAY, date(2028, 11, 22))


def test_an_upgrade_on_the_first_day_leaves_nothing_of_the_lower_term(nora: Person, basic: Tier, plus: Tier) -> None:
    buy(nora, basic, JOINED)
    upgrade(nora, plus, JOINED)
    assert days(nora) == [("plus", "2026-11-23", "2027-11-22")]


def test_the_same_payment_upgrades_once(nora: Person, basic: Tier, plus: Tier) -> None:
    buy(nora, basic, JOINED)
    offered = service.upgrade_offer_for(nora.id, plus, at(CHANGED), CHANGED)
    payment = bill(nora, plus, offered, CHANGED)
    terms = [service.sell_term(nora.id, plus, payment.id, offered.offer, CHANGED, at(CHANGED)) for _ in range(2)]
    assert terms[0] is terms[1]
    assert len(service.terms_of(nora.id)) == 2


def test_a_second_payment_for_the_same_upgrade_finds_nothing_to_upgrade(nora: Person, basic: Tier, plus: Tier) -> None:
    buy(nora, basic, JOINED)
    offered = service.upgrade_offer_for(nora.id, plus, at(CHANGED), CHANGED)
    settle(nora, plus, offered, CHANGED)
    second = bill(nora, plus, offered, CHANGED)
    assert service.sell_term(nora.id, plus, second.id, offered.offer, CHANGED, at(CHANGED)) is None


def test_an_upgrade_is_not_sold_upon_another_bought_since_it_was_offered(
    nora: Person, basic: Tier, plus: Tier, grand: Tier
) -> None:
    """Its price was the difference from the lower tier: upon the other upgrade it would be too dear."""
    buy(nora, basic, JOINED)
    offered = service.upgrade_offer_for(nora.id, grand, at(CHANGED, 9), CHANGED)
    upgrade(nora, plus, CHANGED)
    payment = bill(nora, grand, offered, CHANGED)
    sold = service.sell_term(
        nora.id, grand, payment.id, offered.offer, CHANGED, at(CHANGED, 13), offered_at=at(CHANGED, 9)
    )
    assert sold is None


def test_money_for_an_upgrade_whose_term_is_gone_buys_nothing(nora: Person, basic: Tier, plus: Tier) -> None:
    lower = buy(nora, basic, JOINED)
    offered = service.upgrade_offer_for(nora.id, plus, at(CHANGED), CHANGED)
    take_back(lower, CHANGED + DAY)
    payment = bill(nora, plus, offered, CHANGED + 2 * DAY)
    assert service.sell_term(nora.id, plus, payment.id, offered.offer, CHANGED + 2 * DAY, at(CHANGED)) is None


@pytest.mark.parametrize(
    "paid_on, starts_on",
    [(date(2027, 3, 30), CHANGED), (date(2027, 3, 31), CHANGED), (date(2027, 4, 1), date(2027, 4, 1))],
)
def test_money_for_an_upgrade_buys_the_offered_days_while_the_offer_holds(
    nora: Person, basic: Tier, plus: Tier, paid_on: date, starts_on: date
) -> None:
    buy(nora, basic, JOINED)
    offered = service.upgrade_offer_for(nora.id, plus, at(CHANGED), CHANGED)
    payment = bill(nora, plus, offered, paid_on)
    term = service.sell_term(nora.id, plus, payment.id, offered.offer, paid_on, at(paid_on))
    assert term is not None
    assert (term.starts_on, term.ends_on) == (starts_on, END)


def test_next_years_term_stays_as_it_was_bought(nora: Person, basic: Tier, plus: Tier) -> None:
    buy(nora, basic, JOINED)
    buy(nora, basic, CHANGED - DAY)
    upgrade(nora, plus, CHANGED)
    assert days(nora)[-1] == ("basic", "2027-11-23", "2028-11-22")


def test_a_granted_and_a_carried_over_term_can_be_upgraded(nora: Person, basic: Tier, plus: Tier) -> None:
    service.grant(nora.id, basic, because="a prize", by="the board", now=at(JOINED), today=JOINED, months=12)
    higher = upgrade(nora, plus, CHANGED)
    take_back(higher, date(2027, 6, 1))
    [last] = [it for it in service.terms_of(nora.id) if it.ends_on == END]
    assert (last.tier.code, last.granted_by, last.granted_because, last.payment_id) == (
        "basic", "the board", "a prize", None,
    )  # fmt: skip


# Refunding it restores the lower tier.


@pytest.mark.parametrize(
    "refunded_on, held",
    [
        (CHANGED - DAY, [("basic", "2026-11-23", "2027-11-22")]),
        (CHANGED, [("basic", "2026-11-23", "2027-11-22")]),
        (
            CHANGED + DAY,
            [("basic", "2026-11-23", "2027-02-28"), ("plus", "2027-03-01", "2027-03-01"),
             ("basic", "2027-03-02", "2027-11-22")],
        ),
        (
            END,
            [("basic", "2026-11-23", "2027-02-28"), ("plus", "2027-03-01", "2027-11-21"),
             ("basic", "2027-11-22", "2027-11-22")],
        ),
        (END + DAY, [("basic", "2026-11-23", "2027-02-28"), ("plus", "2027-03-01", "2027-11-22")]),
    ],
)  # fmt: skip
def test_refunding_an_upgrade_restores_the_lower_tier(
    nora: Person, basic: Tier, plus: Tier, refunded_on: date, held: list[tuple[str, str, str]]
) -> None:
    lower = buy(nora, basic, JOINED)
    higher = upgrade(nora, plus, CHANGED)
    for _ in range(2):  # twice is once
        assert take_back(higher, refunded_on) == []
        assert days(nora) == held
    assert {it.payment_id for it in service.terms_of(nora.id) if it.tier_id == basic.id} == {lower.payment_id}
    if refunded_on <= END:  # grace goes with the last days
        assert status(nora, END + DAY) == "grace"


def test_a_restored_lower_tier_is_upgraded_again_for_the_days_left(nora: Person, basic: Tier, plus: Tier) -> None:
    buy(nora, basic, JOINED)
    take_back(upgrade(nora, plus, CHANGED), date(2027, 4, 1))
    again = upgrade(nora, plus, date(2027, 5, 1))
    assert [it[1:] for it in days(nora)][-2:] == [("2027-04-01", "2027-04-30"), ("2027-05-01", "2027-11-22")]
    take_back(again, date(2027, 6, 1))
    assert days(nora)[-1] == ("basic", "2027-06-01", "2027-11-22")
    assert len({it.continues_id for it in service.terms_of(nora.id) if it.continues_id}) == 2


def test_a_refund_of_the_lower_tier_ends_what_stands_on_it(nora: Person, basic: Tier, plus: Tier) -> None:
    lower = buy(nora, basic, JOINED)
    higher = upgrade(nora, plus, CHANGED)
    ended = date(2027, 6, 1)
    for _ in range(2):
        assert take_back(lower, ended) == [higher.payment_id]
    assert days(nora) == [("basic", "2026-11-23", "2027-02-28"), ("plus", "2027-03-01", "2027-05-31")]
    assert [status(nora, day) for day in (ended - DAY, ended, ended + DAY)] == ["active", "lapsed", "lapsed"]
    assert (lower.ended_because, higher.ended_because) == ("refunded", "base_ended")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("lower_gone, higher_gone", [("2027-06-01", "2027-07-01"), ("2027-07-01", "2027-06-01")])
def test_both_refunds_give_the_same_days_in_either_order(
    nora: Person, basic: Tier, plus: Tier, order: tuple[int, int], lower_gone: str, higher_gone: str
) -> None:
    terms = (buy(nora, basic, JOINED), upgrade(nora, plus, CHANGED))
    gone = (date.fromisoformat(lower_gone), date.fromisoformat(higher_gone))
    for i in order:
        take_back(terms[i], gone[i])
    expected = [("basic", "2026-11-23", "2027-02-28"), ("plus", "2027-03-01", "2027-05-31")]
    if higher_gone < lower_gone:
        expected.append(("basic", "2027-06-01", "2027-06-30"))
    assert days(nora) == expected
    assert {it.ended_because for it in terms} == {"refunded"}


def test_a_refund_after_the_end_leaves_the_upgrade_its_fee(nora: Person, basic: Tier, plus: Tier) -> None:
    lower = buy(nora, basic, JOINED)
    higher = upgrade(nora, plus, CHANGED)
    assert take_back(lower, END + DAY) == []
    assert higher.ends_on == END


def test_a_refund_of_the_middle_of_three_ends_the_upgrade_upon_it(
    nora: Person, basic: Tier, plus: Tier, grand: Tier
) -> None:
    buy(nora, basic, JOINED)
    middle = upgrade(nora, plus, CHANGED)
    top = upgrade(nora, grand, date(2027, 4, 1))
    assert take_back(middle, date(2027, 6, 1)) == [top.payment_id]
    assert days(nora)[-2:] == [("grand", "2027-04-01", "2027-05-31"), ("basic", "2027-06-01", "2027-11-22")]
    assert come_back(middle, date(2027, 7, 1)) is True
    assert days(nora)[-1] == ("grand", "2027-04-01", "2027-11-22")


# What comes back after all.


@pytest.mark.parametrize("which", [0, 1])
def test_restoring_what_was_ended_gives_the_same_dates(nora: Person, basic: Tier, plus: Tier, which: int) -> None:
    terms = (buy(nora, basic, JOINED), upgrade(nora, plus, CHANGED))
    before = days(nora)
    take_back(terms[which], date(2027, 6, 1), "dispute_lost")
    assert days(nora) != before
    for _ in range(2):
        assert come_back(terms[which], date(2027, 8, 1)) is True
        assert days(nora) == before
    assert [it.ended_because for it in terms] == ["upgraded", None]
    assert status(nora, END + DAY) == "grace"


def test_an_upgrade_comes_back_only_with_what_it_stands_on(nora: Person, basic: Tier, plus: Tier) -> None:
    lower, higher = buy(nora, basic, JOINED), upgrade(nora, plus, CHANGED)
    take_back(higher, date(2027, 6, 1))
    take_back(lower, date(2027, 7, 1))
    assert come_back(higher, date(2027, 8, 1)) is False
    assert higher.ends_on == date(2027, 6, 30)
    assert come_back(lower, date(2027, 8, 2)) is True
    assert days(nora) == [("basic", "2026-11-23", "2027-02-28"), ("plus", "2027-03-01", "2027-11-22")]


def test_an_upgrade_bought_again_keeps_its_days_when_the_first_comes_back(
    nora: Person, basic: Tier, plus: Tier
) -> None:
    buy(nora, basic, JOINED)
    first = upgrade(nora, plus, CHANGED)
    take_back(first, date(2027, 4, 1))
    second = upgrade(nora, plus, date(2027, 5, 1))
    assert come_back(first, date(2027, 6, 1)) is False
    assert (first.ends_on, second.starts_on, second.ends_on) == (date(2027, 4, 30), date(2027, 5, 1), END)
    take_back(second, date(2027, 6, 2))
    assert service.membership_of(nora.id, at(END), END).tier is plus


def test_only_days_that_nobody_has_bought_since_come_back(nora: Person, basic: Tier) -> None:
    """The rest is the treasurer's: a shorter term bought in between leaves days before and after it."""
    month = tier("month", 500, months=1)
    lost = buy(nora, basic, JOINED)
    take_back(lost, date(2027, 3, 1))
    buy(nora, month, date(2027, 3, 11))
    assert come_back(lost, date(2027, 3, 20)) is False
    assert days(nora) == [
        ("basic", "2026-11-23", "2027-03-10"), ("month", "2027-03-11", "2027-04-10"),
        ("basic", "2027-04-11", "2027-11-22"),
    ]  # fmt: skip
    rows = [it for it in service.terms_of(nora.id) if it.payment_id == lost.payment_id]
    assert [it.continues_id for it in rows] == [None, lost.id]
    assert service.find_term_of_payment(lost.payment_id or 0) is lost
    assert status(nora, END + DAY) == "grace"
    take_back(lost, date(2027, 5, 1))
    assert days(nora)[-1] == ("basic", "2027-04-11", "2027-04-30")
    assert status(nora, date(2027, 5, 1)) == "lapsed"


def test_membership_for_life_granted_since_keeps_every_day(nora: Person, basic: Tier) -> None:
    lost = buy(nora, basic, JOINED)
    take_back(lost, date(2027, 3, 1))
    service.grant(nora.id, basic, because="thanks", by="board", now=at(CHANGED), today=date(2027, 3, 5), life=True)
    assert come_back(lost, date(2027, 3, 20)) is False
    assert days(nora) == [("basic", "2026-11-23", "2027-03-04"), ("basic", "2027-03-05", "9999-12-31")]


def test_a_disputed_terms_upgrade_and_continuation_are_on_hold_too(nora: Person, basic: Tier, plus: Tier) -> None:
    lower, higher = buy(nora, basic, JOINED), upgrade(nora, plus, CHANGED)
    assert lower.payment_id is not None
    service.suspend_days_of_payment(lower.payment_id, "dispute", at(date(2027, 5, 1)), at(date(2027, 5, 1)))
    assert status(nora, date(2027, 5, 2)) == "suspended"  # the upgrade's payment bought the difference only
    take_back(higher, date(2027, 6, 1))
    assert status(nora, date(2027, 6, 1)) == "suspended"
    service.lift_suspension_of_payment(lower.payment_id, "dispute", at(date(2027, 6, 5)), at(date(2027, 6, 5)))
    assert status(nora, date(2027, 6, 6)) == "active"
    holds = db.session.query(Suspension).all()
    assert len(holds) == 3 and all(hold.until_at is not None for hold in holds)


def test_a_gift_may_be_upgraded_and_its_refund_leaves_the_upgrade_without_its_fee(
    nora: Person, basic: Tier, plus: Tier
) -> None:
    gift = give(somebody("Giver"), nora, basic, JOINED)
    higher = upgrade(nora, plus, CHANGED)
    assert take_back(gift, date(2027, 6, 1)) == [higher.payment_id]


# The pure layers: who has a day.


@st.composite
def piles(draw: st.DrawFn) -> tuple[list[Layer], list[Days]]:
    start = date(2027, 1, 1)

    def day() -> date:
        return start + draw(st.integers(0, 40)) * DAY

    layers = [Layer(start, None, draw(st.none() | st.just(day())))]
    for i in range(draw(st.integers(0, 4))):
        below = draw(st.integers(0, i))
        layers.append(Layer(max(day(), layers[below].starts_on), below, draw(st.none() | st.just(day()))))
    taken = [
        Days(first, first + draw(st.integers(0, 9)) * DAY) for first in (day() for _ in range(draw(st.integers(0, 2))))
    ]
    return layers, taken


@settings(max_examples=300)
@given(piles())
def test_each_day_is_the_topmost_standing_layers(pile: tuple[list[Layer], list[Days]]) -> None:
    """Against the naive reading: ask every day for itself."""
    layers, taken = pile
    ends_on = date(2027, 1, 31)

    def stands(i: int | None, day: date) -> bool:
        return i is None or (layers[i].holds(day) and stands(layers[i].below, day))

    def depth(i: int | None) -> int:
        return 0 if i is None else 1 + depth(layers[i].below)

    held = lay(layers, ends_on, taken)
    for pieces in held:
        for earlier, later in zip(pieces, pieces[1:], strict=False):
            assert earlier.last + DAY < later.first, "two pieces that touch are one"
    for n in range(-2, 35):
        day = layers[0].starts_on + n * DAY
        owners = [i for i, pieces in enumerate(held) if any(p.first <= day <= p.last for p in pieces)]
        standing = [i for i in range(len(layers)) if stands(i, day)]
        if day > ends_on or not standing or any(it.first <= day <= it.last for it in taken):
            assert owners == []
            continue
        [owner] = owners
        assert owner in standing
        assert not any(layers[i].below == owner and layers[i].holds(day) for i in range(len(layers)))
        rivals = [i for i in standing if layers[i].below == layers[owner].below]
        assert owner == max(rivals) and depth(owner) <= len(layers)
