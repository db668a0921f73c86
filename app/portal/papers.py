"""The association's own particulars: what letters, receipts and transfers say."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from stdnum import bic, iban
from stdnum.exceptions import ValidationError

from app import audit
from app.association import Association, get_association
from app.errors import Refusal
from app.people.service import is_email

NAMED = ("name", "kind", "contact_email")  # never blank
DAYS = {"withdrawal_days": (0, 365), "renewal_notice_days": (15, 90), "scan_days": (1, 366)}


def change_association(given: dict[str, str], now: datetime) -> Association:
    """Set what is given, as text; what is left out stays. Raises Refusal."""
    changes = {field: _read(field, text.replace("\0", "").strip()) for field, text in given.items()}
    row = get_association(for_update=True)
    changed = sorted(field for field, value in changes.items() if getattr(row, field) != value)
    for field in changed:
        setattr(row, field, changes[field])
    if row.iban is None and row.bic is not None:
        raise Refusal("bic_without_iban", _("A BIC goes with an IBAN: give both, or neither."))
    if changed:
        audit.record("association_changed", "association:1", now, fields=changed)
    return row


def _read(field: str, text: str) -> str | int | None:
    if field in DAYS:
        return _days(text, *DAYS[field])
    if field in NAMED and not text:
        raise Refusal("blank_name", _("Name, kind and address for letters cannot be blank."))
    if len(text) > 500:
        raise Refusal("too_long", _("That is too long."))
    if field == "contact_email" and not is_email(text):
        raise Refusal("bad_email", _("%(text)s is not an address.", text=repr(text)))
    if field == "iban" and text:
        return _iban(text)
    if field == "bic" and text:
        return _bic(text)
    return text or None


def _iban(text: str) -> str:
    try:
        return str(iban.validate(text))
    except ValidationError:
        detail = _("%(text)s is no IBAN: a digit is wrong or missing. Copy it from a bank statement.", text=repr(text))
        raise Refusal("bad_iban", detail) from None


def _bic(text: str) -> str:
    try:
        return str(bic.validate(text))
    except ValidationError:
        detail = _("%(text)s is no BIC: it has 8 or 11 letters and digits, such as CAIXESBBXXX.", text=repr(text))
        raise Refusal("bad_bic", detail) from None


def _days(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 5 and least <= int(text) <= most):
        raise Refusal("bad_days", _("%(text)s is not a number of days from %(least)d to %(most)d.",
                                    text=repr(text), least=least, most=most))  # fmt: skip
    return int(text)
