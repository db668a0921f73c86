"""The page of one invoice, where a failed payment can be made good with another card."""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from demo.simulator import collection, methods, ways
from demo.simulator.account import MERCHANT, Account, Change
from demo.simulator.errors import ApiError
from demo.simulator.hosted import protect
from demo.simulator.invoice_payments import payment_of
from demo.simulator.money import money
from demo.simulator.store import Stored


def invoice_page(account: Account) -> Blueprint:
    bp = Blueprint("invoices", __name__)
    bp.after_request(protect)

    @bp.errorhandler(ApiError)
    def refused(problem: ApiError) -> tuple[str, int]:
        return render_template("message.html", title="This page does not exist", text=str(problem)), problem.status

    def show(invoice_id: str, declined: str | None = None) -> str:
        invoice = _finalized(account, invoice_id)
        return render_template(
            "invoice.html",
            invoice=invoice,
            payable=_is_payable(account, invoice),
            declined=declined,
            merchant=MERCHANT,
            money=money,
        )

    @bp.get("/invoices/<invoice_id>")
    def look(invoice_id: str) -> str:
        return show(invoice_id)

    @bp.post("/invoices/<invoice_id>")
    def pay(invoice_id: str) -> tuple[str, int] | AnyResponse:
        with account.change() as change:
            refusal = _pay(account, change, _finalized(account, invoice_id), request.form.get("way", ""))
        return (show(invoice_id, refusal), 402) if refusal else redirect(f"/invoices/{invoice_id}", 303)

    return bp


def _finalized(account: Account, invoice_id: str) -> Stored:
    invoice = account.get("invoice", invoice_id, "invoice")
    if invoice["status"] == "draft":
        raise ApiError(404, "This invoice is still a draft.")
    return invoice


def _is_payable(account: Account, invoice: Stored) -> bool:
    payment = payment_of(account, invoice["id"])
    intent = account.get("payment_intent", payment["payment"]["payment_intent"]) if payment else None
    return invoice["status"] == "open" and (intent is None or intent["status"] != "processing")


def _pay(account: Account, change: Change, invoice: Stored, way: str) -> str | None:
    """What the bank says when it refuses. A page that is sent twice pays once."""
    if not _is_payable(account, invoice):
        return None
    payer = {"email": invoice["customer_email"], "name": invoice["customer_name"]}
    method = ways.create_payment_method(account, change, ways.way_of(way), payer)
    decline = ways.decline_of(account, method, off_session=False)
    if decline is None:
        methods.attach(account, change, {"customer": invoice["customer"]}, method["id"])
    collection.collect(account, change, invoice["id"], method["id"], off_session=False)
    return decline.message if decline else None
