"""What happens to a Checkout session: it is paid, a card is declined, or it expires."""

from demo.simulator import charges, intents
from demo.simulator.account import Account, Change
from demo.simulator.cards import Payer
from demo.simulator.customers import create_customer
from demo.simulator.errors import ApiError
from demo.simulator.lines import intent_data_of
from demo.simulator.store import Stored


def pay_checkout(account: Account, change: Change, session_id: str, payer: Payer) -> Stored:
    """Pay with the accepted card. Paying a paid one changes nothing and answers the same session."""
    session = account.get("checkout.session", session_id, "session")
    if session["status"] == "complete":
        return session
    _require_open(session, "paid")
    if session["customer_creation"] == "always" and session["customer"] is None:
        customer = create_customer(account, change, {k: v for k, v in payer.items() if v})
        session["customer"] = customer["id"]
    intent = _intent_of(account, change, session)
    intent["customer"] = session["customer"]
    charge = intents.succeed(account, change, intent, payer)
    session.update(
        status="complete",
        payment_status="paid",
        url=None,
        customer_details={
            "address": charge["billing_details"]["address"],
            "business_name": None,
            "email": payer["email"],
            "individual_name": None,
            "name": payer["name"],
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
    )
    change.save(session)
    change.emit("checkout.session.completed", session)
    if not account.faults.late_fees:
        charges.book_fee(account, change, charge)
    return session


def decline_checkout(account: Account, change: Change, session_id: str, payer: Payer) -> Stored:
    """Try the card that is declined. The session stays open for another card."""
    session = account.get("checkout.session", session_id, "session")
    _require_open(session, "paid")
    intents.fail(account, change, _intent_of(account, change, session), payer)
    return change.save(session)


def expire_checkout(account: Account, change: Change, session_id: str) -> Stored:
    session = account.get("checkout.session", session_id, "session")
    _require_open(session, "expired")
    session.update(status="expired", url=None)
    change.save(session)
    change.emit("checkout.session.expired", session)
    if session["payment_intent"]:
        intents.cancel(account, change, account.get("payment_intent", session["payment_intent"]))
    return session


def expire_overdue(account: Account) -> None:
    """Expire every open session whose time is over, by the simulated clock."""
    overdue = account.store.rows(
        "SELECT id FROM object WHERE kind = 'checkout.session' AND json_extract(body, '$.status') = 'open'"
        " AND json_extract(body, '$.expires_at') <= ? ORDER BY seq",
        account.now(),
    )
    for row in overdue:
        with account.change() as change:
            if account.get("checkout.session", row["id"])["status"] == "open":
                expire_checkout(account, change, row["id"])


def payer_of(account: Account, session: Stored, email: str | None = None, name: str | None = None) -> Payer:
    """Who pays: what was typed on the page, else what the session or its customer says."""
    known = account.get("customer", session["customer"]) if session["customer"] else {}
    return {
        "email": email or known_email(account, session) or "payer@example.org",
        "name": name or known.get("name") or "Sample Payer",
    }


def known_email(account: Account, session: Stored) -> str | None:
    if session["customer"]:
        session = {"customer_email": account.get("customer", session["customer"])["email"]}
    email: str | None = session["customer_email"]
    return email


def _require_open(session: Stored, verb: str) -> None:
    if session["status"] != "open":
        raise ApiError(
            400,
            f'Only Checkout Sessions with a status in ["open"] can be {verb}. This Checkout Session has a'
            f" status of `{session['status']}`.",
        )


def _intent_of(account: Account, change: Change, session: Stored) -> Stored:
    """As at Stripe, the PaymentIntent exists from the first attempt on, not before."""
    if session["payment_intent"] is None:
        intent = intents.create_intent(account, change, session, intent_data_of(account, session))
        session["payment_intent"] = intent["id"]
    return account.get("payment_intent", session["payment_intent"])
