"""Invoices on the simulator: drafts, payments without the payer, further tries, and what is owed beside."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe

from tests.demo.billing import DAY, Billing

TRIES = (0, 3, 8, 15, 22)
HOUR = 3600


@pytest.fixture
def due(billing: Billing) -> Callable[..., Any]:
    """A subscription whose first real invoice is a draft right now; the way decides how it will be paid."""

    def make(way: str = "accepted", **more: Any) -> Any:
        customer = billing.customer(way)
        subscription = billing.subscribe(customer, trial_end=billing.account.now() + 4 * DAY, **more)
        billing.days(4)
        return subscription

    return make


def test_an_invoice_is_a_draft_for_an_hour(billing: Billing, due: Any) -> None:
    draft = billing.invoices(due())[1]
    assert (draft.status, draft.number, draft.attempted) == ("draft", None, False)
    assert draft.automatically_finalizes_at == draft.created + HOUR
    billing.days(1 / 24)
    paid = billing.api.invoices.retrieve(draft.id)
    assert (paid.status, paid.amount_remaining, paid.attempt_count) == ("paid", 0, 1)
    assert paid.number and paid.number.endswith("-0002")
    assert billing.types("invoice.", "payment_intent.", "charge.")[-8:] == [
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
        "charge.updated",
    ]


def test_an_invoice_names_its_subscription_and_what_was_noted_on_it(billing: Billing, due: Any) -> None:
    subscription = due(metadata={"person": "7"})
    invoice = billing.invoices(subscription)[1]
    details = invoice.parent.subscription_details
    assert (details.subscription, details.metadata["person"]) == (subscription.id, "7")
    billing.api.subscriptions.update(subscription.id, {"metadata": {"person": "8"}})
    assert billing.api.invoices.retrieve(invoice.id).parent.subscription_details.metadata["person"] == "7"
    [line] = invoice.lines.data
    assert line.description == "1 × Basic membership (at €30.00 / year)"
    item = billing.again(subscription)["items"].data[0]
    assert (line.period.start, line.period.end) == (item.current_period_start, item.current_period_end)
    assert line.parent.subscription_item_details.proration is False
    assert [same.id for same in billing.api.invoices.line_items.list(invoice.id).data] == [line.id]


def test_one_finds_the_payment_of_an_invoice_and_the_invoice_of_a_payment(billing: Billing, due: Any) -> None:
    subscription = due()
    billing.days(1)
    invoice = billing.invoices(subscription)[1]
    assert "payments" not in invoice.to_dict()
    [payment] = billing.api.invoices.retrieve(invoice.id, {"expand": ["payments"]}).payments.data
    intent = billing.api.payment_intents.retrieve(payment.payment.payment_intent)
    assert (payment.status, payment.amount_paid, intent.amount, intent.status) == ("paid", 3000, 3000, "succeeded")
    asked: Any = {"payment": {"type": "payment_intent", "payment_intent": intent.id}}
    assert [found.invoice for found in billing.api.invoice_payments.list(asked).data] == [invoice.id]
    asked["payment"]["payment_intent"] = "pi_of_somebody_else"
    assert billing.api.invoice_payments.list(asked).data == []


def test_a_declined_renewal_is_tried_four_times_more_and_then_ends_the_subscription(billing: Billing, due: Any) -> None:
    subscription = due("declined_later")
    first = subscription.trial_end + HOUR
    billing.days(1)
    assert billing.again(subscription).status == "past_due"
    invoice = billing.invoices(subscription)[1]
    assert (invoice.status, invoice.attempt_count, invoice.next_payment_attempt) == ("open", 1, first + 3 * DAY)
    billing.days(22)
    failures = billing.told("invoice.payment_failed")
    assert [event.created for event in failures] == [first + days * DAY for days in TRIES]
    assert [event.data.object["attempt_count"] for event in failures] == [1, 2, 3, 4, 5]
    assert failures[-1].data.object["next_payment_attempt"] is None
    ended = billing.again(subscription)
    assert (ended.status, ended.ended_at) == ("canceled", failures[-1].created)
    assert ended.cancellation_details.reason == "payment_failed"
    assert len(billing.api.payment_intents.list().data) == 1
    assert len(billing.api.charges.list().data) == 5
    billing.days(400)
    assert len(billing.invoices(subscription)) == 2


@pytest.mark.parametrize("then", ["unpaid", "past_due"])
def test_the_account_may_keep_a_subscription_that_was_not_paid(
    billing: Billing, due: Any, control: Callable[..., Any], then: str
) -> None:
    assert control("retries", then=then) == {"then": then}
    subscription = due("declined_later", interval="month")
    billing.days(25)
    assert billing.again(subscription).status == then
    billing.days(10)
    [draft] = billing.invoices(subscription)[2:]
    assert draft.status == ("draft" if then == "unpaid" else "open")


def test_a_new_card_pays_what_was_declined(billing: Billing, due: Any) -> None:
    subscription = due("declined_later")
    billing.days(1)
    method = billing.method(subscription.customer)
    billing.api.customers.update(subscription.customer, {"invoice_settings": {"default_payment_method": method}})
    billing.days(3)
    assert billing.again(subscription).status == "active"
    invoice = billing.invoices(subscription)[1]
    assert (invoice.status, invoice.attempt_count, invoice.next_payment_attempt) == ("paid", 2, None)


def test_a_decline_by_hand_is_answered_and_leaves_the_plan_of_further_tries(billing: Billing, due: Any) -> None:
    subscription = due("declined_later")
    billing.days(1)
    invoice = billing.invoices(subscription)[1]
    with pytest.raises(stripe.CardError) as refusal:
        billing.api.invoices.pay(invoice.id)
    assert (refusal.value.http_status, refusal.value.code) == (402, "card_declined")
    after = billing.api.invoices.retrieve(invoice.id)
    assert (after.attempt_count, after.next_payment_attempt) == (1, invoice.next_payment_attempt)
    method = billing.method(subscription.customer)
    assert billing.api.invoices.pay(invoice.id, {"payment_method": method}).status == "paid"
    assert billing.again(subscription).status == "active"
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        billing.api.invoices.pay(invoice.id)


def test_a_debit_leaves_the_invoice_open_until_the_bank_answers(billing: Billing, due: Any) -> None:
    subscription = due("debit")
    billing.days(1)
    invoice = billing.invoices(subscription)[1]
    assert (invoice.status, billing.again(subscription).status) == ("open", "active")
    assert [intent.status for intent in billing.api.payment_intents.list().data] == ["processing"]
    billing.days(7)
    assert billing.api.invoices.retrieve(invoice.id).status == "paid"
    assert billing.again(subscription).status == "active"


def test_a_debit_that_runs_is_not_started_again(billing: Billing, due: Any) -> None:
    subscription = due("declined_later")
    billing.days(2.5)
    invoice = billing.invoices(subscription)[1]
    billing.api.invoices.pay(invoice.id, {"payment_method": billing.method(subscription.customer, "debit")})
    billing.days(2)
    assert [charge.status for charge in billing.api.charges.list().data] == ["pending", "failed"]
    billing.days(6)
    assert [charge.status for charge in billing.api.charges.list().data] == ["succeeded", "failed"]
    assert billing.again(subscription).status == "active"


def test_a_debit_that_fails_days_later_makes_the_subscription_past_due(billing: Billing, due: Any) -> None:
    subscription = due("debit_fails")
    billing.days(7)
    invoice = billing.invoices(subscription)[1]
    assert (invoice.status, billing.again(subscription).status) == ("open", "past_due")
    assert invoice.next_payment_attempt is not None
    billing.days(60)
    assert billing.again(subscription).status == "canceled"
    assert billing.api.invoices.retrieve(invoice.id).attempt_count == 5
    assert [charge.status for charge in billing.api.charges.list().data] == ["failed"] * 5


def test_nothing_to_charge_is_a_failed_attempt(billing: Billing) -> None:
    subscription = billing.subscribe(billing.customer(None), trial_end=billing.account.now() + 4 * DAY)
    billing.days(5)
    assert billing.again(subscription).status == "past_due"
    invoice = billing.invoices(subscription)[1]
    assert (invoice.attempt_count, billing.api.payment_intents.list().data) == (1, [])
    with pytest.raises(stripe.InvalidRequestError, match="no `default_payment_method`"):
        billing.api.invoices.pay(invoice.id)


def test_a_person_pays_what_was_declined_on_the_page_of_the_invoice(billing: Billing, due: Any) -> None:
    subscription = due("declined_later")
    draft = billing.invoices(subscription)[1]
    page = f"{billing.account.public_url}/invoices/{draft.id}"
    assert requests.get(page, timeout=10).status_code == 404
    billing.days(1)
    invoice = billing.invoices(subscription)[1]
    assert invoice.hosted_invoice_url == page
    assert "Pay €30.00 by card" in requests.get(page, timeout=10).text
    refused = requests.post(page, data={"way": "declined"}, timeout=10)
    assert refused.status_code == 402 and "Your card was declined." in refused.text
    for _ in range(2):
        assert requests.post(page, data={"way": "accepted"}, timeout=10).status_code == 200
    assert "This invoice is paid." in requests.get(page, timeout=10).text
    assert billing.again(subscription).status == "active"
    assert [charge.status for charge in billing.api.charges.list().data] == ["succeeded", "failed", "failed"]


def test_a_void_invoice_is_not_tried_again(billing: Billing, due: Any) -> None:
    subscription = due("declined_later")
    billing.days(1)
    invoice = billing.invoices(subscription)[1]
    assert billing.api.invoices.void_invoice(invoice.id).status == "void"
    billing.days(30)
    assert len(billing.api.charges.list().data) == 1
    with pytest.raises(stripe.InvalidRequestError):
        billing.api.invoices.pay(invoice.id)


def test_a_cancelled_subscription_is_not_charged_for_its_open_invoice(billing: Billing, due: Any) -> None:
    subscription = due("declined_later")
    billing.api.subscriptions.cancel(subscription.id)
    billing.days(30)
    assert billing.api.charges.list().data == []
    assert [invoice.status for invoice in billing.invoices(subscription)] == ["paid", "draft"]


def test_an_invoice_of_single_items_is_made_finalised_and_paid_by_hand(billing: Billing) -> None:
    customer = billing.customer()
    for cents in (1500, -500):
        item: Any = {"customer": customer, "amount": cents, "currency": "eur", "description": "Book"}
        billing.api.invoice_items.create(item)
    draft = billing.api.invoices.create({"customer": customer})
    assert (draft.status, draft.total, len(draft.lines.data)) == ("draft", 1000, 2)
    assert billing.api.invoices.create({"customer": customer}).total == 0
    assert billing.api.invoices.finalize_invoice(draft.id).status == "open"
    with pytest.raises(stripe.InvalidRequestError, match="already finalized"):
        billing.api.invoices.finalize_invoice(draft.id)
    assert billing.api.invoices.pay(draft.id).amount_paid == 1000


def test_invoices_are_found_by_customer_status_and_subscription(billing: Billing, due: Any) -> None:
    subscription, other = due(), due("declined_later")
    billing.days(1)
    failed = billing.invoices(other)[1]
    found = billing.api.invoices.list({"status": "open"})
    assert [invoice.id for invoice in found.data] == [failed.id]
    both = billing.api.invoices.list({"customer": subscription.customer, "subscription": other.id})
    assert both.data == []
    assert len(billing.api.invoices.list({"customer": subscription.customer, "status": "paid"}).data) == 2
