"""What became of a payment: back from the payment page, waiting for a transfer, cancelled."""

from __future__ import annotations

import structlog
from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.accounts import access
from app.accounts.signed_in import check_signed_in, current_person
from app.association import get_association
from app.cards.qr import qr_svg
from app.cards.service import find_card
from app.errors import Refusal
from app.extensions import begin_writing, db
from app.memberships import renewal_links
from app.memberships.service import find_term_of_payment, membership_of
from app.payments import checkouts, gateway, ledger, service, transfers
from app.payments.discrepancies import UNALLOCATED
from app.payments.models import Gift, Payment
from app.payments.receipts import find_receipt
from app.payments.service import PaymentView
from app.payments.settling import close_payment, lock_payment

bp = Blueprint("outcomes", __name__)
log = structlog.get_logger()


@bp.get("/payments/<number>/done")
@access.public
def done(number: str) -> ResponseReturnValue:
    """Where the payment page sends people back to. What it says is never believed: we ask the provider.

    The key in that address shows this one outcome to somebody who is not signed in, and opens nothing else.
    """
    is_keyed = _is_keyed(number)
    elsewhere = check_signed_in(None)
    if elsewhere is not None and not is_keyed:
        return elsewhere
    is_own = elsewhere is None and _is_own(number)
    if not is_own and not is_keyed:
        raise Refusal("unknown_payment", _("There is no such payment."), 404)
    payment = service.get_payment(number)
    if payment.paid_at is None and payment.closed_at is None and payment.method == "online":
        payment_id = payment.id
        begin_writing()
        try:
            checkouts.settle_payment(payment_id)
        except gateway.ProviderTrouble as trouble:  # the webhook or the sweep will tell; the page says "waiting"
            log.warning("provider_trouble", error_type=str(trouble))
            db.session.rollback()
    return _outcome(service.view(service.get_payment(number)), is_own)


@bp.get("/payments/<number>/transfer")
@access.signed_in
def transfer(number: str) -> ResponseReturnValue:
    """What to write on a bank transfer, as text and as a code for a banking app."""
    payment, association = service.get_own_payment(number, current_person()), get_association()
    if payment.method != "transfer" or service.view(payment).state != "open":
        return redirect(url_for("outcomes.done", number=number))
    if association.iban is None:
        raise Refusal("transfers_not_set_up", _("Paying by bank transfer is not set up here."), 409)
    missing = transfers.missing_cents(payment)
    return render_template(
        "payments/transfer.html", payment=payment, missing_cents=missing, iban=association.iban, bic=association.bic,
        came_cents=payment.amount_cents - missing, holder=transfers.account_holder(association),
        reference=transfers.reference_of(payment),
        code_svg=qr_svg(transfers.epc_text(payment, association, missing), _("Code for your banking app")),
    )  # fmt: skip


@bp.post("/payments/<number>/cancel")
@access.signed_in
def cancel(number: str) -> ResponseReturnValue:
    """Take back the order of a transfer of which nothing has come."""
    payment = lock_payment(service.get_own_payment(number, current_person()))
    if payment.method != "transfer" or ledger.balance_of(payment.id).received_cents:
        raise Refusal("cannot_cancel", _("This payment cannot be cancelled any more. Ask the association."), 409)
    close_payment(payment, "cancelled", clock.now())
    db.session.commit()
    flash(_("The order is cancelled. If you sent the money already, tell the treasurer."))
    return redirect(url_for("portal.index"), 303)


def _is_keyed(number: str) -> bool:
    """Whether the address carries the key of this very payment."""
    try:
        payment_id = renewal_links.read("outcome", request.args.get("key", ""), clock.now())
    except Refusal:
        return False
    payment = service.find_payment(number)
    return payment is not None and payment.id == payment_id


def _is_own(number: str) -> bool:
    payment, person = service.find_payment(number), current_person()
    return payment is not None and person is not None and payment.person_id == person.id


def _outcome(found: PaymentView, is_own: bool) -> ResponseReturnValue:
    """Its page. `is_own` says that its owner is signed in; others see this payment only."""
    payment, state, left = found.payment, found.state, request.args.get("left") == "1"
    if is_own and payment.method == "transfer" and state == "open":
        return redirect(url_for("outcomes.transfer", number=payment.number))
    if state == "refunded" or 0 < found.balance.received_cents <= found.balance.refunded_cents:
        return _page("money_back", found, is_own)
    reason = _why_unallocated(found)
    if reason is not None:
        return _page("unallocated", found, is_own, reason=reason)
    if state == "paid":
        return _page("gift_paid" if payment.kind == "gift" else "paid", found, is_own)
    if state == "closed" or (state == "open" and left):
        return _page("not_paid", found, is_own, reason="abandoned" if state == "open" else payment.closed_because)
    return _page("waiting", found, is_own, slow=state == "pending")


def _why_unallocated(found: PaymentView) -> str | None:
    """Why money that came bought nothing; None when it bought its days, or when none came."""
    payment = found.payment
    if payment.closed_because == "mismatch":
        return "mismatch"
    if not found.balance.received_cents or payment.kind == "gift" and payment.paid_at is not None:
        return None
    if find_term_of_payment(payment.id) is not None:
        return None
    if found.balance.donated_cents:
        return "donated"
    reasons = [it.reason for it in service.list_discrepancies(payment.id) if it.reason in UNALLOCATED]
    return reasons[0] if reasons else "noted"


def _page(page: str, found: PaymentView, is_own: bool, **facts: object) -> str:
    payment, person = found.payment, found.payment.person
    term, receipt = find_term_of_payment(payment.id), find_receipt(payment.id)
    membership = membership_of(person.id, clock.now(), clock.today()) if is_own else None
    has_card = membership is not None and membership.is_valid and find_card(person.id) is not None
    return render_template(
        f"payments/{page}.html", payment=payment, balance=found.balance, term=term, person=person, is_own=is_own,
        membership=membership, receipt_number=receipt.number if receipt else None, has_card=has_card,
        gift=db.session.get(Gift, payment.id), today=clock.today(), again_url=_again_url(payment, is_own), **facts,
    )  # fmt: skip


def _again_url(payment: Payment, is_own: bool) -> str:
    """Where the same may be taken up once more."""
    if not is_own:
        link = session.get("renewal_link")
        return url_for("renewal_links.offer", token=link) if link else url_for("accounts.sign_in", next="/renew")
    page = {"rejoin": "payments.join", "gift": "gifts.give"}.get(payment.kind, f"payments.{payment.kind}")
    return url_for(page, tier=payment.tier.code)
