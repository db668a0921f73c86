"""Letters about a gift: to the one who gets it, and back to the one who gives it."""

from __future__ import annotations

from datetime import datetime

from app import mail
from app.extensions import db
from app.mail import language_of
from app.memberships import renewal_links
from app.memberships.service import find_term_of_payment
from app.payments import service
from app.payments.letters import url
from app.payments.models import Gift


def mail_gift(now: datetime, payment_id: int) -> None:
    """Tell whom it is for. Not once it was accepted, nor when its money went back."""
    gift = db.session.get_one(Gift, payment_id)
    payment = gift.payment
    if gift.accepted_at is None and service.view(payment).state == "paid":
        mail.send(
            gift.recipient_email, "gift", language_of(payment.locale), f"gift:{payment_id}", gift=gift,
            tier=payment.tier, giver_name=payment.person.full_name,
            accept_url=url(f"/gift/{renewal_links.make('gift', payment_id, now)}"),
        )  # fmt: skip


def mail_gift_accepted(now: datetime, payment_id: int) -> None:
    gift, term = db.session.get_one(Gift, payment_id), find_term_of_payment(payment_id)
    giver = gift.payment.person
    if giver.email is not None and term is not None:
        mail.send(
            giver.email, "gift_accepted", language_of(giver.language, gift.payment.locale),
            f"gift-accepted:{payment_id}", person=giver, payment=gift.payment, gift=gift, term=term,
        )  # fmt: skip
