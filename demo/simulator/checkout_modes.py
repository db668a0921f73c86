"""What completing a Checkout session does when nothing is sold once: a method is saved, or a subscription begins."""

from demo.simulator import methods, setups, subscribing
from demo.simulator.account import Account, Change
from demo.simulator.cards import Decline
from demo.simulator.invoice_lines import new_invoice_item
from demo.simulator.lines import order_of
from demo.simulator.store import Stored


def follow(account: Account) -> None:
    account.on_checkout |= {"setup": save_method, "subscription": subscribe}
    account.followers.setdefault("invoice.paid", []).append(_debit_arrived)
    account.followers.setdefault("invoice.payment_failed", []).append(_debit_failed)


def save_method(account: Account, change: Change, session: Stored, method: Stored, decline: Decline | None) -> str:
    """The session's `payment_status`. A card that is refused at once is not saved."""
    setup = account.get("setup_intent", session["setup_intent"])
    setup["customer"] = session["customer"]
    if decline:
        setups.fail(change, setup, method, decline.message)
    else:
        setups.succeed(account, change, setup, method)
    return "no_payment_required"


def subscribe(account: Account, change: Change, session: Stored, method: Stored, decline: Decline | None) -> str:
    """The session's `payment_status`. Nothing is subscribed to with a card that is refused."""
    if decline:
        return "unpaid"
    methods.attach(account, change, {"customer": session["customer"]}, method["id"])
    order = order_of(account, session)
    items = []
    for line in order["line_items"]:
        price = line["price"]
        if price["recurring"]:
            items.append({"price": price["id"], "quantity": line["quantity"]})
        else:
            _owe(account, change, session, line)
    wanted = order["subscription_data"] | {
        "customer": session["customer"],
        "default_payment_method": method["id"],
        "items": items,
    }
    subscription = subscribing.create_subscription(account, change, wanted, off_session=False)
    session.update(subscription=subscription["id"], invoice=subscription["latest_invoice"])
    invoice = account.get("invoice", session["invoice"])
    if invoice["amount_due"] == 0:
        return "no_payment_required"
    return "paid" if invoice["status"] == "paid" else "unpaid"


def _owe(account: Account, change: Change, session: Stored, line: Stored) -> None:
    """What is sold once stands on the first invoice."""
    now = account.now()
    price = line["price"]
    item = new_invoice_item(
        account,
        session["customer"],
        line["amount_total"],
        line["currency"],
        (now, now),
        price=price,
        quantity=line["quantity"],
    )
    change.save(item | {"description": line["description"]})


def _debit_arrived(account: Account, change: Change, invoice: Stored) -> None:
    _tell(account, change, invoice, "paid", "checkout.session.async_payment_succeeded")


def _debit_failed(account: Account, change: Change, invoice: Stored) -> None:
    _tell(account, change, invoice, "unpaid", "checkout.session.async_payment_failed")


def _tell(account: Account, change: Change, invoice: Stored, payment_status: str, event: str) -> None:
    """A first invoice that was still being debited when its session was completed."""
    rows = account.store.rows(
        "SELECT id FROM object WHERE kind = 'checkout.session' AND json_extract(body, '$.invoice') = ?"
        " AND json_extract(body, '$.payment_status') = 'unpaid'",
        invoice["id"],
    )
    for row in rows:
        session = account.get("checkout.session", row["id"]) | {"payment_status": payment_status}
        change.save(session)
        change.emit(event, session)
