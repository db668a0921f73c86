"""Money that goes back: by the treasurer's button, at the provider, in part, twice, or not after all."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests
from sqlalchemy import select

from app import clock
from app.extensions import db
from app.memberships.service import get_tier
from app.payments import checkouts, gateway, manual, settling
from app.payments.models import Payment, Refund
from app.payments.refunds import request_refund
from app.people.service import get_person
from tests.payments.shop import Browser, Shop
from tests.payments.test_paying import at_once
from tests.payments.test_settling import a_year, paid

REFUNDED = ["refund_paid 3000 fees < provider"]


def refunded(shop: Shop) -> list[str]:
    """The term of somebody who joined today: no day of it is left."""
    return [f"basic {shop.today} – {shop.today - timedelta(days=1)} refunded"]


@pytest.fixture
def member(shop: Shop) -> Shop:
    """Alice has joined and paid today."""
    shop.pay(shop.browser().choose("basic"))
    return shop


def page_of(shop: Shop, n: int = 1) -> str:
    return f"/treasury/payments/P-{shop.today.year}-{n:06d}"


def refund(browser: Browser, shop: Shop, n: int = 1) -> requests.Response:
    """The button on a payment's page."""
    return browser.post(f"{page_of(shop, n)}/refund", page="/account")


def give_back(shop: Shop, cents: int | None = None) -> None:
    """As in the provider's own dashboard."""
    shop.control(f"charges/{shop.charge()}/refund", **({"amount": cents} if cents else {}))
    shop.quiet()


def test_the_treasurers_refund_ends_the_days_at_once_and_is_written_down(member: Shop) -> None:
    answer = refund(member.browser("treasurer@example.org"), member)
    assert (answer.status_code, answer.headers["Location"]) == (303, page_of(member))
    member.quiet()
    story = member.story()
    assert (story.terms, story.status, story.payments) == (refunded(member), "none", ["refunded"])
    assert story.ledger == paid(member).ledger + REFUNDED
    assert story.receipts == [f"{member.today.year}-000001 3000", f"R{member.today.year}-000001 3000"]
    member.sweep()
    assert member.story() == story


def test_a_refund_made_at_the_provider_counts_the_same(member: Shop) -> None:
    give_back(member)
    story = member.story()
    assert (story.terms, story.status) == (refunded(member), "none")
    assert story.ledger == paid(member).ledger + REFUNDED
    assert story.receipts == [f"{member.today.year}-000001 3000", f"R{member.today.year}-000001 3000"]


def test_a_refund_nobody_told_us_of_is_found_by_the_sweep(member: Shop) -> None:
    member.control("faults", drop=True)
    give_back(member)
    assert member.story().status == "active"
    member.sweep()
    assert member.story().terms == refunded(member)


def test_a_refund_keeps_the_days_before_it_and_gives_no_grace(member: Shop) -> None:
    member.control("clock", offset=10 * 86_400)
    member.app.test_cli_runner().invoke(args=["clock", "shift", "10d"], catch_exceptions=False)
    give_back(member)
    story = member.story()
    assert story.terms == [f"basic {member.today} – {member.today + timedelta(days=9)} refunded"]
    assert story.status == "lapsed"


def test_who_was_refunded_may_join_again(member: Shop) -> None:
    give_back(member)
    member.pay(member.browser().choose("plus"))
    assert member.story().terms == [*refunded(member), f"plus {a_year(member.today)}"]
    assert member.story().status == "active"


def test_a_refund_asked_for_twice_goes_back_once(member: Shop) -> None:
    one, other = member.browser("treasurer@example.org"), member.browser("treasurer@example.org")
    answers = at_once(lambda: refund(one, member), lambda: refund(other, member))
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    assert refund(one, member).status_code == 409
    member.quiet()
    assert member.story().ledger == paid(member).ledger + REFUNDED
    assert len(member.in_own_words(select(Refund.id))) == 1


def test_a_refund_at_the_provider_and_by_the_button_at_once_goes_back_once(member: Shop) -> None:
    """The dashboard was a second faster, and its news is not here yet."""
    member.control("faults", drop=True)
    give_back(member)
    answer = refund(member.browser("treasurer@example.org"), member)
    assert answer.status_code == 409
    story = member.story()
    assert story.ledger == paid(member).ledger + REFUNDED
    assert (story.terms, story.reasons) == (refunded(member), [])
    assert member.in_own_words(select(Refund.status)) == ["succeeded"]


def test_a_partial_refund_leaves_the_days_and_is_flagged(member: Shop) -> None:
    give_back(member, 1000)
    story = member.story()
    assert (story.terms, story.status, story.reasons) == (paid(member).terms, "active", ["refunded_in_part"])
    assert story.ledger[2:] == ["refund_paid 1000 fees < provider"]
    assert story.receipts[1:] == [f"R{member.today.year}-000001 1000"]


def test_the_second_partial_refund_that_leaves_nothing_ends_the_days(member: Shop) -> None:
    give_back(member, 1000)
    give_back(member, 2000)
    story = member.story()
    assert (story.terms, story.payments) == (refunded(member), ["refunded"])
    assert story.ledger[2:] == ["refund_paid 1000 fees < provider", "refund_paid 2000 fees < provider"]
    assert story.receipts[1:] == [f"R{member.today.year}-000001 1000", f"R{member.today.year}-000002 2000"]


def test_the_button_gives_back_what_is_left(member: Shop) -> None:
    give_back(member, 1000)
    assert refund(member.browser("treasurer@example.org"), member).status_code == 303
    assert member.story().ledger[2:] == ["refund_paid 1000 fees < provider", "refund_paid 2000 fees < provider"]


def test_a_refund_that_fails_days_later_gives_the_money_and_the_days_back(member: Shop) -> None:
    give_back(member)
    account = member.simulator.account
    [row] = account.store.rows("SELECT id FROM object WHERE kind = 'refund'")
    for _ in range(2):
        with account.change() as change:
            it = account.get("refund", row["id"])
            it["status"] = "failed"
            change.save(it)
            change.emit("refund.failed", it)
        member.quiet()
    story = member.story()
    assert (story.terms, story.status) == (paid(member).terms, "active")
    assert story.ledger[2:] == [*REFUNDED, "refund_reversed 3000 provider < fees"]
    assert (story.reasons, story.payments) == (["refund_failed"], ["paid"])


def test_a_refund_the_provider_will_not_make_is_said_and_changes_nothing(member: Shop) -> None:
    with member.simulator.account.store.transaction() as store:
        store.execute("UPDATE object SET body = json_set(body, '$.status', 'processing') WHERE kind = 'payment_intent'")
    answer = refund(member.browser("treasurer@example.org"), member)
    assert (answer.status_code, "will not refund" in answer.text) == (409, True)
    story = member.story()
    assert (story.ledger, story.status, story.reasons) == (paid(member).ledger, "active", ["refund_failed"])


@pytest.mark.parametrize("fault", ["down", "lost"])
def test_a_refund_while_the_provider_is_away_is_noted_and_sent_by_the_sweep(member: Shop, fault: str) -> None:
    member.control("faults", drop=True)
    member.line.fault = lambda method, path: fault if method == "POST" else None
    answer = refund(member.browser("treasurer@example.org"), member)
    assert (answer.status_code, "within the hour" in answer.text) == (503, True)
    member.line.fault = lambda method, path: None
    member.sweep()
    member.sweep()
    story = member.story()
    assert (story.ledger, story.terms) == (paid(member).ledger + REFUNDED, refunded(member))
    assert len(member.simulator.account.store.rows("SELECT id FROM object WHERE kind = 'refund'")) == 1


def test_a_refund_needs_a_treasurer_a_token_and_a_payment(member: Shop) -> None:
    alice, treasurer = member.browser(), member.browser("treasurer@example.org")
    assert refund(alice, member).status_code == 403
    url = f"{member.url}{page_of(member)}/refund"
    assert treasurer.session.post(url, allow_redirects=False, timeout=10).status_code == 400
    assert treasurer.get(f"{page_of(member)}/refund").status_code == 405
    assert refund(treasurer, member, 2).status_code == 404
    assert member.story() == paid(member)


def test_what_was_never_paid_cannot_be_refunded(shop: Shop) -> None:
    shop.browser().choose("basic")
    assert refund(shop.browser("treasurer@example.org"), shop).status_code == 409
    assert shop.in_own_words(select(Refund.id)) == []


def test_a_second_payment_for_covered_days_is_unallocated_and_refunding_it_leaves_the_first(shop: Shop) -> None:
    checkout = shop.browser().choose("basic")
    with shop.books():
        manual.record_payment(
            get_person(shop.alice), get_tier("basic"), 3000, "transfer", shop.today, "test", "en", clock.now(),
            shop.today,
        )  # fmt: skip
        db.session.commit()
    shop.pay(checkout)
    story = shop.story()
    assert story.terms == [f"basic {a_year(shop.today)}"]
    assert story.ledger == [
        "excess_received 3000 provider < unallocated", "provider_fee 70 provider_fees < provider",
        "fee_received 3000 bank < fees",
    ]  # fmt: skip
    assert (story.reasons, len(story.receipts)) == (["days_covered"], 1)
    give_back(shop)
    story = shop.story()
    assert (story.terms, story.status, len(story.receipts)) == ([f"basic {a_year(shop.today)}"], "active", 1)
    assert story.ledger[2] == "refund_paid 3000 unallocated < provider"


def test_refunding_the_excess_first_leaves_the_fee_and_its_receipt(shop: Shop) -> None:
    with shop.books():
        payment = manual.record_payment(
            get_person(shop.alice), get_tier("basic"), 5000, "cash", shop.today, "test", "en", clock.now(), shop.today
        )
        asked = request_refund(payment, 2000, "test", clock.now())
        db.session.commit()
        checkouts.send_refund(asked.id)
    story = shop.story()
    assert story.ledger[2:] == ["refund_paid 2000 unallocated < cash"]
    assert (len(story.receipts), story.status, story.reasons) == (1, "active", ["overpaid"])


def test_refunding_more_than_the_excess_takes_both_and_ends_the_days(shop: Shop) -> None:
    with shop.books():
        manual.record_payment(
            get_person(shop.alice), get_tier("basic"), 5000, "cash", shop.today, "test", "en", clock.now(), shop.today
        )
        db.session.commit()
    assert refund(shop.browser("treasurer@example.org"), shop).status_code == 303
    story = shop.story()
    assert story.ledger[2:] == ["refund_paid 2000 unallocated < cash", "refund_paid 3000 fees < cash"]
    assert story.receipts == [f"{shop.today.year}-000001 3000", f"R{shop.today.year}-000001 3000"]
    assert (story.terms, story.status) == (refunded(shop), "none")


def test_an_older_word_of_the_provider_undoes_nothing(member: Shop) -> None:
    """Two deliveries overtake each other: what was fetched before the refund arrives after it."""
    with member.books():
        checkout = db.session.execute(select(Payment.stripe_checkout_id)).scalar_one() or ""
        older = gateway.fetch_checkout(checkout)
    give_back(member)
    story = member.story()
    with member.books():
        settling.settle_checkout(older, False, clock.now())
        db.session.commit()
    assert member.story() == story


def test_cash_whose_refund_was_granted_and_not_booked_goes_back_where_no_provider_is_set_up(shop: Shop) -> None:
    """The web worker died between the two; only the hourly sweep knows."""
    shop.app.config["STRIPE_SECRET_KEY"] = ""
    with shop.books():
        person, now, today = get_person(shop.alice), clock.now(), clock.today()
        paid_by_hand = manual.record_payment(person, get_tier("basic"), 3000, "cash", today, "test", "en", now, today)
        request_refund(paid_by_hand, 3000, "test", now)
        db.session.commit()
    shop.work()
    assert (shop.story().terms, shop.story().payments) == (refunded(shop), ["refunded"])
