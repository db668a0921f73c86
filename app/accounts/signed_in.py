"""Who is signed in: Flask-Login over our session rows, and the checks of `signed_in` and `staff`."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import UserMixin, current_user, login_user, logout_user

from app import clock
from app.accounts import access, service
from app.accounts.models import Account, AccountSession
from app.errors import Refusal, wants_json
from app.extensions import READING_METHODS, begin_writing, db, login_manager
from app.people.models import Person

ROLES_FOR = {
    "scan": ("scanner", "admin"),
    "treasurer": ("treasurer",),
    "admin": ("admin",),
    "register": ("admin", "treasurer"),
}
WITHOUT_PERSON = {"accounts.choose_person", "accounts.use_person", "accounts.sign_out"}  # pages that do not ask who


class SignedIn(UserMixin):
    """Flask-Login's user: one session row. The cookie carries the row's token, not the account's id."""

    def __init__(self, token: str, row: AccountSession) -> None:
        self.token = token
        self.row = row

    @property
    def account(self) -> Account:
        return self.row.account

    @property
    def email(self) -> str:
        return self.account.email

    @property
    def person(self) -> Person | None:
        """Whom this browser acts for: the one chosen, as long as the account stands for them, else the only one."""
        persons = self.account.persons
        if self.row.person in persons:
            return self.row.person
        return persons[0] if len(persons) == 1 else None

    def get_id(self) -> str:
        return self.token

    def has_role(self, role: str) -> bool:
        return service.has_role(self.account, role)


@login_manager.user_loader
def load_user(token: str) -> SignedIn | None:
    now = clock.now()
    row = service.find_session(token, now)
    if row is not None and now > row.last_seen_at + service.SEEN_EVERY:
        row_id = row.id
        if request.method in READING_METHODS:
            begin_writing()
        service.note_seen(row_id, now)
        db.session.commit()
        row = service.find_session(token, now)
    if row is None:
        return None
    g.actor = f"account:{row.account_id}"
    return SignedIn(token, row)


def sign_in(account: Account) -> None:
    """Start a session in this browser under a new id; whatever the old cookie carried is gone."""
    now = clock.now()
    if current_user.is_authenticated:
        service.end_session(current_account(), current_user.row.id, now)
    token = service.start_session(account, service.device_name(request.user_agent.string), now)
    db.session.flush()
    row = service.find_session(token, now)
    kept = {key: session[key] for key in ("locale", "theme") if key in session}
    session.clear()
    session.update(kept)
    session.permanent = True
    login_user(SignedIn(token, row))  # type: ignore[arg-type]


def sign_out() -> None:
    user = current_user
    service.end_session(user.account, user.row.id, clock.now())
    db.session.commit()
    logout_user()
    session.clear()


def current_account() -> Account:
    account: Account = current_user.account
    return account


def current_person() -> Person | None:
    """The person this browser acts for; None for staff who are nobody in the register."""
    person: Person | None = current_user.person
    return person


def may(purpose: str) -> bool:
    """Whether staff are signed in whose role serves `purpose`."""
    return current_user.is_authenticated and any(current_user.has_role(role) for role in ROLES_FOR[purpose])


def check_signed_in(_argument: Any) -> ResponseReturnValue | None:
    if not current_user.is_authenticated:
        return _send_to_sign_in()
    if current_person() is None and request.endpoint not in WITHOUT_PERSON:
        if len(current_account().persons) > 1 and not wants_json():
            return redirect(url_for("accounts.choose_person", next=request.full_path))
    return None


def check_staff(purpose: str) -> ResponseReturnValue | None:
    if not current_user.is_authenticated:
        return _send_to_sign_in()
    if not may(purpose):
        raise Refusal("not_allowed", _("Your account may not open this page."), 403)
    return None


def _send_to_sign_in() -> ResponseReturnValue:
    if wants_json() or request.method not in READING_METHODS:
        raise Refusal("not_signed_in", _("Sign in first."), 401)
    return redirect(url_for("accounts.sign_in", next=request.full_path.rstrip("?")))


def register_checks() -> None:
    access.register_check("signed_in", check_signed_in)
    access.register_check("staff", check_staff)
