"""Webhooks leave by jobs only: at once, again when their time comes, and old ones are erased."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import select

from app import clock, jobs, mail
from app.accounts.models import Account, AccountRole
from app.association import get_association
from app.extensions import db
from app.services import delivering, hook_log, hook_messages
from app.services.hook_models import WebhookEndpoint

AT_ONE_GO = 30.0  # seconds; other jobs wait no longer than that


def deliver(now: datetime, endpoint_id: int) -> None:
    """Send an endpoint what is due, the oldest first, until it fails once or others have waited long enough."""
    ends = time.monotonic() + AT_ONE_GO
    while (claimed := hook_log.claim(endpoint_id, now)) is not None:
        true_time = clock.now() - timedelta(seconds=get_association().clock_offset_seconds)  # a receiver's clock
        db.session.commit()
        outcome = delivering.send(claimed.url, claimed.secrets, claimed.message_id, claimed.body, true_time)
        hook_log.note(claimed, outcome, now)
        if time.monotonic() > ends:
            jobs.enqueue("deliver_webhooks", now, endpoint_id=endpoint_id)
            db.session.commit()
            return
        db.session.commit()
    db.session.commit()


def deliver_due(now: datetime) -> None:
    """What waits for its next try."""
    for endpoint_id in hook_log.due_endpoints(now):
        jobs.enqueue("deliver_webhooks", now, endpoint_id=endpoint_id)
    db.session.commit()


def erase_old(now: datetime) -> None:
    while hook_messages.erase_old(now):
        db.session.commit()
    db.session.commit()


def tell_of_disabled(now: datetime, endpoint_id: int) -> None:
    """One letter for each administrator, each by a job of its own."""
    query = (
        select(Account.id).join(AccountRole).where(AccountRole.role == "admin", Account.disabled_at.is_(None))
    ).order_by(Account.id)
    for account_id in db.session.execute(query).scalars():
        jobs.enqueue("mail_webhook_disabled", now, endpoint_id=endpoint_id, account_id=account_id)
    db.session.commit()


def mail_disabled(now: datetime, endpoint_id: int, account_id: int) -> None:
    endpoint = db.session.get(WebhookEndpoint, endpoint_id)
    account = db.session.get_one(Account, account_id)
    if endpoint is None or endpoint.disabled_at is None:  # removed, or enabled again meanwhile
        return
    mail.send(
        account.email, "webhook_disabled", mail.language_of(),
        f"webhook:{endpoint_id}:{endpoint.disabled_at.isoformat()}:{account_id}",
        service=endpoint.service.name, is_gone=endpoint.disabled_because == "gone",
        log_url=f"{current_app.config['BASE_URL']}/admin/webhooks/{endpoint_id}",
    )  # fmt: skip


def register() -> None:
    for name, handler in (
        ("deliver_webhooks", deliver),
        ("deliver_due_webhooks", deliver_due),
        ("erase_old_webhooks", erase_old),
        ("tell_of_disabled_webhook", tell_of_disabled),
        ("mail_webhook_disabled", mail_disabled),
    ):
        jobs.handles(name, handler)
    jobs.every(timedelta(minutes=1), "deliver_due_webhooks")
    jobs.every(timedelta(days=1), "erase_old_webhooks")
