"""Why somebody is a member on a day: the payment or grant behind every day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _

from app import clock
from app.errors import Refusal
from app.formats import day_short, format_money
from app.memberships.models import Term
from app.memberships.service import ended_word, get_tier_by_id, standing_of, terms_of
from app.payments.receipts import find_receipt
from app.payments.service import payments_of
from app.people.models import Person


def explain(person: Person, now: datetime, as_of: date) -> dict[str, Any]:
    """The answer of `flask memberships explain --json`; days and payments as plain values."""
    standing = standing_of(person.id, now, as_of)
    terms = terms_of(person.id)
    numbers = {payment.id: payment for payment in payments_of(person.id)}
    return {
        "person": person.member_number,
        "as_of": as_of.isoformat(),
        "status": standing.status,
        "tier": get_tier_by_id(standing.tier_id).code if standing.tier_id else None,
        "valid_until": standing.valid_until.isoformat() if standing.valid_until else None,
        "terms": [
            {
                "tier": term.tier.code,
                "starts_on": term.starts_on.isoformat(),
                "ends_on": term.ends_on.isoformat(),
                "payment": numbers[term.payment_id].number if term.payment_id else None,
                "granted_by": term.granted_by,
                "ended_because": term.ended_because,
            }
            for term in terms
        ],
        "because": _because(standing.status, terms, as_of, numbers),
    }


def _because(status: str, terms: list[Term], day: date, payments: dict[int, Any]) -> str:
    held = [term for term in terms if term.ends_on >= term.starts_on]
    current = next((t for t in held if t.starts_on <= day <= t.ends_on), None)
    past = [t for t in held if t.ends_on < day]
    if current is None and status in ("grace", "lapsed", "suspended") and past:
        current = past[-1]
    if current is None:
        emptied = [t for t in terms if t.ended_because]
        return _("no day of membership so far") + (f" ({ended_word(emptied[-1].ended_because)})" if emptied else "")
    words = {
        "active": _("a member on this day"),
        "grace": _("in grace on this day"),
        "lapsed": _("no longer a member on this day"),
        "suspended": _("on hold on this day"),
    }[status]
    days = f"{day_short(current.starts_on)} – {day_short(current.sold_ends_on)}"
    if current.payment_id is None:
        source = _("%(who)s granted %(days)s (%(why)s)", who=current.granted_by, days=days, why=current.granted_because)
    else:
        payment = payments[current.payment_id]
        source = _(
            "payment %(number)s of %(amount)s on %(day)s bought %(days)s",
            number=payment.number, amount=format_money(payment.amount_cents, payment.currency),
            day=day_short(payment.paid_on), days=days,
        )  # fmt: skip
    ended = _("; ended on %(day)s: %(why)s", day=day_short(current.ends_on), why=ended_word(current.ended_because))
    return _("%(what)s because %(source)s", what=words, source=source) + (ended if current.ended_because else "")


def term_rows(person: Person) -> list[dict[str, Any]]:
    """Terms for a page, newest first, each with the payment or grant behind it."""
    payments = {payment.id: payment for payment in payments_of(person.id)}
    rows = []
    for term in reversed(terms_of(person.id)):
        payment = payments.get(term.payment_id) if term.payment_id else None
        receipt = find_receipt(payment.id) if payment else None
        rows.append(
            {
                "tier": term.tier, "starts_on": term.starts_on, "ends_on": term.ends_on,
                "sold_ends_on": term.sold_ends_on, "granted_by": term.granted_by,
                "granted_because": term.granted_because, "ended_because": ended_word(term.ended_because),
                "payment": payment and {
                    "number": payment.number, "receipt_number": receipt.number if receipt else None,
                    "paid_on": payment.paid_on, "amount_cents": payment.amount_cents, "currency": payment.currency,
                    "method": {"online": _("Online"), "transfer": _("Transfer"), "cash": _("Cash")}[payment.method],
                },
            }
        )  # fmt: skip
    return rows


def today_for(as_of: str | None) -> date:
    """A day typed as 2026-11-23, else today. Raises Refusal."""
    try:
        return date.fromisoformat(as_of) if as_of else clock.today()
    except ValueError:
        raise Refusal("bad_day", f"{as_of!r} is not a day such as 2026-11-23.") from None
