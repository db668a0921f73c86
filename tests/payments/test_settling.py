"""A fee paid at the provider becomes one term, one receipt, one movement and one card, whatever the news does."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest

from app import clock
from app.extensions import db
from app.memberships.rules import anniversary
from app.people.service import add_person
from tests.payments.shop import Shop, Story, mails_to_send


def a_year(today: date) -> str:
    return f"{today} – {anniversary(today, 12) - timedelta(days=1)}"


def paid(shop: Shop, tier: str = "basic", cents: int = 3000) -> Story:
    """The books of somebody who joined today and paid once: 1.5 % and 25 cents stay with the provider."""
    fee = (cents * 15 + 500) // 1000 + 25
    return Story(
        terms=[f"{tier} {a_year(shop.today)}"],
        receipts=[f"{shop.today.year}-000001 {cents}"],
        ledger=[f"fee_received {cents} provider < fees", f"provider_fee {fee} provider_fees < provider"],
        payments=["paid"],
        reasons=[],
        cards=1,
        status="active",
    )


def test_joining_and_paying_gives_one_term_one_receipt_one_movement_and_one_card(shop: Shop) -> None:
    shop.pay(shop.browser().choose("basic"))
    assert shop.story() == paid(shop)
    with shop.books():
        assert len(mails_to_send()) == 1


def test_every_event_fifteen_times_shuffled_and_at_once_changes_nothing_more(shop: Shop) -> None:
    shop.control("faults", duplicate=15, shuffle=True, parallel=8)
    shop.pay(shop.browser().choose("basic"))
    assert shop.story() == paid(shop)
    with shop.books():
        assert len(mails_to_send()) == 1


def test_the_same_event_fifteen_times_at_once_is_answered_well_each_time(shop: Shop) -> None:
    shop.control("faults", drop=True)
    shop.pay(shop.browser().choose("basic"))
    [event] = shop.events("checkout.session.completed")
    answers = shop.control(f"events/{event}/deliver", times=15, parallel=True)
    assert answers == {"statuses": [204] * 15, "errors": []}
    assert shop.story() == paid(shop)


def test_events_in_the_opposite_order_end_in_the_same_books(shop: Shop) -> None:
    shop.control("faults", drop=True)
    shop.pay(shop.browser().choose("basic"))
    for event in reversed(shop.events()):
        assert shop.control(f"events/{event}/deliver")["statuses"] == [204]
    assert shop.story() == paid(shop)


def test_the_return_page_before_any_webhook_settles(shop: Shop) -> None:
    shop.control("faults", drop=True)
    alice = shop.browser()
    shop.pay(alice.choose("basic"))
    page = alice.get(f"/payments/P-{shop.today.year}-000001/done")
    assert (page.status_code, f"{shop.today.year}-000001" in page.text) == (200, True)
    for event in shop.events():
        assert shop.control(f"events/{event}/deliver", times=2)["statuses"] == [204, 204]
    assert shop.story() == paid(shop)


def test_the_return_page_after_the_webhook_shows_what_was_bought(shop: Shop) -> None:
    alice = shop.browser()
    shop.pay(alice.choose("basic"))
    for _ in range(2):
        assert alice.get(f"/payments/P-{shop.today.year}-000001/done").status_code == 200
    assert shop.story() == paid(shop)


def test_the_return_page_racing_the_webhook_settles_once(shop: Shop) -> None:
    shop.control("faults", drop=True)
    alice = shop.browser()
    shop.pay(alice.choose("basic"))
    [event] = shop.events("checkout.session.completed")
    statuses: list[int] = []

    def come_back() -> None:
        statuses.append(alice.get(f"/payments/P-{shop.today.year}-000001/done").status_code)

    readers = [threading.Thread(target=come_back) for _ in range(3)]
    for reader in readers:
        reader.start()
    answers = shop.control(f"events/{event}/deliver", times=5, parallel=True)
    for reader in readers:
        reader.join()
    assert (statuses, answers["statuses"]) == ([200] * 3, [204] * 5)
    assert shop.story() == paid(shop)


def test_a_webhook_that_never_comes_is_healed_by_the_sweep(shop: Shop) -> None:
    shop.control("faults", drop=True)
    shop.pay(shop.browser().choose("basic"))
    assert shop.story().status == "none"
    heard, _looked_at = shop.sweep()
    assert heard == len(shop.events())
    assert shop.story() == paid(shop)
    assert shop.sweep() == (0, 0)
    assert shop.story() == paid(shop)


def test_a_person_who_never_comes_back_and_no_event_kept_is_healed_by_looking_at_open_payments(shop: Shop) -> None:
    shop.control("faults", drop=True)
    shop.pay(shop.browser().choose("basic"))
    with shop.simulator.account.store.transaction() as store:
        store.execute("DELETE FROM object WHERE kind = 'event'")
    assert shop.sweep() == (0, 1)
    assert shop.story() == paid(shop)


def test_a_refund_whose_news_was_lost_is_found_although_later_news_arrived(shop: Shop) -> None:
    """The sweep goes on from what it has read itself, not from the last thing that rang."""
    shop.pay(shop.browser().choose("basic"))
    shop.sweep()
    shop.control("faults", drop=True)
    shop.control(f"charges/{shop.charge()}/refund")
    shop.control("faults", drop=False)
    shop.control("clock", add=6 * 3600)
    with shop.books():
        add_person("Bob", "Vidal", "bob@example.org", clock.now())
        db.session.commit()
    shop.pay(shop.browser("bob@example.org").choose("plus"))
    assert shop.story().status == "active"
    shop.sweep()
    assert shop.story().terms == [f"basic {shop.today} – {shop.today - timedelta(days=1)} refunded"]


def test_a_fee_the_provider_knows_later_is_booked_once(shop: Shop) -> None:
    shop.control("faults", late_fees=3600)
    shop.pay(shop.browser().choose("basic"))
    assert shop.story().ledger == paid(shop).ledger[:1]
    shop.control("clock", add=3601)
    for _ in range(100):
        if shop.events("charge.updated"):
            break
        threading.Event().wait(0.05)
    shop.quiet()
    shop.sweep()
    assert shop.story() == paid(shop)


def test_a_provider_whose_clock_is_ahead_gives_no_day_in_our_future(shop: Shop) -> None:
    shop.control("clock", offset=40 * 86_400)
    shop.pay(shop.browser().choose("basic"))
    assert shop.story() == paid(shop)
    shop.control(f"charges/{shop.charge()}/refund")
    shop.quiet()
    assert (shop.story().status, shop.story().terms) == (
        "none",
        [f"basic {shop.today} – {shop.today - timedelta(days=1)} refunded"],
    )


@pytest.mark.parametrize("moved", ["400d", "-400d"])
def test_an_installation_whose_clock_was_moved_sells_the_days_it_showed(shop: Shop, moved: str) -> None:
    shop.app.test_cli_runner().invoke(args=["clock", "shift", moved], catch_exceptions=False)
    was = shop.today
    with shop.books():
        shop.today = clock.today()
    days = (shop.today - was).days - int(moved.removesuffix("d"))
    assert abs(days) <= 1  # around midnight, where summer time began or ended in between
    shop.pay(shop.browser().choose("basic"))
    assert shop.story() == paid(shop)
