"""The treasurer's pages: the queue, payments, one payment."""

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
from app.memberships.service import count_by_status
from app.payments import checkouts, ledger, resolving
from app.payments import service as payments
from app.payments.models import Payment
from app.payments.refunds import request_refund
from app.treasury import listing, payment_page, queue, words
from app.treasury.export import payments_csv
from app.treasury.filters import STATES, Filter, read_filter
from app.treasury.forms import read_amount

bp = Blueprint("treasury", __name__, url_prefix="/treasury")
QUERY = ("text", "from", "to", "method", "state")


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
        disputed_cents=balance.disputed_cents, donated_cents=balance.donated_cents,
        fees_cents=balance.provider_fee_cents, net_cents=balance.net_cents,
    )  # fmt: skip
    group, number = request.args.get("needs", ""), _page_number()
    entries, has_more = queue.page_of(group, number)
    return render_template(
        "treasury/index.html", today=today, needs=queue.needs(), entries=entries, group=group, number=number,
        has_more=has_more, totals=totals, members=SimpleNamespace(**count_by_status(today)), form=FlaskForm(),
        payments=_shown_rows(listing.page_of(this_year, 1))[:8],
    )  # fmt: skip


@bp.post("/queue/<int:entry_id>")
@access.treasurer
def decide(entry_id: int) -> ResponseReturnValue:
    """Resolve an entry of the queue; what goes back is sent once the decision is kept."""
    found = resolving.get_open_discrepancy(entry_id if entry_id < 2**31 else 0)
    number = found.payment.number if found.payment else None
    resolution, note = request.form.get("resolution", ""), request.form.get("note", "").replace("\0", "")[:1000]
    refund = resolving.resolve(found, resolution, f"account:{current_account().id}", note, clock.now())
    refund_id = refund.id if refund else None
    db.session.commit()
    if refund_id is not None:
        _send(refund_id)
    flash(_("Decided: %(what)s.", what=words.decided()[resolution]), "ok")
    if number is not None and request.form.get("back") == "payment":
        return redirect(url_for("treasury.payment", number=number), 303)
    return redirect(url_for("treasury.index"), 303)


@bp.get("/payments", endpoint="payments")
@access.treasurer
def payments_page() -> ResponseReturnValue:
    query = {key: value for key in QUERY if (value := request.args.get(key, "").strip())}
    error = None
    try:
        wanted = read_filter(query)
    except Refusal as refusal:
        wanted, error = Filter(), refusal.detail
    number = _page_number()
    totals = listing.totals_of(wanted)
    rows = _shown_rows(listing.page_of(wanted, number))
    waiting = [_open_row(payment) for payment in listing.open_payments(wanted)] if number == 1 else []
    first = (number - 1) * listing.PAGE_SIZE + 1
    page = SimpleNamespace(
        number=number, first=first if rows else 0, last=first + len(rows) - 1 if rows else 0, total=totals.count,
        has_newer=number > 1, has_older=first + len(rows) - 1 < totals.count,
    )  # fmt: skip
    return render_template(
        "treasury/payments.html", query=query, from_on=wanted.from_on, to_on=wanted.to_on, error=error,
        methods=list(words.methods().items()), states=[(code, words.states()[code]) for code in STATES],
        payments=waiting + rows, totals=totals, page=page,
    ), 400 if error else 200  # fmt: skip


@bp.get("/payments.csv")
@access.treasurer
def export_payments() -> ResponseReturnValue:
    wanted = read_filter({key: request.args.get(key, "") for key in QUERY})
    response = Response(stream_with_context(payments_csv(wanted)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="payments-{clock.today().isoformat()}.csv"'
    return response


@bp.get("/payments/<number>", endpoint="payment")
@access.treasurer
def show_payment(number: str) -> ResponseReturnValue:
    found = payments.get_payment(number)
    return render_template("treasury/payment.html", form=FlaskForm(), **payment_page.context_of(found))


@bp.post("/payments/<number>/refund")
@access.treasurer
def refund(number: str) -> ResponseReturnValue:
    """Give back an amount, or all that is left; with the last cent its term ends, in the same transaction.

    A part is given only for what its page showed as left: sent twice, the second is refused.
    """
    it = payments.lock_payment(payments.get_payment(number))
    left, currency, text = ledger.balance_of(it.id).refundable_cents, it.currency, request.form.get("amount", "")
    cents = read_amount(text) if text.strip() else left
    if text.strip() and request.form.get("left") != str(left):
        raise Refusal("payment_changed", _("Money has moved since this page was opened. Look again."), 409)
    if cents > left > 0:
        detail = _("Only %(amount)s is left of this payment.", amount=format_money(left, currency))
        raise Refusal("refund_too_large", detail)
    asked = request_refund(it, cents, f"account:{current_account().id}", clock.now())
    refund_id = asked.id
    db.session.commit()
    _send(refund_id)
    flash(_("%(amount)s goes back.", amount=format_money(cents, currency)), "ok")
    return redirect(url_for("treasury.payment", number=number), 303)


def _send(refund_id: int) -> None:
    try:
        checkouts.send_refund(refund_id)
    except checkouts.ProviderTrouble as trouble:
        detail = _("The payment provider does not answer. The refund is noted and will be sent within the hour.")
        raise Refusal("provider_trouble", detail, 503) from trouble


def _page_number() -> int:
    return max(1, min(request.args.get("page", 1, type=int), 100_000))


def _shown_rows(rows: Sequence[Any]) -> list[SimpleNamespace]:
    methods = words.methods()
    balances = ledger.balances_of({row.Payment.id for row in rows})
    return [
        SimpleNamespace(
            number=row.Payment.number, on=row.value_on, receipt_number=row.Receipt.number if row.Receipt else None,
            person_name=row.Person.full_name, member_number=row.Person.member_number, tier=row.Tier,
            method=methods[row.Payment.method], state=_row_state(row, balances[row.Payment.id]),
            fee_cents=row.fee_cents, currency=row.currency,
            amount_cents=row.moved_cents if row.movement in listing.WITHIN else row.amount_cents,
            counts=row.movement not in listing.WITHIN,
        )
        for row in rows
    ]  # fmt: skip


def _row_state(row: Any, balance: ledger.Balance) -> str:
    """How _rows.html names a movement."""
    if row.movement not in listing.IN:
        return str(row.movement)
    if row.movement == "excess_received" and balance.unallocated_cents > 0:
        return "unallocated"
    return "disputed" if row.is_disputed else "paid"


def _open_row(it: Payment) -> SimpleNamespace:
    state = "waiting" if it.completed_at is not None else "ordered" if it.method == "transfer" else "open"
    return SimpleNamespace(
        number=it.number, on=it.opened_on, receipt_number=None, person_name=it.person.full_name,
        member_number=it.person.member_number, tier=it.tier, method=words.methods()[it.method], state=state,
        fee_cents=0, amount_cents=it.amount_cents, currency=it.currency, counts=False,
    )  # fmt: skip
