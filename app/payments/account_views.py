"""On the account page: the history of payments, withdrawing from one, the tier of the next renewal."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.accounts import access
from app.accounts.signed_in import current_account, current_person
from app.errors import Refusal
from app.extensions import db
from app.memberships.service import choose_renewal_tier, find_term_of_payment, tiers_on_sale
from app.payments import ledger, service, withdrawals
from app.payments.history import history_of
from app.payments.models import Gift, Payment, Refund

bp = Blueprint("payment_account", __name__)


@bp.get("/account/payments")
@access.signed_in
def payments() -> ResponseReturnValue:
    person = current_person()
    if person is None:
        return redirect(url_for("portal.account"))
    return render_template("payments/history.html", rows=history_of(person, clock.today()))


@bp.get("/account/payments/<number>/withdraw")
@access.signed_in
def withdrawal(number: str) -> ResponseReturnValue:
    """Asks once before; afterwards says that we have it."""
    payment = service.get_own_payment(number, current_person())
    refund = _withdrawal_of(payment)
    last_day = withdrawals.last_day(payment, clock.today())
    if refund is None and last_day is None:
        raise Refusal("too_late", _("The time to withdraw from this payment is over. Ask the association."), 409)
    return render_template(
        "payments/withdrawal.html", payment=payment, refund=refund, last_day=last_day,
        cents=ledger.balance_of(payment.id).refundable_cents, term=find_term_of_payment(payment.id),
        gift=db.session.get(Gift, payment.id), auto_renewal=service.find_auto_renewal(payment.person_id),
        person=payment.person,
    )  # fmt: skip


@bp.post("/account/payments/<number>/withdraw")
@access.signed_in
def withdraw(number: str) -> ResponseReturnValue:
    payment = service.lock_payment(service.get_own_payment(number, current_person()))
    if _withdrawal_of(payment) is None:
        withdrawals.withdraw(payment, f"account:{current_account().id}", clock.now(), clock.today())
    db.session.commit()
    return redirect(url_for("payment_account.withdrawal", number=number), 303)


@bp.post("/account/renewal-tier")
@access.signed_in
def choose_tier() -> ResponseReturnValue:
    """Another tier from the next renewal on; none given takes the choice back."""
    person = current_person()
    if person is None:
        raise Refusal("not_a_member", _("There is no membership to renew yet."), 409)
    code, now, today = request.form.get("tier", ""), clock.now(), clock.today()
    tier = next((tier for tier in tiers_on_sale(person.id, today) if tier.code == code), None)
    if code and tier is None:
        raise Refusal("unknown_tier", _("This tier is not on sale for you. Choose another."))
    choose_renewal_tier(person.id, tier, now, today)
    db.session.commit()
    if tier is not None:
        flash(_("From your next renewal: %(tier)s. You can change it until then.", tier=tier.name), "ok")
    else:
        flash(_("Your next renewal is for the tier you have."), "ok")
    return redirect(url_for("portal.account"), 303)


def _withdrawal_of(payment: Payment) -> Refund | None:
    """The withdrawal that was declared, unless its money could not be sent."""
    query = select(Refund).where(
        Refund.payment_id == payment.id, Refund.cause == "withdrawn", Refund.status != "failed"
    )  # fmt: skip
    return db.session.execute(query.order_by(Refund.id.desc()).limit(1)).scalar()
