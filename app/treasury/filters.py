"""What the treasurer looks for among payments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, or_, select

from app.errors import Refusal
from app.payments.models import METHODS, Payment, Receipt
from app.people.models import Person
from app.people.service import number_in
from app.treasury.rules import NEEDS, number_in_reference

STATES = ("paid", "refunded", "disputed", "donated", "waiting", "open", *(code for code in NEEDS if code != "disputed"))


@dataclass(frozen=True)
class Filter:
    """What the treasurer looks for; None and "" mean everything. Days are value dates, both included."""

    text: str = ""
    from_on: date | None = None
    to_on: date | None = None
    method: str = ""
    state: str = ""


def read_filter(query: dict[str, str]) -> Filter:
    """From a page's query or an export's. Raises Refusal naming what cannot be read."""
    method, state = query.get("method", ""), query.get("state", "")
    if method and method not in METHODS:
        raise Refusal("bad_filter", _("There is no method %(method)s.", method=repr(method)))
    if state and state not in STATES:
        raise Refusal("bad_filter", _("There is no state %(state)s.", state=repr(state)))
    text = query.get("text", "").replace("\0", "").strip()[:100]  # PostgreSQL knows no NUL
    wanted = Filter(text, _day(query, "from"), _day(query, "to"), method, state)
    if wanted.from_on and wanted.to_on and wanted.from_on > wanted.to_on:
        raise Refusal("bad_filter", _("The first day is after the last one."))
    return wanted


def _day(query: dict[str, str], name: str) -> date | None:
    text = query.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Refusal("bad_filter", _("%(text)s is not a day such as 2026-11-23.", text=repr(text))) from None


def about(wanted: Filter) -> list[ColumnElement[bool]]:
    """Whose payments, and by which method, as conditions on a query of Payment and Person."""
    conditions: list[ColumnElement[bool]] = [Payment.method == wanted.method] if wanted.method else []
    if not wanted.text:
        return conditions
    text = wanted.text.lower()
    either: list[ColumnElement[bool]] = [
        func.lower(Person.given_name + " " + Person.family_name).contains(text, autoescape=True),
        Person.email == text,
        *(column == wanted.text for column in (
            Payment.stripe_payment_intent_id, Payment.stripe_checkout_id, Payment.stripe_invoice_id
        )),
    ]  # fmt: skip
    number = number_in(wanted.text)
    if number is not None:
        either.append(Person.id == number)
    match = re.fullmatch(r"(p-|r?)(\d{4})-(\d{1,9})", (number_in_reference(wanted.text) or text).lower(), re.ASCII)
    if match and match[1] == "p-":
        either.append(Payment.id == int(match[3]))
    elif match:
        receipts = select(Receipt.payment_id).where(
            Receipt.series == match[1].upper(), Receipt.year == int(match[2]), Receipt.n == int(match[3])
        )
        either.append(Payment.id.in_(receipts))
    return [*conditions, or_(*either)]
