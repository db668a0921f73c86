"""Why somebody is a member on a day: the payment or grant behind every day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.accounts.service import actor_name
from app.errors import Refusal
from app.extensions import db
from app.formats import day_short, format_money
from app.memberships.models import Term
from app.memberships.service import (
    CARRIED_OVER,
    FOR_LIFE,
    Standing,
    ended_word,
    get_tier_by_id,
    standing_as_known,
    standing_of,
    terms_of,
)
from app.payments.models import Payment
from app.payments.receipts import find_receipt
from app.people.models import Person


def explain(person: Person, now: datetime, as_of: date) -> dict[str, Any]:
    """The answer of `flask memberships explain --json`; days and payments as plain values.

    It is what is true of the day, holds included; `known_then` is what was answered on it, before later news. A last
    day is None for life.
    """
    then = _instant_of(as_of, now)
    standing, known = standing_of(person.id, then, as_of), standing_as_known(person.id, as_of, then)
    terms = terms_of(person.id)
    payments = _payments(terms)
    return {
        "person": person.member_number,
        "as_of": as_of.isoformat(),
        **_plain(standing),
        "terms": [
            {
                "tier": term.tier.code,
                "starts_on": term.starts_on.isoformat(),
                "ends_on": _iso(term.ends_on),
                "payment": payments[term.payment_id].number if term.payment_id else None,
                "granted_by": term.granted_by,
                "ended_because": term.ended_because,
                "sold_ends_on": _iso(term.sold_ends_on),
                "granted_because": term.granted_because,
            }
            for term in terms
        ],
        "because": _because(standing, terms, as_of, payments),
        "known_then": _plain(known),
    }


def _plain(standing: Standing) -> dict[str, str | None]:
    return {
        "status": standing.status,
        "tier": get_tier_by_id(standing.tier_id).code if standing.tier_id else None,
        "valid_until": _iso(standing.valid_until),
    }


def _iso(last_day: date | None) -> str | None:
    """A last day for machines; for life has none."""
    return last_day.isoformat() if last_day is not None and last_day != FOR_LIFE else None


def _instant_of(day: date, now: datetime) -> datetime:
    """When to ask for holds: now, or for a day that has passed its last moment."""
    return min(now, clock.day_end(day) - timedelta(microseconds=1)) if day < clock.day_of(now) else now


def _payments(terms: Sequence[Term]) -> dict[int, Payment]:
    """The payments behind terms, a giver's too."""
    query = select(Payment).where(Payment.id.in_({term.payment_id for term in terms if term.payment_id}))
    return {payment.id: payment for payment in db.session.execute(query).scalars()}


def _because(standing: Standing, terms: list[Term], day: date, payments: dict[int, Payment]) -> str:
    held = [term for term in terms if term.ends_on >= term.starts_on]
    current = next((t for t in held if t.starts_on <= day <= t.ends_on), None)
    past = [t for t in held if t.ends_on < day]
    if current is None and past:
        current = past[-1]
    if current is None:
        emptied = [t for t in terms if t.ended_because]
        return _("no day of membership so far") + (f" ({ended_word(emptied[-1].ended_because)})" if emptied else "")
    words = {
        "active": _("a member on this day"),
        "grace": _("in grace on this day"),
        "lapsed": _("no longer a member on this day"),
        "suspended": _("on hold on this day"),
    }[standing.status]
    source = _source(current, terms, payments)
    ended = _("; ended on %(day)s: %(why)s", day=day_short(current.ends_on), why=ended_word(current.ended_because))
    return _("%(what)s because %(source)s", what=words, source=source) + (ended if current.ended_because else "")


def _source(term: Term, terms: list[Term], payments: dict[int, Payment]) -> str:
    """The payment or grant that gave a term's days; of an upgrade, also what it was bought upon."""
    by_id = {it.id: it for it in terms}
    while term.continues_id is not None:
        term = by_id[term.continues_id]
    days = _days(term)
    if term.payment_id is None:
        if term.granted_because == CARRIED_OVER:
            return _("membership of %(days)s was carried over from the older system", days=days)
        return _(
            "%(who)s granted %(days)s (%(why)s)", who=actor_name(term.granted_by), days=days, why=term.granted_because
        )
    payment = payments[term.payment_id]
    facts = {
        "number": payment.number, "amount": format_money(payment.amount_cents, payment.currency),
        "day": day_short(payment.paid_on or payment.opened_on), "days": days, "tier": term.tier.name,
    }  # fmt: skip
    if term.upgrades_id is not None:
        upgraded = _("payment %(number)s of %(amount)s on %(day)s raised %(days)s to %(tier)s", **facts)
        return _("%(this)s, after %(that)s", this=upgraded, that=_source(by_id[term.upgrades_id], terms, payments))
    if payment.person_id != term.person_id:
        return _("payment %(number)s of %(amount)s on %(day)s, a gift, bought %(days)s", **facts)
    return _("payment %(number)s of %(amount)s on %(day)s bought %(days)s", **facts)


def _days(term: Term) -> str:
    if term.sold_ends_on == FOR_LIFE:
        return _("%(day)s and every day after it", day=day_short(term.starts_on))
    return f"{day_short(term.starts_on)} – {day_short(term.sold_ends_on)}"


def term_rows(person: Person) -> list[dict[str, Any]]:
    """Terms for a page, newest first, each with the payment or grant behind it."""
    terms = terms_of(person.id)
    payments = _payments(terms)
    rows = []
    for term in reversed(terms):
        payment = payments.get(term.payment_id) if term.payment_id else None
        is_own = payment is not None and payment.person_id == person.id
        receipt = find_receipt(payment.id) if payment and is_own else None
        methods = {"online": _("Online"), "transfer": _("Transfer"), "cash": _("Cash")}
        rows.append(
            {
                "tier": term.tier, "starts_on": term.starts_on, "ends_on": term.ends_on,
                "sold_ends_on": term.sold_ends_on, "granted_by": term.granted_by,
                "granted_because": _("carried over") if term.granted_because == CARRIED_OVER else term.granted_because,
                "ended_because": ended_word(term.ended_because), "is_upgrade": term.upgrades_id is not None,
                "payment": payment and {
                    "number": payment.number, "receipt_number": receipt.number if receipt else None,
                    "paid_on": payment.paid_on, "amount_cents": payment.amount_cents, "currency": payment.currency,
                    "method": methods[payment.method] if is_own else _("A gift"),
                },
            }
        )  # fmt: skip
    return rows


def today_for(as_of: str | None) -> date:
    """A day typed as 2026-11-23, else today. Raises Refusal."""
    try:
        return date.fromisoformat(as_of) if as_of else clock.today()
    except ValueError:
        raise Refusal("bad_day", _("%(text)s is not a day such as 2026-11-23.", text=repr(as_of))) from None
