"""Letters about a gift: to the one who gets it, and back to the one who gives it."""

from __future__ import annotations

from datetime import datetime

from app import clock, mail
from app.extensions import db
from app.mail import language_of
from app.memberships import renewal_links
from app.memberships.service import find_term_of_payment, membership_of
from app.payments import service
from app.payments.letters import member_until, url
from app.payments.models import Gift
from app.people.models import Person


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


def mail_gift_ended(now: datetime, payment_id: int) -> None:
    """Tell who accepted a gift that its days ended with the giver's money. Not once the money is here again."""
    gift, term = db.session.get_one(Gift, payment_id), find_term_of_payment(payment_id)
    recipient = db.session.get(Person, gift.recipient_id) if gift.recipient_id is not None else None
    if recipient is None or term is None or service.view(gift.payment).state != "refunded":
        return
    membership = membership_of(recipient.id, now, clock.today())
    mail.send(
        recipient.email or gift.recipient_email, "gift_ended", language_of(recipient.language, gift.payment.locale),
        f"gift-ended:{payment_id}:{term.ends_on}", person=recipient, gift=gift, tier=gift.payment.tier, term=term,
        account_url=url("/account"), until=member_until(recipient.id, now),
        ended_on=membership.valid_until if membership.status == "lapsed" else None,
        is_over=membership.status in ("none", "lapsed"),
    )  # fmt: skip
