"""A service's own people: accounts that see what is that service's, and nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import g
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from app import audit
from app.accounts.models import Account
from app.accounts.service import open_account
from app.accounts.signed_in import check_signed_in, current_account
from app.errors import Refusal
from app.extensions import db, insert_once
from app.people.service import is_email
from app.services.models import Service, ServiceAccount


def add_person(service: Service, email: str, now: datetime) -> Account:
    """Let whoever signs in with this address see the service's own things; twice is once. Raises Refusal."""
    if not is_email(email):
        raise Refusal("bad_email", _("%(email)s is not an address.", email=repr(email)))
    account = open_account(email, now)
    if insert_once(ServiceAccount, service_id=service.id, account_id=account.id, added_at=now):
        audit.record("service_account_added", f"service:{service.id}", now, account=account.id)
    return account


def remove_person(service: Service, account_id: int, now: datetime) -> None:
    """They see nothing of it any more. Raises Refusal 404."""
    link = db.session.get(ServiceAccount, (service.id, account_id))
    if link is None:
        raise Refusal("unknown_account", _("Nobody of this service’s people is that."), 404)
    db.session.delete(link)
    db.session.flush()
    audit.record("service_account_removed", f"service:{service.id}", now, account=account_id)


def people_of(service: Service) -> list[ServiceAccount]:
    query = select(ServiceAccount).join(Account).where(ServiceAccount.service_id == service.id)
    return list(db.session.execute(query.order_by(Account.email)).scalars())


def services_of(account_id: int) -> list[Service]:
    """Those whose own people an account is of."""
    query = select(Service).join(ServiceAccount).where(ServiceAccount.account_id == account_id)
    return list(db.session.execute(query.order_by(Service.name)).scalars())


def check_service_account(_argument: Any) -> ResponseReturnValue | None:
    """The check of @access.service_account; `g.own_services` are then those whose things may be shown."""
    answer = check_signed_in(None)
    if answer is not None:
        return answer
    g.own_services = services_of(current_account().id)
    if not g.own_services:
        raise Refusal("not_allowed", _("Your account may not open this page."), 403)
    return None
