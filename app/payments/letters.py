"""What people are told of their money: each letter looks at what is true when it leaves, not when it was ordered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import current_app
from sqlalchemy import select

from app import clock, mail
from app.association import get_association
from app.extensions import db
from app.mail import Attachment, language_of
from app.memberships.service import find_term_of_payment, membership_of
from app.payments import ledger, service
from app.payments.models import Dispute, Gift, Payment, Receipt, Refund
from app.payments.receipt_facts import cause_of
from app.payments.receipt_pdf import receipt_pdf
from app.payments.receipts import receipts_of
from app.payments.transfers import reference_of

PAGES = {"join": "/join", "rejoin": "/join", "renew": "/renew", "upgrade": "/upgrade", "gift": "/gift"}
ENDED = ("refunded", "withdrawn", "dispute_lost", "merge")


def mail_receipt(now: datetime, payment_id: int) -> None:
    """What a fee bought, with the receipt. Not for days that ended meanwhile: another letter says so."""
    payment = db.session.get_one(Payment, payment_id)
    receipts = receipts_of(payment_id)
    if not receipts:
        return
    attachments = [attached(receipts[0])]
    gift = db.session.get(Gift, payment_id)
    if gift is not None:
        _write(payment, "gift_paid", f"receipt:{payment_id}", attachments, receipt=receipts[0], gift=gift)
        return
    term = find_term_of_payment(payment_id)
    if term is None or term.ended_because in ENDED:
        return
    _write(
        payment, "receipt", f"receipt:{payment_id}", attachments, receipt=receipts[0], term=term,
        card_url=url("/card"), moved=_moved(payment, term.starts_on, term.sold_ends_on),
        excess_cents=ledger.balance_of(payment_id).unallocated_cents,
        renews=payment.wants_auto_renewal or service.find_auto_renewal(payment.person_id) is not None,
    )  # fmt: skip


def mail_rectified(now: datetime, receipt_id: int) -> None:
    """Money went back: how much, and what that leaves of the membership."""
    receipt = db.session.get_one(Receipt, receipt_id)
    payment = db.session.get_one(Payment, receipt.payment_id)
    membership = membership_of(payment.person_id, now, clock.today())
    _write(
        payment, "rectified", f"rectified:{receipt_id}", [attached(receipt)], receipt=receipt,
        rectifies=receipts_of(payment.id)[0].number, cause=cause_of(receipt), account_url=url("/account"),
        until=member_until(payment.person_id, now), is_over=membership.status in ("none", "lapsed"),
        ended_on=membership.valid_until if membership.status == "lapsed" else None,
        is_gone=service.view(payment).state == "refunded",
    )  # fmt: skip


def mail_receipt_again(now: datetime, receipt_id: int) -> None:
    """Money that had gone back is here after all."""
    receipt = db.session.get_one(Receipt, receipt_id)
    payment = db.session.get_one(Payment, receipt.payment_id)
    term = find_term_of_payment(payment.id)
    is_back = payment.kind == "gift" or (term is not None and term.ended_because not in ENDED)
    _write(
        payment, "receipt_again", f"receipt-again:{receipt_id}", [attached(receipt)], receipt=receipt,
        account_url=url("/account"), is_back=is_back, until=member_until(payment.person_id, now),
    )  # fmt: skip


def mail_debit_pending(now: datetime, payment_id: int) -> None:
    payment = db.session.get_one(Payment, payment_id)
    if payment.paid_at is None and payment.closed_at is None and payment.completed_at is not None:
        _write(
            payment, "debit_pending", f"debit-pending:{_attempt(payment)}", payment_url=_page_of(payment),
            is_newcomer=payment.kind in ("join", "rejoin"), until=member_until(payment.person_id, now),
        )  # fmt: skip


def mail_not_paid(now: datetime, payment_id: int) -> None:
    payment = db.session.get_one(Payment, payment_id)
    if payment.paid_at is None:
        _write(
            payment, "not_paid", f"not-paid:{_attempt(payment)}", until=member_until(payment.person_id, now),
            offer_url=url(f"{PAGES[payment.kind]}?tier={payment.tier.code}"),
        )  # fmt: skip


def mail_transfer_order(now: datetime, payment_id: int) -> None:
    payment, association = db.session.get_one(Payment, payment_id), get_association()
    if payment.paid_at is None and payment.closed_at is None and association.iban:
        _write(
            payment, "transfer_order", f"transfer-order:{payment_id}", iban=association.iban,
            holder=association.legal_name or f"{association.name} {association.kind}",
            reference=reference_of(payment), payment_url=_page_of(payment),
        )  # fmt: skip


def mail_rest_due(now: datetime, payment_id: int) -> None:
    payment, association = db.session.get_one(Payment, payment_id), get_association()
    came_cents = ledger.balance_of(payment_id).unallocated_cents
    if payment.paid_at is None and 0 < came_cents < payment.amount_cents:
        _write(
            payment, "rest_due", f"rest-due:{payment_id}:{came_cents}", came_cents=came_cents,
            rest_cents=payment.amount_cents - came_cents, payment_url=_page_of(payment),
            iban=association.iban, reference=reference_of(payment),
        )  # fmt: skip


def mail_unallocated(now: datetime, payment_id: int) -> None:
    """Nothing to tell once the treasurer has decided about it."""
    payment = db.session.get_one(Payment, payment_id)
    cents = ledger.balance_of(payment_id).unallocated_cents
    if cents > 0:
        _write(
            payment, "unallocated", f"unallocated:{payment_id}:{cents}", cents=cents,
            until=member_until(payment.person_id, now),
        )  # fmt: skip


def mail_on_hold(now: datetime, payment_id: int) -> None:
    dispute, term = _newest_dispute(payment_id), find_term_of_payment(payment_id)
    if dispute is not None and dispute.status == "open" and term is not None:
        payment = db.session.get_one(Payment, payment_id)
        _write(payment, "on_hold", f"on-hold:{dispute.id}", dispute=dispute, term=term)


def mail_off_hold(now: datetime, payment_id: int) -> None:
    dispute, term = _newest_dispute(payment_id), find_term_of_payment(payment_id)
    if dispute is not None and dispute.status == "won" and term is not None:
        payment = db.session.get_one(Payment, payment_id)
        _write(
            payment, "off_hold", f"off-hold:{dispute.id}", card_url=url("/card"),
            until=member_until(payment.person_id, now),
        )  # fmt: skip


def mail_withdrawal(now: datetime, refund_id: int) -> None:
    """The acknowledgement a withdrawal is owed, with what was declared and when (Directive 2023/2673)."""
    refund = db.session.get_one(Refund, refund_id)
    _write(
        refund.payment, "withdrawal", f"withdrawal:{refund_id}", refund=refund,
        term=find_term_of_payment(refund.payment_id),
    )  # fmt: skip


def url(path: str) -> str:
    """A page of ours, as letters write it."""
    return f"{current_app.config['BASE_URL']}{path}"


def attached(receipt: Receipt) -> Attachment:
    return Attachment(f"{receipt.number}.pdf", receipt_pdf(receipt), "application/pdf")


def member_until(person_id: int, now: datetime) -> date | None:
    """The last day somebody is a member as it stands, grace included; None for others, and where there is no end."""
    membership = membership_of(person_id, now, clock.today())
    if not membership.is_valid or membership.is_for_life:
        return None
    return membership.grace_until or membership.valid_until


def _write(payment: Payment, name: str, key: str, attachments: list[Attachment] | None = None, **facts: Any) -> None:
    """To whoever was asked for the fee. Nothing to write to where nobody has an address."""
    person = payment.person
    if person.email is not None:
        mail.send(
            person.email, name, language_of(person.language, payment.locale), key, attachments=attachments or (),
            person=person, payment=payment, **facts,
        )  # fmt: skip


def _attempt(payment: Payment) -> str:
    """What tells one debit of a payment from the next."""
    return payment.stripe_payment_intent_id or str(payment.id)


def _page_of(payment: Payment) -> str:
    """Where it says how a payment stands, or how to transfer it."""
    return url(f"/payments/{payment.number}/{'transfer' if payment.method == 'transfer' else 'done'}")


def _moved(payment: Payment, starts_on: date, ends_on: date) -> str | None:
    """Whether other days were bought than offered: "late" or "arrived" (a newcomer's, said before paying)."""
    if (starts_on, ends_on) == (payment.offer_starts_on, payment.offer_ends_on) or payment.paid_on is None:
        return None
    return "late" if payment.paid_on > payment.offer_holds_until else "arrived"


def _newest_dispute(payment_id: int) -> Dispute | None:
    query = select(Dispute).where(Dispute.payment_id == payment_id).order_by(Dispute.id.desc()).limit(1)
    return db.session.execute(query).scalar()
