"""What a member gets, what is left of it, and what the running year's fee brought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app import clock
from app.benefits.codes import live_codes
from app.benefits.models import Benefit, BenefitCode, Redemption
from app.benefits.redeeming import limit_remaining, period_today
from app.benefits.refusing import limit_words
from app.benefits.service import list_benefits, why_not
from app.benefits.uses import brought, redemptions_of
from app.benefits.words import how_often, left_words, takes_off_words
from app.memberships.service import Standing, membership_of, own_year_of, standing_of
from app.payments.history import HistoryRow, history_of
from app.people.models import Person
from app.services.service import list_services

MOST_USES = 10
NOBODYS = ("closed", "over")
COUNT = ("confirmed", "reserved")


@dataclass(frozen=True)
class Shown:
    """One benefit as a member's page shows it; `why_not` is None where it is theirs today."""

    benefit: Benefit
    partner: str | None
    why_not: str | None
    left: int | None
    limit: str | None
    about: str | None
    takes_off: str | None
    tiers: list[str]
    codes: list[BenefitCode]


@dataclass(frozen=True)
class Line:
    """What one benefit brought."""

    benefit: Benefit
    uses: int
    last_on: date
    value_cents: int | None


@dataclass(frozen=True)
class WhatItBrought:
    """The uses of a year of membership, and what was paid for it; `fee_cents` is None where nothing was."""

    since: date
    lines: list[Line]
    total_cents: int
    fee_cents: int | None
    currency: str


@dataclass(frozen=True)
class Use:
    """One use that counts; `where` is the service that counted it."""

    benefit: Benefit
    on: date
    where: str | None
    is_reserved: bool
    value_cents: int | None
    currency: str


def benefit_facts(person: Person, now: datetime, today: date) -> dict[str, Any]:
    """The context of portal/benefits.html but for its form."""
    services = {service.id: service.name for service in list_services()}
    standing = standing_of(person.id, now, today)
    shown = [_shown(it, person.id, standing, services, now, today) for it in list_benefits()]
    uses = _uses_this_year(person.id, now, today)
    return {
        "membership": membership_of(person.id, now, today),
        "given": [it for it in shown if it.why_not is None],
        "others": [it for it in shown if it.why_not is not None and it.why_not not in NOBODYS],
        "brought": brought_by(person, history_of(person, today), today),
        "uses": [_use(it, services, now) for it in uses[:MOST_USES]],
    }


def brought_by(person: Person, payments: list[HistoryRow], today: date) -> WhatItBrought | None:
    """None before the first use of the year. `payments` are those of `history_of`."""
    year = own_year_of(person.id, today)
    if year is None:
        return None
    confirmed = [it for it in redemptions_of(person.id, year.starts_on, today) if it.state == "confirmed"]
    last = {it.benefit_id: it for it in reversed(confirmed)}
    currency = payments[0].currency if payments else "EUR"
    lines = [
        Line(it.benefit, it.uses, clock.day_of(last[it.benefit.id].created_at), it.value_cents)
        for it in brought(person.id, year)
        if it.currency == currency
    ]
    if not lines:
        return None
    paid = [
        row.amount_cents - sum(refund.amount_cents for refund in row.refunds if refund.status != "failed")
        for row in payments
        if row.term is not None and not row.is_received and row.kind != "gift" and row.currency == currency
        and year.starts_on <= row.term.starts_on <= year.ends_on
    ]  # fmt: skip
    return WhatItBrought(
        year.starts_on, lines, sum(line.value_cents or 0 for line in lines), sum(paid) or None, currency
    )


def _shown(
    benefit: Benefit, person_id: int, standing: Standing, services: dict[int, str], now: datetime, today: date
) -> Shown:
    why = why_not(benefit, standing, now, today)
    left = limit_remaining(benefit, person_id, now, today) if why is None else None
    period = period_today(benefit, person_id, today) if left == 0 else None
    about = limit_words(benefit, period) if period else left_words(benefit, left) if left is not None else None
    return Shown(
        benefit=benefit, partner=services.get(benefit.partner_id or 0), why_not=why, left=left,
        limit=how_often(benefit), about=about, takes_off=takes_off_words(benefit),
        tiers=[tier.name for tier in benefit.tiers],
        codes=live_codes(benefit, person_id, now) if benefit.by_code and why is None else [],
    )  # fmt: skip


def _uses_this_year(person_id: int, now: datetime, today: date) -> list[Redemption]:
    year = own_year_of(person_id, today)
    found = redemptions_of(person_id, year.starts_on, today) if year else []
    return [it for it in found if it.state_at(now) in COUNT]


def _use(it: Redemption, services: dict[int, str], now: datetime) -> Use:
    return Use(
        it.benefit, clock.day_of(it.created_at), services.get(it.service_id or 0), it.state == "reserved",
        it.value_cents, it.currency,
    )  # fmt: skip
