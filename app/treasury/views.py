"""The treasurer's pages."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from app import clock
from app.accounts import access
from app.accounts.signed_in import current_account
from app.errors import Refusal
from app.extensions import db
from app.formats import format_money
from app.memberships.service import count_by_status, ended_word, find_term_of_payment
from app.payments import checkouts, ledger
from app.payments import service as payments
from app.payments.models import Payment
from app.payments.receipts import receipts_of
from app.treasury import listing
from app.treasury.export import payments_csv
from app.treasury.listing import Filter

bp = Blueprint("treasury", __name__, url_prefix="/treasury")


@bp.get("")
@access.treasurer
def index() -> ResponseReturnValue:
    today = clock.today()
    first = today.replace(month=1, day=1)
    this_year = Filter(from_on=first, to_on=today)
    balance = ledger.balance_between(first, today, listing.CURRENCY)
    totals = SimpleNamespace(
        from_on=first, to_on=today, currency=listing.CURRENCY, received_cents=balance.received_cents,
        received_count=listing.totals_of(Filter(from_on=first, to_on=today, state="paid")).count,
        refunded_cents=balance.refunded_cents,
        refunded_count=listing.totals_of(Filter(from_on=first, to_on=today, state="refunded")).count,
        fees_cents=balance.provider_fee_cents, net_cents=balance.net_cents,
    )  # fmt: skip
    return render_template(
        "treasury/index.html", today=today, needs=_needs(), totals=totals,
        members=SimpleNamespace(**count_by_status(today)), payments=_shown_rows(listing.page_of(this_year, 1))[:8],
    )  # fmt: skip


@bp.get("/payments", endpoint="payments")
@access.treasurer
def payments_page() -> ResponseReturnValue:
    query = {
        key: value for key in ("text", "from", "to", "method", "state") if (value := request.args.get(key, "").strip())
    }
    error = None
    try:
        wanted = listing.read_filter(query)
    except Refusal as refusal:
        wanted, error = Filter(), refusal.detail
    number = max(1, min(request.args.get("page", 1, type=int), 100_000))
    totals = listing.totals_of(wanted)
    rows = _shown_rows(listing.page_of(wanted, number))
    waiting = [_waiting_row(payment) for payment in listing.waiting_payments(wanted)] if number == 1 else []
    first = (number - 1) * listing.PAGE_SIZE + 1
    page = SimpleNamespace(
        number=number, first=first if rows else 0, last=first + len(rows) - 1 if rows else 0, total=totals.count,
        has_newer=number > 1, has_older=first + len(rows) - 1 < totals.count,
    )  # fmt: skip
    return render_template(
        "treasury/payments.html", query=query, from_on=wanted.from_on, to_on=wanted.to_on, error=error,
        methods=list(_methods().items()), payments=waiting + rows, totals=totals, page=page,
    ), 400 if error else 200  # fmt: skip


@bp.get("/payments.csv")
@access.treasurer
def export_payments() -> ResponseReturnValue:
    wanted = listing.read_filter({key: request.args.get(key, "") for key in ("text", "from", "to", "method", "state")})
    response = Response(stream_with_context(payments_csv(wanted)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="payments-{clock.today().isoformat()}.csv"'
    return response


@bp.get("/payments/<number>", endpoint="payment")
@access.treasurer
def payment_page(number: str) -> ResponseReturnValue:
    found = payments.view(payments.get_payment(number))
    it, balance = found.payment, found.balance
    term = find_term_of_payment(it.id)
    left = balance.received_cents - balance.refunded_cents
    shown = SimpleNamespace(
        number=it.number, state=_state_word(found.state, balance), asked_on=it.opened_on, paid_on=it.paid_on,
        tier=it.tier,
        method=_methods()[it.method], amount_cents=it.amount_cents, received_cents=balance.received_cents,
        fee_cents=balance.provider_fee_cents, refunded_cents=balance.refunded_cents, currency=it.currency,
        refundable_cents=left, attention=_attention(it),
    )  # fmt: skip
    entries = [
        SimpleNamespace(
            at=e.at, movement=_movements()[e.movement], debit=_accounts()[e.debit], credit=_accounts()[e.credit],
            amount_cents=e.amount_cents, currency=e.currency, provider_id=e.provider_id,
        )
        for e in ledger.entries_of(it.id)
    ]  # fmt: skip
    receipts = [
        SimpleNamespace(
            number=r.number, issued_on=r.issued_on, currency=r.currency,
            amount_cents=-r.amount_cents if r.series == "R" else r.amount_cents,
        )
        for r in receipts_of(it.id)
    ]  # fmt: skip
    return render_template(
        "treasury/payment.html", payment=shown, person=it.person, term=term, receipts=receipts, entries=entries,
        ended=ended_word(term.ended_because) if term else None,
        form=FlaskForm(),
    )  # fmt: skip


@bp.post("/payments/<number>/refund")
@access.treasurer
def refund(number: str) -> ResponseReturnValue:
    """Give back what is left of a payment; its term ends in the same transaction as the money."""
    it = payments.get_payment(number)
    balance = ledger.balance_of(it.id)
    left = balance.received_cents - balance.refunded_cents
    asked = payments.request_refund(it, left, f"account:{current_account().id}", clock.now())
    refund_id, currency = asked.id, it.currency
    db.session.commit()
    try:
        checkouts.send_refund(refund_id)
    except checkouts.ProviderTrouble as trouble:
        detail = _("The payment provider does not answer. The refund is noted and will be sent within the hour.")
        raise Refusal("provider_trouble", detail, 503) from trouble
    flash(_("%(amount)s goes back.", amount=format_money(left, currency)))
    return redirect(url_for("treasury.payment", number=number), 303)


def _needs() -> list[SimpleNamespace]:
    needs = []
    found = payments.list_discrepancies()
    for code, reasons in listing.REASONS.items():
        these = [d for d in found if d.reason in reasons]
        if these:
            cents = sum(d.amount_cents or 0 for d in these if d.currency == listing.CURRENCY)
            needs.append(_need(code, len(these), cents))
    waiting = listing.waiting_payments(Filter())
    if waiting:
        needs.append(_need("waiting", len(waiting), sum(p.amount_cents for p in waiting)))
    return needs


def _need(code: str, count: int, cents: int) -> SimpleNamespace:
    return SimpleNamespace(code=code, count=count, amount_cents=cents, currency=listing.CURRENCY)


def _shown_rows(rows: Sequence[Any]) -> list[SimpleNamespace]:
    methods = _methods()
    return [
        SimpleNamespace(
            number=row.Payment.number, on=row.value_on, receipt_number=row.Receipt.number if row.Receipt else None,
            person_name=row.Person.full_name, member_number=row.Person.member_number, tier=row.Tier,
            method=methods[row.Payment.method], state="refunded" if row.movement == "refund_paid" else "paid",
            fee_cents=row.fee_cents, amount_cents=row.amount_cents, currency=row.currency, counts=True,
        )
        for row in rows
    ]  # fmt: skip


def _waiting_row(it: Payment) -> SimpleNamespace:
    return SimpleNamespace(
        number=it.number, on=it.opened_on, receipt_number=None, person_name=it.person.full_name,
        member_number=it.person.member_number, tier=it.tier, method=_methods()[it.method], state="waiting",
        fee_cents=0, amount_cents=it.amount_cents, currency=it.currency, counts=False,
    )  # fmt: skip


def _state_word(state: str, balance: ledger.Balance) -> str:
    if state == "paid" and balance.refunded_cents:
        return "partly_refunded"
    return {"pending": "waiting"}.get(state, state)


def _attention(it: Payment) -> str | None:
    words = {
        "mismatch": _("The money that came is not what was asked: amount, currency or mode differ."),
        "unknown_payment": _("The provider knows a payment that we do not."),
        "days_covered": _("These days were paid already. The money is unallocated: refund it or ask the member."),
        "overpaid": _("More came than was asked. The excess is unallocated."),
        "underpaid": _("Less came than was asked, so it bought nothing yet."),
        "refund_failed": _("The refund failed: the money is still here and the days were given back."),
        "refunded_in_part": _("A part went back. The dates stay."),
    }
    found = payments.list_discrepancies(it.id)
    return words[found[0].reason] if found else None


def _methods() -> dict[str, str]:
    return {"online": _("Online"), "transfer": _("Transfer"), "cash": _("Cash")}


def _movements() -> dict[str, str]:
    return {
        "fee_received": _("Fee received"),
        "excess_received": _("Received, unallocated"),
        "provider_fee": _("Fee of the provider"),
        "refund_paid": _("Refund"),
        "refund_reversed": _("Refund failed"),
    }


def _accounts() -> dict[str, str]:
    return {
        "provider": _("Provider balance"),
        "bank": _("Bank"),
        "cash": _("Cash"),
        "fees": _("Fees"),
        "unallocated": _("Unallocated"),
        "provider_fees": _("Provider fees"),
    }
