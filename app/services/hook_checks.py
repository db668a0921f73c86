"""What `flask doctor` asks about webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from app import doctor
from app.doctor import Finding
from app.services.hook_log import count_by_state
from app.services.hooks import list_endpoints


def check(now: datetime) -> Iterator[Finding]:
    endpoints = list_endpoints()
    if not endpoints:
        return
    disabled = sum(it.disabled_because in ("failing", "gone") for it in endpoints)
    failed = sum(counts.get("failed", 0) for counts in count_by_state().values())
    if disabled or failed:
        says = f"{disabled} of {len(endpoints)} disabled, {failed} deliveries failed"
        yield Finding("webhooks", "note", says, "See /admin/webhooks: enable, or send again what matters.")
    else:
        yield Finding("webhooks", "well", f"{len(endpoints)} told of changes")


def register() -> None:
    doctor.register(check)
