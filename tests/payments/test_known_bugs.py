"""Bugs that others have shipped, each as it would look here: named after the project and the issue it was told in."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from app.extensions import db
from app.payments.models import LedgerEntry, Payment
from demo.simulator import payouts
from tests.payments.shop import Browser, Shop
from tests.payments.test_auto_renewal import renewal, subscription, to_the_eve
from tests.payments.test_settling import a_year, paid

DAY = timedelta(days=1)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def member(shop: Shop) -> Shop:
    """Alice joined today."""
    shop.pay(shop.browser().choose("basic"))
    return shop


@pytest.fixture
def subscriber(shop: Shop) -> Shop:
    """Alice joined today and lets it renew by itself."""
    shop.pay(shop.browser().choose("basic", auto_renewal="y"))
    shop.work()
    return shop


def charges(shop: Shop) -> list[int]:
    """Cents of every charge that was paid at the provider."""
    found = [shop.simulator.account.get("charge", it) for it in shop._ids("charge", "status", "succeeded")]
    return [charge["amount"] for charge in found if charge["paid"]]


def next_charges(shop: Shop, order: str) -> None:
    customer = shop._ids("customer", "object", None)[-1]
    shop.control(f"customers/{customer}/charges", next=order)


def at_once(*browsers: Browser, path: str) -> list[int]:
    """All of them open the same page at the same moment."""
    statuses: list[int] = []
    ready = threading.Barrier(len(browsers))

    def look(browser: Browser) -> None:
        ready.wait()
        statuses.append(browser.get(path).status_code)

    threads = [threading.Thread(target=look, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


@on_sqlite
def test_a_failed_automatic_renewal_and_a_renewal_by_hand_charge_once(subscriber: Shop) -> None:
    """restrict-content-pro #1393, #1746: the retry took the fee again after its owner had renewed by hand."""
    to_the_eve(subscriber)
    next_charges(subscriber, "decline")
    subscriber.pass_days(2)
    next_charges(subscriber, "succeed")
    subscriber.pay(subscriber.browser().choose("basic", "/renew"))
    subscriber.work()
    subscriber.pass_days(30, step=3)
    story = subscriber.story()
    assert (charges(subscriber), len(story.terms), story.reasons) == ([3000, 3000], 2, [])


def test_two_devices_that_come_back_at_once_settle_one_payment(shop: Shop) -> None:
    """pretix #2165: both requests saw an unpaid order and both fulfilled it."""
    shop.control("faults", drop=True)
    phone, laptop = shop.browser(), shop.browser()
    shop.pay(phone.choose("basic"))
    path = f"/payments/P-{shop.today.year}-000001/done"
    assert at_once(phone, laptop, phone, laptop, path=path) == [200] * 4
    assert shop.story() == paid(shop)


@on_sqlite
def test_a_debit_on_its_way_is_waited_for_and_makes_a_member_when_it_arrives(shop: Shop) -> None:
    """CiviCRM stripe #26: `payment_status: unpaid` of a completed checkout was taken for a failure, and the money
    that came days later activated nobody."""
    shop.control("payment-methods", card=True, sepa_debit=True)
    alice = shop.browser()
    shop.control(f"checkouts/{alice.choose('basic')}/debit")
    shop.quiet()
    assert (shop.story().payments, shop.story().status) == (["pending"], "none")
    assert alice.get(f"/payments/P-{shop.today.year}-000001/done").status_code == 200
    shop.leap(6)
    arrived = shop.today - DAY
    assert (shop.story().payments, shop.story().terms) == (["paid"], [f"basic {a_year(arrived)}"])


@on_sqlite
def test_a_webhook_that_comes_before_we_know_of_the_checkout_finds_its_payment(shop: Shop) -> None:
    """The provider's answer with the checkout's id is lost; its news, which names our payment, is not."""
    shop.line.fault = lambda method, path: "lost" if (method, path) == ("POST", "/v1/checkout/sessions") else None
    assert shop.browser().post("/join", {"tier": "basic"}).status_code == 503
    shop.line.fault = lambda method, path: None
    [checkout] = shop.checkouts("open")
    assert shop.in_own_words(select(Payment.stripe_checkout_id)) == [None]
    shop.pay(checkout)
    assert shop.story() == paid(shop)


@on_sqlite
def test_news_that_could_not_be_settled_is_never_answered_with_200(shop: Shop) -> None:
    """lago #2825: the webhook said 200 before its work, which then failed; nobody sent it again."""
    shop.control("faults", drop=True)
    shop.pay(shop.browser().choose("basic"))
    [event] = shop.events("checkout.session.completed")
    shop.line.fault = lambda method, path: "500"
    assert shop.control(f"events/{event}/deliver")["statuses"] == [503]
    assert shop.story().terms == []
    shop.line.fault = lambda method, path: None
    assert shop.control(f"events/{event}/deliver")["statuses"] == [204]
    assert shop.story() == paid(shop)


def test_the_return_page_and_the_webhook_at_once_confirm_once(shop: Shop) -> None:
    """pretix #1189: return view and webhook raced, and the order was paid twice."""
    shop.control("faults", drop=True)
    alice = shop.browser()
    shop.pay(alice.choose("basic"))
    events = shop.events()
    answers: list[int | None] = []

    def ring() -> None:
        for event in events:
            answers.extend(shop.control(f"events/{event}/deliver", times=2, parallel=True)["statuses"])

    bell = threading.Thread(target=ring)
    bell.start()
    statuses = at_once(alice, shop.browser(), path=f"/payments/P-{shop.today.year}-000001/done")
    bell.join()
    assert (statuses, set(answers)) == ([200, 200], {204})
    assert shop.story() == paid(shop)


@on_sqlite
def test_a_failure_that_is_told_late_takes_nothing_from_a_fee_that_was_paid(shop: Shop) -> None:
    """woocommerce-gateway-stripe #902: `payment_failed` of the first card arrived after the second had paid, and the
    order became failed."""
    shop.control("faults", drop=True)
    checkout = shop.browser().choose("basic")
    shop.control(f"checkouts/{checkout}/decline")
    shop.pay(checkout)
    for event in [*shop.events("checkout.session.completed"), *shop.events("payment_intent.payment_failed")] * 2:
        assert shop.control(f"events/{event}/deliver")["statuses"] == [204]
    assert shop.story() == paid(shop)


@on_sqlite
@pytest.mark.parametrize("heard", ["the second only", "the first, twice", "by the sweep"])
def test_the_second_of_two_partial_refunds_is_booked_too(member: Shop, heard: str) -> None:
    """event-tickets #3095: the order had been refunded in part already, so the next refund was taken for the same."""
    member.control("faults", drop=True)
    for _ in range(2):
        member.control(f"charges/{member.charge()}/refund", amount=1000)
    first, second = member.events("charge.refunded")
    for event in {"the second only": [second], "the first, twice": [first, first]}.get(heard, []):
        member.control(f"events/{event}/deliver")
    if heard == "by the sweep":
        member.sweep()
    story = member.story()
    assert [line for line in story.ledger if "refund" in line] == ["refund_paid 1000 fees < provider"] * 2
    assert (story.status, [line.split()[1] for line in story.receipts]) == ("active", ["3000", "1000", "1000"])


@on_sqlite
def test_refunding_a_duplicate_leaves_the_payment_that_counts(shop: Shop) -> None:
    """pretix #343: the refund of the second of two payments cancelled the order that the first had paid."""
    checkout = shop.browser().choose("basic")
    run = shop.app.test_cli_runner().invoke(
        args=["payments", "record", "--person", "alice@example.org", "--tier", "basic", "--amount", "30.00",
              "--method", "cash", "--value-date", shop.today.isoformat()]
    )  # fmt: skip
    assert run.exit_code == 0, run.output
    shop.pay(checkout)  # before the worker could close the page
    assert shop.story().reasons == ["days_covered"]
    shop.control(f"charges/{shop.charge()}/refund")
    shop.quiet()
    story = shop.story()
    assert (story.status, story.terms) == ("active", [f"basic {a_year(shop.today)}"])
    assert sorted(story.payments) == ["paid", "refunded"]
    assert [line.split()[1] for line in story.receipts] == ["3000"]


@on_sqlite
def test_a_dispute_nobody_told_us_of_is_found_and_put_before_the_treasurer(member: Shop) -> None:
    """liberapay #1421: disputes went unnoticed, their money was counted as here."""
    member.control("faults", drop=True)
    member.control(f"charges/{member.charge()}/dispute")
    assert member.story().status == "active"
    member.sweep()
    story = member.story()
    assert (story.status, story.reasons) == ("suspended", ["dispute_open"])
    assert "dispute_withdrawn 3000 disputes < provider" in story.ledger
    page = member.browser("treasurer@example.org").get("/treasury")
    assert (page.status_code, "Alice Soler" in page.text) == (200, True)


@on_sqlite
def test_a_charge_told_ten_times_and_retried_extends_by_one_year(subscriber: Shop) -> None:
    """paid-memberships-pro #986: each retry of the webhook added a year, until 2035."""
    charge_on = to_the_eve(subscriber)
    next_charges(subscriber, "decline")
    subscriber.pass_days(2)
    next_charges(subscriber, "succeed")
    subscriber.control("faults", duplicate=10, shuffle=True, parallel=4)
    subscriber.pass_days(6, step=2)
    for event in subscriber.events("invoice.paid"):
        subscriber.control(f"events/{event}/deliver", times=10, parallel=True)
    story = subscriber.story()
    assert (len(story.terms), story.terms[1]) == (2, f"basic {a_year(charge_on)}")
    assert charges(subscriber) == [3000, 3000]


@on_sqlite
def test_a_renewal_that_is_cancelled_leaves_the_running_year(subscriber: Shop) -> None:
    """civicrm-core #8535: cancelling the recurring contribution cancelled the membership that was paid."""
    before = subscriber.story()
    subscriber.leap(100)
    answer = subscriber.browser().post("/account/auto-renewal/off", page="/account")
    assert answer.status_code == 303
    subscriber.work()
    assert subscription(subscriber)["status"] == "canceled"
    ends_on = date.fromisoformat(before.terms[0].rpartition(" ")[2])
    subscriber.leap((ends_on - subscriber.today).days)
    assert (subscriber.story().status, subscriber.story().terms) == ("active", before.terms)
    subscriber.leap(1)
    assert (subscriber.story().status, charges(subscriber)) == ("grace", [3000])


@on_sqlite
def test_a_worker_that_looks_every_day_charges_once_a_year(subscriber: Shop) -> None:
    """tendenci #1287: a membership that stayed due was charged again every night."""
    to_the_eve(subscriber)
    subscriber.pass_days(12)
    assert charges(subscriber) == [3000, 3000]
    next_charges(subscriber, "decline")
    to_the_eve(subscriber)
    subscriber.pass_days(60, step=4)
    next_charges(subscriber, "succeed")
    subscriber.pass_days(20, step=4)
    assert charges(subscriber) == [3000, 3000]
    assert (subscriber.story().status, renewal(subscriber).off_because) == ("lapsed", "unpaid")


@on_sqlite
def test_money_that_comes_after_the_wish_had_ended_is_the_treasurers_to_decide(subscriber: Shop) -> None:
    """Paid after cancel: the member had left, the provider had not heard of it, and the money bought another year."""
    to_the_eve(subscriber)
    subscriber.line.fault = lambda method, path: "down"
    assert subscriber.browser().post("/account/auto-renewal/off", page="/account").status_code == 303
    subscriber.control("faults", drop=True)
    subscriber.control("clock", add=2 * 86_400)  # it charges before we can say so
    subscriber.line.fault = lambda method, path: None
    subscriber.control("faults", drop=False)
    subscriber.leap(2)
    story = subscriber.story()
    assert (len(story.terms), story.reasons, charges(subscriber)) == (1, ["late_payment"], [3000, 3000])
    assert story.ledger[2].startswith("excess_received 3000 provider < unallocated")
    assert subscription(subscriber)["status"] == "canceled"


@on_sqlite
def test_an_upgrade_takes_the_price_that_was_shown_and_nothing_beside_it(subscriber: Shop) -> None:
    """Silent proration: changing the subscription's price made the provider charge a share nobody had been shown."""
    subscriber.leap(100)
    alice = subscriber.browser()
    shown = alice.get("/upgrade").text
    subscriber.pay(alice.choose("plus", "/upgrade"))
    subscriber.work()
    assert renewal(subscriber).fee_cents == 5000
    first, upgrade = charges(subscriber)
    assert first == 3000 and f"{upgrade // 100}.{upgrade % 100:02d}" in shown
    invoices = [subscriber.simulator.account.get("invoice", it) for it in subscriber._ids("invoice", "object", None)]
    assert {invoice["amount_due"] for invoice in invoices} == {0}  # of the trial that lasts until the year's end
    to_the_eve(subscriber)
    subscriber.pass_days(2)
    assert charges(subscriber) == [3000, upgrade, 5000]


@on_sqlite
def test_every_cent_of_a_payout_is_a_row_of_our_books(member: Shop) -> None:
    """woocommerce-payments #8588: what arrived at the bank could not be told from the orders."""
    first = member.charge()
    member.pay(member.browser().choose("plus", "/renew"))
    member.control(f"charges/{member.charge()}/refund", amount=1234)
    member.control(f"charges/{first}/dispute")
    member.quiet()
    member.control(f"disputes/{member._ids('dispute', 'object', None)[-1]}/won")
    member.leap(5)
    payout = member.control("payouts")
    account = member.simulator.account
    ours: Counter[str] = Counter()
    with member.books():
        for row in rows_on_our_account():
            ours[str(row.provider_id)] += row.amount_cents if row.debit == "provider" else -row.amount_cents
    moves = [account.get("balance_transaction", it) for it in payouts.movements_of(account, payout["id"])]
    theirs: Counter[str] = Counter()
    for move in moves:
        if move["type"] != "payout":
            theirs[move["id"] if move["type"] == "adjustment" else move["source"]] += move["net"]
    assert theirs == ours
    assert payout["amount"] == sum(ours.values()) > 0


def rows_on_our_account() -> list[LedgerEntry]:
    """All that moved on our account at the provider."""
    on_provider = (LedgerEntry.debit == "provider") | (LedgerEntry.credit == "provider")
    return list(db.session.execute(select(LedgerEntry).where(on_provider)).scalars())
