"""A year for somebody else: paid by the giver, a term once its recipient accepts it."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import gettext as _

from app import audit, jobs
from app.cards.service import ensure_card
from app.errors import Refusal
from app.extensions import db
from app.memberships.models import Term
from app.memberships.service import find_term_of_payment, sell_gift
from app.payments import service
from app.payments.models import Gift, Payment
from app.payments.settling import lock_payment, lock_person
from app.people.models import Person


def get_gift(payment_id: int) -> Gift:
    """One that can still be accepted, or was. Raises Refusal when its money went back or never came."""
    gift = db.session.get(Gift, payment_id)
    found = service.view(gift.payment) if gift is not None else None
    if gift is None or found is None or found.state != "paid" or found.balance.fees_cents <= 0:
        raise Refusal("unknown_gift", _("This gift is not there any more. Ask whoever gave it to you."), 404)
    return gift


def accept(gift: Gift, person: Person, now: datetime, today: date) -> Term:
    """Make a gift its recipient's days, after all that they have. Accepted again by the same person, the same term.

    Raises Refusal when somebody else has accepted it.
    """
    lock_person(person.id)
    lock_payment(gift.payment)
    db.session.refresh(gift)
    if gift.recipient_id not in (None, person.id):
        raise Refusal("gift_taken", _("Somebody has accepted this gift already."), 409)
    payment: Payment = get_gift(gift.payment_id).payment
    existing = find_term_of_payment(payment.id)
    if existing is not None:
        return existing
    dispute = service.view(payment).dispute
    if dispute is not None and dispute.status == "open":
        raise Refusal("gift_disputed", _("A bank is looking at the payment of this gift. Try again later."), 409)
    term = sell_gift(person.id, payment.tier, payment.id, now, today)
    gift.accepted_at, gift.recipient_id = now, person.id
    db.session.flush()
    audit.record("gift_accepted", f"payment:{payment.id}", now, person=person.id)
    ensure_card(person.id, now)
    jobs.enqueue("mail_gift_accepted", now, key=f"gift-accepted:{payment.id}", payment_id=payment.id)
    return term
