"""Reminders: one of each kind per term, whatever happens to the worker, and only to whom they are of use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import or_, select

from app import clock, jobs, mail
from app.extensions import db
from app.mail import language_of
from app.memberships import renewal_links
from app.memberships.models import Term
from app.memberships.service import (
    DueReminder,
    are_reminders_stopped,
    due_reminders,
    membership_of,
    note_reminder,
)
from app.payments.letters import url
from app.payments.models import AutoRenewal, Payment
from app.payments.renewal_letters import renewal_offer
from app.people.models import Person


def remind(now: datetime, today: date, dry_run: bool = False) -> list[DueReminder]:
    """Order the mail of every reminder that is due, once; what was ordered. A dry run only answers."""
    due = due_reminders(now, today)
    needless = _need_none([it.person_id for it in due])
    if dry_run:
        return [it for it in due if it.person_id not in needless]
    ordered = []
    for it in due:
        for kind in it.skipped_kinds:
            note_reminder(it.term_id, kind, "skipped", now)
        state = "skipped" if it.person_id in needless else "sent"
        if note_reminder(it.term_id, it.kind, state, now) and state == "sent":
            key = f"reminder:{it.term_id}:{it.kind}"
            jobs.enqueue("mail_reminder", now, key=key, term_id=it.term_id, kind=it.kind)
            ordered.append(it)
    return ordered


def mail_reminder(now: datetime, term_id: int, kind: int) -> None:
    """The price, the last day it buys and the link. Not when it is no longer true: renewed, stopped, paid or ended."""
    today = clock.today()
    term = db.session.get_one(Term, term_id)
    person, membership = term.person, membership_of(term.person_id, now, today)
    is_true = (
        term.ended_because is None
        and membership.valid_until == term.ends_on
        and membership.status in ("active", "grace", "lapsed")
    )
    offer = renewal_offer(person.id, now)
    if not is_true or offer is None or person.email is None:
        return
    if _need_none([person.id]) or are_reminders_stopped(person.id):
        return
    stop_link = url(f"/reminders/stop/{renewal_links.make('stop', person.id, now)}")
    mail.send(
        person.email, "reminder", language_of(person.language), f"reminder:{term_id}:{kind}",
        headers={"List-Unsubscribe": f"<{stop_link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        person=person, offer=offer, renew_url=offer.url, stop_link=stop_link, tier_name=term.tier.name,
        ends_on=term.ends_on, grace_until=membership.grace_until, days_left=(term.ends_on - today).days,
    )  # fmt: skip


def _need_none(person_ids: Sequence[int]) -> set[int]:
    """Who renews by itself, whose debit is on its way, and who has no address."""
    without_address = select(Person.id).where(Person.id.in_(person_ids), Person.email.is_(None))
    renewing = select(AutoRenewal.person_id).where(AutoRenewal.person_id.in_(person_ids), AutoRenewal.off_at.is_(None))
    paying = select(Payment.person_id).where(
        Payment.person_id.in_(person_ids), Payment.kind != "gift", Payment.completed_at.is_not(None),
        Payment.paid_at.is_(None), Payment.closed_at.is_(None),
    )  # fmt: skip
    found = select(Person.id).where(or_(Person.id.in_(without_address), Person.id.in_(renewing), Person.id.in_(paying)))
    return set(db.session.execute(found).scalars())
