"""Receipts as files: for whoever paid, and for the treasurer."""

from __future__ import annotations

import re

from flask import Blueprint, Response
from flask_babel import gettext as _
from sqlalchemy import select

from app.accounts import access
from app.accounts.signed_in import current_person
from app.errors import Refusal
from app.extensions import db
from app.payments.models import Payment, Receipt
from app.payments.receipt_pdf import receipt_pdf

bp = Blueprint("receipts", __name__)


@bp.get("/account/receipts/<number>.pdf")
@access.signed_in
def own(number: str) -> Response:
    """Somebody else's is as unknown as one that never was."""
    receipt, person = _find(number), current_person()
    if receipt is None or person is None or _payer(receipt) != person.id:
        raise _unknown()
    return _file(receipt)


@bp.get("/treasury/receipts/<number>.pdf")
@access.treasurer
def any_receipt(number: str) -> Response:
    receipt = _find(number)
    if receipt is None:
        raise _unknown()
    return _file(receipt)


def _find(number: str) -> Receipt | None:
    match = re.fullmatch(r"(R?)(\d{4})-(\d{6,9})", number, re.ASCII)
    if match is None:
        return None
    query = select(Receipt).where(Receipt.series == match[1], Receipt.year == int(match[2]), Receipt.n == int(match[3]))
    return db.session.execute(query).scalar_one_or_none()


def _payer(receipt: Receipt) -> int:
    return db.session.get_one(Payment, receipt.payment_id).person_id


def _unknown() -> Refusal:
    return Refusal("unknown_receipt", _("There is no such receipt."), 404)


def _file(receipt: Receipt) -> Response:
    response = Response(receipt_pdf(receipt), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{receipt.number}.pdf"'
    return response
