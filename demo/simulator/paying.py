"""What happens to a Checkout session: its payer tries a way to pay, answers 3-D Secure, or lets it expire."""

from demo.simulator import direct, intents, ways
from demo.simulator.account import Account, Change
from demo.simulator.customers import create_customer
from demo.simulator.errors import ApiError
from demo.simulator.lines import intent_data_of
from demo.simulator.session_object import EXPIRES
from demo.simulator.store import Stored
from demo.simulator.ways import Payer


def follow(account: Account) -> None:
    account.on_due[EXPIRES] = expire_overdue


def pay_checkout(account: Account, change: Change, session_id: str, payer: Payer, way: str = "accepted") -> Stored:
    """Try one of the `WAYS`: the session is complete, or stays open for 3-D Secure or for another try.

    Paying a complete one changes nothing and answers the same session.
    """
    session = account.get("checkout.session", session_id, "session")
    if session["status"] == "complete":
        return session
    _require_open(session, "paid")
    chosen = ways.way_of(way)
    if chosen.kind not in session["payment_method_types"]:
        raise ApiError(400, f"This Checkout Session does not take {chosen.kind}.")
    method = ways.create_payment_method(account, change, chosen, payer)
    if not ways.asks(method):
        return try_method(account, change, session, method, authenticated=False)
    account.store.set_setting(_asking(session_id), method["id"])
    if session["mode"] == "payment":
        url = f"{account.public_url}/pay/{session_id}"
        intents.ask(change, _intent_of(account, change, session), method, f"{url}/authenticate", url)
    return change.save(session)


def try_method(account: Account, change: Change, session: Stored, method: Stored, *, authenticated: bool) -> Stored:
    """Charge or save this method: the session is complete, or stays open when the bank declines."""
    decline = ways.decline_of(account, method, off_session=False)
    _note_failure(account, session, method, decline.message if decline else None)
    if not decline:
        _find_customer(account, change, session, method)
    if session["mode"] == "payment":
        intent = _intent_of(account, change, session)
        intent["customer"] = session["customer"]
        intents.confirm(account, change, intent, method, authenticated=authenticated)
        payment_status = "paid" if intent["status"] == "succeeded" else "unpaid"
    else:
        payment_status = account.on_checkout[session["mode"]](account, change, session, method, decline)
    if decline:
        return change.save(session)
    session.update(
        status="complete", payment_status=payment_status, url=None, customer_details=_details(method["billing_details"])
    )
    change.save(session)
    change.emit("checkout.session.completed", session)
    if session["mode"] == "payment" and payment_status == "paid":
        direct.settle(account, change, account.get("charge", intent["latest_charge"]))
    return session


def answer_bank(account: Account, change: Change, session_id: str, *, authenticated: bool) -> Stored:
    """The payer was authenticated by 3-D Secure, or was not."""
    session = account.get("checkout.session", session_id, "session")
    if session["status"] == "complete":
        return session
    _require_open(session, "paid")
    if not is_asked(account, session):
        raise ApiError(400, "This Checkout Session does not wait for 3-D Secure.")
    method = account.get("payment_method", account.store.setting(_asking(session_id), ""))
    if authenticated:
        return try_method(account, change, session, method, authenticated=True)
    _note_failure(account, session, method, intents.UNAUTHENTICATED)
    if session["mode"] == "payment":
        intents.fail_authentication(change, _intent_of(account, change, session), method)
    return change.save(session)


def is_asked(account: Account, session: Stored) -> bool:
    return bool(account.store.setting(_asking(session["id"]), None))


def failure_of(account: Account, session: Stored) -> dict[str, str]:
    """`message`, `email` and `name` of the last try, when it failed."""
    failure: dict[str, str] = account.store.setting(f"failure of {session['id']}", {})
    return failure


def expire_checkout(account: Account, change: Change, session_id: str) -> Stored:
    session = account.get("checkout.session", session_id, "session")
    _require_open(session, "expired")
    session.update(status="expired", url=None)
    change.save(session)
    change.emit("checkout.session.expired", session)
    if session["payment_intent"]:
        intents.cancel(account, change, account.get("payment_intent", session["payment_intent"]))
    return session


def expire_overdue(account: Account, change: Change, session_id: str) -> None:
    """Its time is over."""
    if account.get("checkout.session", session_id)["status"] == "open":
        expire_checkout(account, change, session_id)


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


def _find_customer(account: Account, change: Change, session: Stored, method: Stored) -> None:
    if session["customer"] is None and session["customer_creation"] == "always":
        known = {name: method["billing_details"][name] for name in ("email", "name")}
        session["customer"] = create_customer(account, change, {k: v for k, v in known.items() if v})["id"]


def _details(billing: Stored) -> Stored:
    return {
        "address": billing["address"],
        "business_name": None,
        "email": billing["email"],
        "individual_name": None,
        "name": billing["name"],
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def _note_failure(account: Account, session: Stored, method: Stored, message: str | None) -> None:
    """What the page says at the next look. 3-D Secure is asked for anew at the next try."""
    billing = method["billing_details"]
    failure = {"message": message, "email": billing["email"], "name": billing["name"]} if message else {}
    account.store.set_setting(f"failure of {session['id']}", failure)
    account.store.set_setting(_asking(session["id"]), None)


def _asking(session_id: str) -> str:
    return f"3-D Secure of {session_id}"


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
        intent = intents.create_intent(
            account,
            change,
            intent_data_of(account, session),
            amount=session["amount_total"],
            currency=session["currency"],
            customer=session["customer"],
            kinds=session["payment_method_types"],
        )
        session["payment_intent"] = intent["id"]
    return account.get("payment_intent", session["payment_intent"])
