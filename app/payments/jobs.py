"""What payments do after the request: the receipt's mail, a checkout to close, the hourly sweep."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _

from app import jobs, mail
from app.extensions import db
from app.formats import day_long
from app.memberships.service import find_term_of_payment
from app.payments import checkouts, gateway
from app.payments.models import Payment
from app.payments.receipts import find_receipt


def mail_receipt(now: datetime, payment_id: int) -> None:
    """Tell somebody what their fee bought. Nothing to tell where nobody has an address."""
    payment = db.session.get_one(Payment, payment_id)
    term, receipt = find_term_of_payment(payment_id), find_receipt(payment_id)
    if payment.person.email is None or term is None or receipt is None:
        return
    with force_locale(payment.locale):
        subject = _("A member until %(day)s", day=day_long(term.ends_on))
    mail.send(
        payment.person.email, subject, "receipt", payment.locale, f"receipt:{payment_id}", payment=payment, term=term,
        receipt=receipt, person=payment.person, card_url=f"{current_app.config['BASE_URL']}/card",
    )  # fmt: skip


def close_checkout(now: datetime, payment_id: int) -> None:
    """Somebody paid otherwise: the page they left open must not take a second fee."""
    checkouts.close_at_provider(payment_id, "replaced")


def sweep(now: datetime) -> None:
    if gateway.is_configured():
        checkouts.sweep()


def register() -> None:
    jobs.handles("mail_receipt", mail_receipt)
    jobs.handles("close_checkout", close_checkout)
    jobs.handles("sweep_payments", sweep)
    jobs.every(timedelta(hours=1), "sweep_payments")
