"""The hosted payment page: where Checkout sends a person, and what the person may do there."""

import re
from datetime import UTC, datetime

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from demo.simulator import paying, ways
from demo.simulator.account import MERCHANT, Account
from demo.simulator.errors import ApiError
from demo.simulator.lines import intent_data_of, line_items_of
from demo.simulator.money import money
from demo.simulator.store import Stored

# No form-action: paying redirects to the merchant's own address.
CONTENT_POLICY = "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"


def protect(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_POLICY
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def day_and_time(seconds: int) -> str:
    """`23 November 2026, 14:05 UTC`."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def short_time(seconds: int) -> str:
    """`23 Nov, 14:05`."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%b, %H:%M}"


def offers_of(account: Account, session: Stored) -> list[tuple[str, list[tuple[str, str]]]]:
    """Headings, and below each the ways to pay with the words on their buttons."""
    total = session["amount_total"] and money(session["amount_total"], session["currency"])
    pay = {"payment": f"Pay {total}", "setup": "Save it", "subscription": f"Subscribe for {total}"}[session["mode"]]
    if session["mode"] == "subscription" and not total:
        pay = "Subscribe"
    offers = []
    if ways.CARD in session["payment_method_types"]:
        cards = [("accepted", f"{pay} by card"), ("three_d_secure", f"{pay} with 3-D Secure")]
        if session["mode"] != "payment" or intent_data_of(account, session).get("setup_future_usage"):
            cards += [
                ("declined_later", "Use a card that is declined next time"),
                ("authentication_later", "Use a card that asks for 3-D Secure every time"),
            ]
        offers.append(("Card", cards))
    if ways.DEBIT in session["payment_method_types"]:
        debits = [("debit", f"{pay} by SEPA debit"), ("debit_fails", "Use a SEPA debit that fails days later")]
        offers.append(("Bank account", debits))
    if ways.CARD in session["payment_method_types"]:
        refused = [("declined", "Use a card that is declined"), ("insufficient_funds", "Use a card without money")]
        offers.append(("Cards that do not work", [*refused, ("expired_card", "Use an expired card")]))
    return offers


def hosted(account: Account) -> Blueprint:
    bp = Blueprint("hosted", __name__)
    bp.after_request(protect)

    def show(session: Stored, status: int = 200, **typed: str) -> tuple[str, int]:
        """The page with what was typed, else what the last failed try said, else what is known."""
        failure = paying.failure_of(account, session)
        page = render_template(
            "pay.html",
            session=session,
            items=line_items_of(account, session),
            merchant=MERCHANT,
            offers=offers_of(account, session),
            known={"email": paying.known_email(account, session) or ""} | failure | typed,
            total=session["amount_total"] and money(session["amount_total"], session["currency"]),
            money=money,
            until=day_and_time(session["expires_at"]),
        )
        return page, status

    def find(session_id: str) -> Stored:
        account.pass_time()
        return account.get("checkout.session", session_id, "session")

    def success(session: Stored) -> AnyResponse:
        return redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]), 303)

    def go_on(session: Stored) -> AnyResponse:
        """Where the payer is led: to the merchant, to the bank, or to the page again."""
        if session["status"] == "complete":
            return success(session)
        asked = session["status"] == "open" and paying.is_asked(account, session)
        return redirect(f"/pay/{session['id']}" + ("/authenticate" if asked else ""), 303)

    @bp.errorhandler(ApiError)
    def refused(problem: ApiError) -> tuple[str, int]:
        return render_template("message.html", title="This page does not exist", text=str(problem)), problem.status

    @bp.get("/pay/<session_id>")
    def pay(session_id: str) -> tuple[str, int]:
        session = find(session_id)
        if session["status"] == "open":
            return show(session)
        return render_template("closed.html", session=session, merchant=MERCHANT), 200

    @bp.post("/pay/<session_id>")
    def attempt(session_id: str) -> tuple[str, int] | AnyResponse:
        session = find(session_id)
        if session["status"] == "complete":
            return success(session)
        if session["status"] == "expired":
            return render_template("closed.html", session=session, merchant=MERCHANT), 409
        email, name = request.form.get("email", "").strip(), request.form.get("name", "").strip()
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
            return show(session, 400, email=email, name=name, email_error="yes")
        payer = paying.payer_of(account, session, email, name)
        with account.change() as change:
            session = paying.pay_checkout(account, change, session_id, payer, request.form.get("way", "accepted"))
        return go_on(session)

    @bp.get("/pay/<session_id>/authenticate")
    def ask(session_id: str) -> tuple[str, int] | AnyResponse:
        session = find(session_id)
        if session["status"] == "open" and paying.is_asked(account, session):
            return render_template("authenticate.html", session=session, merchant=MERCHANT), 200
        return redirect(f"/pay/{session_id}", 303)

    @bp.post("/pay/<session_id>/authenticate")
    def authenticate(session_id: str) -> AnyResponse:
        session = find(session_id)
        if session["status"] == "open" and paying.is_asked(account, session):
            with account.change() as change:
                authenticated = request.form.get("answer") == "yes"
                session = paying.answer_bank(account, change, session_id, authenticated=authenticated)
        return go_on(session)

    @bp.get("/pay/<session_id>/left")
    def left(session_id: str) -> tuple[str, int]:
        session = find(session_id)
        return render_template("left.html", session=session, until=day_and_time(session["expires_at"])), 200

    @bp.get("/receipts/<charge_id>")
    def receipt(charge_id: str) -> tuple[str, int]:
        charge = account.get("charge", charge_id, "charge")
        page = render_template(
            "receipt.html",
            charge=charge,
            merchant=MERCHANT,
            amount=money(charge["amount"], charge["currency"]),
            refunded=money(charge["amount_refunded"], charge["currency"]),
            paid_at=day_and_time(charge["created"]),
        )
        return page, 200

    return bp
