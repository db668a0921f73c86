"""Paying by bank transfer: what to write on it, as text and as a code that a banking app scans."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import select
from stdnum.iso7064 import mod_97_10

from app import jobs
from app.association import Association, get_association
from app.errors import Refusal
from app.extensions import db
from app.payments import ledger
from app.payments.models import Payment
from app.payments.service import Wanted, add_payment, asks_for, find_pending_payment, offer_of
from app.payments.settling import close_payment, lock_person
from app.people.models import Person


def reference_of(payment: Payment) -> str:
    """The creditor reference of a payment (ISO 11649): RF, two check digits, its number without dashes."""
    body = payment.number.replace("-", "")
    return f"RF{mod_97_10.calc_check_digits(body + 'RF')}{body}"


def epc_text(payment: Payment, association: Association, cents: int) -> str:
    """What a banking app's camera reads (European Payments Council, EPC069-12, version 2)."""
    return "\n".join(
        ("BCD", "002", "1", "SCT", association.bic or "", account_holder(association)[:70], association.iban or "",
         f"{payment.currency}{cents // 100}.{cents % 100:02d}", "", reference_of(payment), "", "")
    ).rstrip("\n")  # fmt: skip


def account_holder(association: Association) -> str:
    """Whom the money goes to, as a bank asks it."""
    return association.legal_name or f"{association.name} {association.kind}"


def order_transfer(person: Person, wanted: Wanted, by: str, locale: str, now: datetime, today: date) -> Payment:
    """Ask for a fee by bank transfer; the open order when it asks for the same. Raises Refusal."""
    if get_association().iban is None:
        raise Refusal("transfers_not_set_up", _("Paying by bank transfer is not set up here."), 409)
    lock_person(person.id)
    if find_pending_payment(person.id) is not None:
        raise Refusal("payment_pending", _("Your payment is on its way. Please don’t pay a second time."), 409)
    offered = offer_of(person.id, wanted, now, today)
    for order in open_orders(person.id):
        if asks_for(order, wanted, offered):
            return order
        if not ledger.balance_of(order.id).received_cents:
            close_payment(order, "replaced", now)
    payment = add_payment(person.id, wanted, offered, "transfer", by, locale, now, today)
    jobs.enqueue("mail_transfer_order", now, key=f"transfer-order:{payment.id}", payment_id=payment.id)
    return payment


def open_orders(person_id: int) -> list[Payment]:
    """What somebody may still pay by transfer, newest first."""
    query = select(Payment).where(
        Payment.person_id == person_id, Payment.method == "transfer", Payment.paid_at.is_(None),
        Payment.closed_at.is_(None),
    )  # fmt: skip
    return list(db.session.execute(query.order_by(Payment.id.desc())).scalars())


def missing_cents(payment: Payment) -> int:
    """What is left to pay of an order."""
    return payment.amount_cents - ledger.balance_of(payment.id).unallocated_cents
