"""The customer portal's page: replace the saved card, leave at the end of the period or at once, stay after all."""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from demo.simulator import changing, customers, setups, subscribing, ways
from demo.simulator.account import MERCHANT, Account, Change
from demo.simulator.errors import ApiError
from demo.simulator.hosted import day_and_time, protect
from demo.simulator.money import money
from demo.simulator.portal import session_by
from demo.simulator.reading import page
from demo.simulator.store import Stored
from demo.simulator.subscriptions import OVER, note

REPLACEMENTS = (
    ("accepted", "Use another card"),
    ("declined_later", "Use a card that is declined next time"),
    ("debit", "Use a bank account"),
    ("declined", "Use a card that is declined"),
)
CANCEL, UNDO, END = "cancel", "undo", "end"


def portal_page(account: Account) -> Blueprint:
    bp = Blueprint("portal", __name__)
    bp.after_request(protect)

    @bp.errorhandler(ApiError)
    def refused(problem: ApiError) -> tuple[str, int]:
        return render_template("message.html", title="This page does not exist", text=str(problem)), problem.status

    def show(secret: str, declined: str | None = None) -> str:
        session = session_by(account, secret)
        customer = customers.customer_of(account, session["customer"])
        found = page(account, "subscription", "", {"limit": 20}, customer=customer["id"])["data"]
        configuration = account.get("billing_portal.configuration", session["configuration"])
        method = customer["invoice_settings"]["default_payment_method"]
        return render_template(
            "portal.html",
            secret=secret,
            session=session,
            customer=customer,
            subscriptions=[(s, _name(account, s)) for s in found if s["status"] not in OVER],
            invoices=page(account, "invoice", "", {"limit": 20}, customer=customer["id"])["data"],
            method=account.get("payment_method", method) if method else None,
            features=configuration["features"],
            any_end=configuration["is_default"],
            replacements=REPLACEMENTS,
            declined=declined,
            merchant=MERCHANT,
            money=money,
            day_and_time=day_and_time,
        )

    def done(session: Stored, secret: str) -> AnyResponse:
        flow = session["flow"]
        after = flow["after_completion"]["redirect"] if flow else None
        return redirect(after["return_url"] if after else f"/portal/{secret}", 303)

    @bp.get("/portal/<secret>")
    def portal(secret: str) -> str:
        return show(secret)

    @bp.post("/portal/<secret>/method")
    def replace_method(secret: str) -> tuple[str, int] | AnyResponse:
        session = session_by(account, secret)
        with account.change() as change:
            refusal = _replace(account, change, session["customer"], request.form.get("way", ""))
        return (show(secret, refusal), 402) if refusal else done(session, secret)

    @bp.post("/portal/<secret>/<subscription_id>/<act>")
    def subscription(secret: str, subscription_id: str, act: str) -> AnyResponse:
        session = session_by(account, secret)
        found = account.get("subscription", subscription_id)
        if found["customer"] != session["customer"] or act not in (CANCEL, UNDO, END):
            raise ApiError(404, "There is no such subscription here.")
        with account.change() as change:
            if act == END:
                subscribing.cancel_subscription(account, change, {}, subscription_id)
            else:
                wanted = {"cancel_at_period_end": act == CANCEL}
                changing.update_subscription(account, change, wanted, subscription_id)
        return done(session, secret)

    return bp


def _replace(account: Account, change: Change, customer_id: str, way: str) -> str | None:
    """Save another method and use it for everything from now on; what the bank says when it refuses."""
    customer = customers.customer_of(account, customer_id)
    payer = {"email": customer["email"], "name": customer["name"]}
    method = ways.create_payment_method(account, change, ways.way_of(way), payer)
    setup = setups.create_setup(account, change, {"customer": customer_id})
    decline = ways.decline_of(account, method, off_session=False)
    if decline:
        setups.fail(change, setup, method, decline.message)
        return decline.message
    setups.succeed(account, change, setup, method)
    settings = {"invoice_settings": {"default_payment_method": method["id"]}}
    customers.update_customer(account, change, settings, customer_id)
    for subscription in page(account, "subscription", "", {"limit": 100}, customer=customer_id)["data"]:
        if subscription["status"] not in OVER and subscription["default_payment_method"]:
            note(change, subscription, default_payment_method=method["id"])
    return None


def _name(account: Account, subscription: Stored) -> str:
    name: str = account.get("product", subscription["items"]["data"][0]["price"]["product"])["name"]
    return name
