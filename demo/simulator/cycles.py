"""What time does to a subscription: its periods end and begin, and unpaid invoices have consequences."""

from demo.simulator import collection
from demo.simulator.account import DAY, Account, Change
from demo.simulator.invoice_results import RETRY_DAYS
from demo.simulator.invoices import announce, subscription_id_of, subscription_invoice
from demo.simulator.periods import boundary_after
from demo.simulator.store import Stored
from demo.simulator.subscriptions import OVER, end, expire, note, with_items

UPCOMING_DAYS = 7
TRIAL_WILL_END_DAYS = 3
INCOMPLETE_HOURS = 23
RUNNING = ("active", "past_due", "trialing", "unpaid")
AFTER_RETRIES = ("cancel", "past_due", "unpaid")


def follow(account: Account) -> None:
    account.on_due |= {
        "end_period": end_period,
        "announce_invoice": announce_invoice,
        "announce_trial_end": announce_trial_end,
        "expire_subscription": expire_incomplete,
        "resume_collection": resume_collection,
    }
    for kind, work in (
        ("invoice.paid", invoice_paid),
        ("invoice.payment_failed", invoice_failed),
        ("customer.deleted", customer_deleted),
        ("payment_method.detached", method_detached),
    ):
        account.followers.setdefault(kind, []).append(work)


def expect(account: Account, change: Change, subscription: Stored) -> None:
    """Order what the running period will bring. What was ordered for another period finds it gone."""
    end_of_period = subscription["items"]["data"][0]["current_period_end"]
    account.at(end_of_period, "end_period", subscription["id"])
    if end_of_period - UPCOMING_DAYS * DAY > account.now():
        account.at(end_of_period - UPCOMING_DAYS * DAY, "announce_invoice", subscription["id"])
    if subscription["status"] == "trialing":
        warning = subscription["trial_end"] - TRIAL_WILL_END_DAYS * DAY
        if warning > account.now():
            account.at(warning, "announce_trial_end", subscription["id"])
        else:
            change.emit("customer.subscription.trial_will_end", subscription)


def end_period(account: Account, change: Change, subscription_id: str) -> None:
    subscription = account.get("subscription", subscription_id)
    items = subscription["items"]["data"]
    if subscription["status"] not in RUNNING or items[0]["current_period_end"] != account.now():
        return
    if subscription["cancel_at_period_end"]:
        end(account, change, subscription, "cancellation_requested")
    else:
        renew(account, change, subscription)


def renew(account: Account, change: Change, subscription: Stored) -> None:
    """The next period begins, with a draft invoice for it."""
    anchor = subscription["billing_cycle_anchor"]
    old = subscription["items"]["data"]
    behind = (old[0]["current_period_start"], old[0]["current_period_end"])
    items = [
        item
        | {
            "current_period_start": behind[1],
            "current_period_end": boundary_after(anchor, item["price"]["recurring"], behind[1]),
        }
        for item in old
    ]
    renewed = subscription | {"items": with_items(subscription, items)}
    invoice = subscription_invoice(account, change, renewed, "subscription_cycle", behind)
    status = "active" if subscription["status"] == "trialing" else subscription["status"]
    note(change, subscription, items=renewed["items"], latest_invoice=invoice["id"], status=status)
    if status == "unpaid":
        change.save(invoice | {"auto_advance": False})
    else:
        collection.leave_as_draft(account, change, invoice)
    expect(account, change, subscription)


def announce_invoice(account: Account, change: Change, subscription_id: str) -> None:
    subscription = account.get("subscription", subscription_id)
    left = subscription["items"]["data"][0]["current_period_end"] - account.now()
    if subscription["status"] in RUNNING and left == UPCOMING_DAYS * DAY and not subscription["cancel_at_period_end"]:
        announce(account, change, subscription)


def announce_trial_end(account: Account, change: Change, subscription_id: str) -> None:
    subscription = account.get("subscription", subscription_id)
    if subscription["status"] == "trialing" and subscription["trial_end"] - account.now() == TRIAL_WILL_END_DAYS * DAY:
        change.emit("customer.subscription.trial_will_end", subscription)


def expire_incomplete(account: Account, change: Change, subscription_id: str) -> None:
    subscription = account.get("subscription", subscription_id)
    if subscription["status"] == "incomplete":
        expire(account, change, subscription)


def resume_collection(account: Account, change: Change, subscription_id: str) -> None:
    subscription = account.get("subscription", subscription_id)
    pause = subscription["pause_collection"]
    if subscription["status"] not in OVER and pause and pause["resumes_at"] == account.now():
        note(change, subscription, pause_collection=None)


def invoice_paid(account: Account, change: Change, invoice: Stored) -> None:
    """Paying the newest invoice puts the subscription in order again."""
    subscription = _of(account, invoice)
    if subscription and subscription["status"] in ("incomplete", "past_due", "unpaid"):
        if subscription["latest_invoice"] == invoice["id"]:
            note(change, subscription, status="active")


def invoice_failed(account: Account, change: Change, invoice: Stored) -> None:
    """Past due while the provider tries again; then what the account is set to do."""
    subscription = _of(account, invoice)
    if subscription is None or subscription["status"] not in ("active", "past_due", "trialing"):
        return
    note(change, subscription, status="past_due")
    if invoice["next_payment_attempt"] is None and invoice["attempt_count"] > len(RETRY_DAYS):
        then = after_retries(account)
        if then == "cancel":
            end(account, change, subscription, "payment_failed")
        elif then == "unpaid":
            note(change, subscription, status="unpaid")


def after_retries(account: Account) -> str:
    """What becomes of a subscription whose last retry failed: one of AFTER_RETRIES."""
    return str(account.store.setting("after_retries", "cancel"))


def customer_deleted(account: Account, change: Change, customer: Stored) -> None:
    for subscription in _where(account, "customer", customer["id"]):
        if subscription["status"] not in OVER:
            end(account, change, subscription, "cancellation_requested")


def method_detached(account: Account, change: Change, method: Stored) -> None:
    for subscription in _where(account, "default_payment_method", method["id"]):
        note(change, subscription, default_payment_method=None)


def _of(account: Account, invoice: Stored) -> Stored | None:
    subscription_id = subscription_id_of(invoice)
    return account.get("subscription", subscription_id) if subscription_id else None


def _where(account: Account, name: str, value: str) -> list[Stored]:
    rows = account.store.rows(
        "SELECT id FROM object WHERE kind = 'subscription' AND json_extract(body, '$.' || ?) = ? ORDER BY seq",
        name,
        value,
    )
    return [account.get("subscription", row["id"]) for row in rows]
