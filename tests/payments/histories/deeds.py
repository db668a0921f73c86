"""What is done while somebody may pull the plug: each deed with what comes before it, and what happens anyway after.

Payments are numbered from P-2027-000001 on, since every deed begins on the same first day.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app import clock
from app.jobs import tick, work_off
from app.payments import hearing
from demo.simulator.server import SIGNING_KEY
from demo.simulator.webhooks import signature
from tests.payments.histories.before import (
    GIFT,
    TRANSFER,
    Act,
    a_debit,
    cash,
    cash_is_paid,
    charge_fails,
    charge_is_due,
    chooses,
    days_pass,
    device_is_removed,
    gift_goes_back,
    gift_is_accepted,
    gift_is_seen,
    gift_link,
    happens,
    is_given,
    is_member,
    last_retry_fails,
    looks_at,
    much_is_to_tidy,
    ordered,
    page_of_the_queue,
    paid_otherwise,
    pass_says_something_old,
    pays,
    photo_is_refused,
    posts,
    renews_by_itself,
    service_is_told,
    sweep,
    then,
    unallocated,
    way_of_paying_is_kept,
)
from tests.payments.histories.house import House

FIRST = "P-2027-000001"
Doing = Callable[[House], Callable[[], object]]


@dataclass(frozen=True)
class Deed:
    """`prepare` comes before, `do` makes what dies, `again` is what happens anyway when it had not been answered.

    `jobs` are those that a worker does in it, among others.
    """

    prepare: Act
    do: Doing
    again: Act = lambda house: None
    jobs: tuple[str, ...] = ()


# What dies.


def works(house: House) -> Callable[[], object]:
    def work() -> None:
        with house.books():
            clock.forget()
            tick(clock.now(), "dying")
            work_off(clock.now)

    return work


def sweeps(house: House) -> Callable[[], object]:
    def sweep() -> None:
        with house.books():
            hearing.sweep()

    return sweep


def hears(kind: str) -> Doing:
    """A web worker gets the provider's newest event of a kind."""

    def do(house: House) -> Callable[[], object]:
        event = [it for it in house.objects("event") if it["type"] == kind][-1]
        body = json.dumps(event).encode()
        headers = {"Stripe-Signature": signature(body, SIGNING_KEY, int(datetime.now(UTC).timestamp()))}
        return lambda: _answer(house, "/stripe/webhook", method="POST", data=body, headers=headers)

    return do


def asks(
    method: str, path: str | Callable[[House], str], data: dict[str, str] | None = None, name: str = "ana"
) -> Doing:
    """A web worker answers somebody's browser, in which the page is open."""

    def do(house: House) -> Callable[[], object]:
        visitor, address = house.visitor(name), path if isinstance(path, str) else path(house)
        headers = {"Cookie": "; ".join(f"{it.name}={it.value}" for it in visitor.session.cookies)}
        form = {"csrf_token": visitor.token, **(data or {})} if method == "POST" else None
        return lambda: _answer(house, address, method=method, data=form, headers=headers)

    return do


def _answer(house: House, path: str, **request: Any) -> None:
    answer = house.app.test_client(use_cookies=False).open(path, base_url=house.shop.url, **request)
    assert answer.status_code in (200, 204, 302, 303), answer.text


# What happens anyway.


def rings_again(kind: str) -> Act:
    return lambda house: hears(kind)(house)()


def presses_again(
    method: str, path: str | Callable[[House], str], data: dict[str, str] | None = None, name: str = "ana"
) -> Act:
    def again(house: House) -> None:
        visitor, address = house.visitor(name), path if isinstance(path, str) else path(house)
        visitor.get(address) if method == "GET" else visitor.post(address, data, page="")

    return again


def heard(prepare: Act, kind: str) -> Deed:
    """The provider's news is settled by a web worker, and sent again."""
    return Deed(prepare, hears(kind), rings_again(kind))


def answered(
    prepare: Act, method: str, path: str | Callable[[House], str], data: dict[str, str] | None = None,
    name: str = "ana",
) -> Deed:  # fmt: skip
    """Somebody's browser is answered by a web worker, and asks again."""
    return Deed(prepare, asks(method, path, data, name), presses_again(method, path, data, name))


def worked(prepare: Act, *names: str) -> Deed:
    """A worker does what there is to do, and another goes on."""
    return Deed(prepare, works, jobs=names)


WITHDRAWAL = f"/account/payments/{FIRST}/withdraw"
COMPLETED = "checkout.session.completed"
DISPUTED = then(is_member, happens("charges", "charge", "dispute"))
REFUNDED = then(is_member, happens("charges", "charge", "refund"))


def recorded(amount: str, method: str, what: str = "tier:basic") -> dict[str, str]:
    return {"what": what, "amount": amount, "method": method, "value_on": "2027-03-01"}


def form_of_ana(house: House) -> str:
    return f"/treasury/record?person={house.numbers['ana']}"


def opens_the_form(house: House) -> None:
    looks_at(form_of_ana(house), "treasurer")(house)


DEEDS = {
    # Checkouts.
    "a checkout is opened": answered(looks_at("/join"), "POST", "/join", {"tier": "plus", "auto_renewal": "y"}),
    "another tier is chosen": answered(
        then(posts("/join", {"tier": "basic"}), looks_at("/join")), "POST", "/join", {"tier": "plus"}
    ),
    "a paid checkout is heard of": heard(pays, COMPLETED),
    "somebody comes back from paying": answered(pays, "GET", f"/payments/{FIRST}/done"),
    "the sweep finds a paid checkout": Deed(lambda house: pays(house, auto_renewal="y"), sweeps),
    "a worker sweeps": worked(pays, "sweep_payments", "mail_receipt", "membership_changed", "erase_old_scans"),
    "a page that ran out is heard of": heard(lambda house: chooses(house, "expire"), "checkout.session.expired"),
    "an open page is closed": worked(paid_otherwise, "close_checkout"),
    # Debits.
    "a debit on its way is heard of": heard(lambda house: chooses(house, "debit"), COMPLETED),
    "the letter about a debit": worked(a_debit("debit"), "mail_debit_pending"),
    "a debit that arrived is heard of": heard(
        then(a_debit("debit"), days_pass(3), happens("charges", "charge", "arrive")),
        "checkout.session.async_payment_succeeded",
    ),
    "a debit that failed is heard of": heard(
        then(a_debit("debit"), days_pass(3), happens("charges", "charge", "fail")),
        "checkout.session.async_payment_failed",
    ),
    "the letter about a debit that failed": worked(
        then(a_debit("debit"), happens("charges", "charge", "fail"), sweep), "mail_not_paid"
    ),
    # Upgrades and gifts.
    "a higher tier is chosen": answered(then(is_member, looks_at("/upgrade")), "POST", "/upgrade", {"tier": "plus"}),
    "a paid upgrade is heard of": heard(
        then(is_member, lambda house: pays(house, page="/upgrade", tier="plus")), COMPLETED
    ),
    "a gift is chosen": answered(
        looks_at("/gift"), "POST", "/gift", {"tier": "basic", **{k: v for k, v in GIFT.items() if k != "page"}}
    ),
    "a paid gift is heard of": heard(lambda house: pays(house, **GIFT), COMPLETED),
    "the letters about a gift": worked(is_given, "mail_gift"),
    "a gift is accepted": answered(gift_is_seen, "POST", gift_link, name="bo"),
    "the letters about a gift that was accepted": worked(gift_is_accepted, "mail_gift_accepted"),
    "the letters about a gift whose money went back": worked(gift_goes_back, "mail_gift_ended"),
    # Renewing by itself.
    "the first letters and a wish to renew": worked(
        lambda house: (pays(house, auto_renewal="y"), house.sweep()), "switch_on_auto_renewal", "align_auto_renewal"
    ),
    "somebody comes back from having a card kept": answered(
        way_of_paying_is_kept, "GET",
        lambda house: f"/account/auto-renewal/done?checkout={house.objects('checkout.session')[-1]['id']}",
    ),
    "a card that was kept is heard of": heard(way_of_paying_is_kept, COMPLETED),
    "a charge is announced": worked(
        then(renews_by_itself, days_pass(345)), "announce_renewals", "mail_renewal_notice"
    ),
    "a subscription's charge is heard of": heard(then(renews_by_itself, charge_is_due), "invoice.paid"),
    "a charge that failed is heard of": heard(charge_fails, "invoice.payment_failed"),
    "the letter about a charge that failed": worked(then(charge_fails, sweep), "mail_renewal_failed"),
    "the last retry has failed": worked(last_retry_fails, "mail_renewal_stopped"),
    "renewing by itself is switched off": answered(
        then(renews_by_itself, looks_at("/account")), "POST", "/account/auto-renewal/off"
    ),
    "a subscription is ended": worked(
        then(renews_by_itself, posts("/account/auto-renewal/off", page="/account")), "align_auto_renewal"
    ),
    # Money that goes back.
    "a refund made there is heard of": heard(REFUNDED, "charge.refunded"),
    "a refund that failed is heard of": heard(then(REFUNDED, sweep, happens("refunds", "refund", "fail")), "refund.failed"),  # noqa: E501
    "the letters about a refund that failed": worked(
        then(REFUNDED, sweep, happens("refunds", "refund", "fail"), sweep), "mail_rectified", "mail_receipt_again"
    ),
    "the treasurer gives a fee back": answered(
        then(is_member, looks_at(f"/treasury/payments/{FIRST}", "treasurer")), "POST",
        f"/treasury/payments/{FIRST}/refund", {"amount": ""}, "treasurer",
    ),
    "the treasurer gives cash back": answered(
        then(cash_is_paid, looks_at(f"/treasury/payments/{FIRST}", "treasurer")), "POST",
        f"/treasury/payments/{FIRST}/refund", {"amount": ""}, "treasurer",
    ),
    "somebody withdraws": answered(then(is_member, looks_at(WITHDRAWAL)), "POST", WITHDRAWAL),
    "a refund is sent": worked(then(is_member, posts(WITHDRAWAL)), "send_refund", "mail_withdrawal"),
    "a dispute is heard of": heard(DISPUTED, "charge.dispute.created"),
    "the letter about a dispute": worked(then(DISPUTED, sweep), "mail_on_hold"),
    "a won dispute is heard of": heard(
        then(DISPUTED, sweep, happens("disputes", "dispute", "won")), "charge.dispute.closed"
    ),
    "the letter about a won dispute": worked(
        then(DISPUTED, sweep, happens("disputes", "dispute", "won"), sweep), "mail_off_hold"
    ),
    "a lost dispute is heard of": heard(
        then(DISPUTED, sweep, happens("disputes", "dispute", "lost")), "charge.dispute.closed"
    ),
    # By hand.
    "a transfer is ordered": answered(looks_at("/join"), "POST", *TRANSFER),
    "the letter about a transfer": worked(ordered, "mail_transfer_order"),
    "an order is cancelled": answered(
        then(ordered, looks_at(f"/payments/{FIRST}/transfer")), "POST", f"/payments/{FIRST}/cancel"
    ),
    "part of a transfer is recorded": answered(
        then(ordered, opens_the_form), "POST", form_of_ana, recorded("10.00", "transfer", f"order:{FIRST}"),
        "treasurer",
    ),
    "the letter about the rest": worked(then(ordered, lambda house: cash(house, "10.00", "transfer")), "mail_rest_due"),
    "cash is recorded": answered(opens_the_form, "POST", form_of_ana, recorded("30.00", "cash"), "treasurer"),
    # The queue.
    "the letter about money that fits nothing": worked(unallocated, "mail_unallocated"),
    "the treasurer sends money back": answered(
        page_of_the_queue, "POST", "/treasury/queue/1", {"resolution": "refunded", "note": ""}, "treasurer"
    ),
    "the treasurer lets money buy the next year": answered(
        page_of_the_queue, "POST", "/treasury/queue/1", {"resolution": "allocated", "note": ""}, "treasurer"
    ),
    # Letters of other kinds.
    "reminders are sent": worked(then(is_member, days_pass(359)), "remind", "mail_reminder"),
    "a photo is refused": worked(photo_is_refused, "mail_photo_refused"),
    "a wallet is told": worked(pass_says_something_old, "refresh_wallets", "refresh_wallet", "tell_wallet"),
    "a service is told": worked(
        service_is_told, "announce_to_services", "benefits_changed", "deliver_due_webhooks", "deliver_webhooks",
        "erase_old_webhooks", "mail_webhook_disabled", "note_met_by_services", "tell_of_disabled_webhook",
    ),
    "a device is sent away": worked(device_is_removed, "wifi_disconnect", "wifi_disconnect_at"),
    "what is old is tidied": worked(
        much_is_to_tidy, "count_wifi_months", "erase_idempotent_answers", "erase_openid_tokens", "tidy_benefits",
        "tidy_wifi",
    ),
    "a link to sign in is sent": worked(posts("/sign-in", {"email": "bo@example.org"}, "bo"), "mail_sign_in"),
}  # fmt: skip
