"""What the account page says of the time after the present days: renewing by itself, the next tier, withdrawing."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from app.association import get_association
from app.memberships.service import (
    find_renewal_choice,
    membership_of,
    price_on,
    renewal_tier,
    tiers_on_sale,
)
from app.payments import renewing, transfers
from app.payments import service as payments
from app.payments.history import history_of
from app.people.models import Person


def account_facts(person: Person, now: datetime, today: date) -> dict[str, Any]:
    """The money part of portal/account.html's context."""
    membership = membership_of(person.id, now, today)
    renewal = payments.find_auto_renewal(person.id)
    charge = renewing.next_charge(person.id, now, today, renewal)
    rows = history_of(person, today)
    choice = find_renewal_choice(person.id)
    is_running = membership.is_valid and not membership.is_for_life
    return {
        "membership": membership,
        "auto_renewal": renewal,
        "charge": charge,
        "charge_on": _charged_on(charge, today) if charge and renewal is None else charge.on if charge else None,
        "is_late": renewal is not None and renewal.charge_on < today and not membership.has_future,
        "can_switch_on": charge is not None and payments.can_pay_online(),
        "choice": choice.tier if choice else None,
        "renewal_tier": renewal_tier(person.id, today),
        "tiers": [(tier, price_on(tier, today)) for tier in tiers_on_sale(person.id, today)] if is_running else [],
        "withdrawable": [row for row in rows if row.withdraw_until is not None],
        "withdrawn": [row for row in rows if row.withdrawal is not None and row.withdrawal.status == "requested"],
        "orders": transfers.open_orders(person.id),
        "has_payments": bool(rows),
    }


def _charged_on(charge: renewing.Charge, today: date) -> date:
    """The first charge of a wish made today: never sooner than it can be announced."""
    if charge.on <= today + timedelta(days=get_association().renewal_notice_days):
        return max(charge.on, today + renewing.LEAST_NOTICE)
    return charge.on
