"""Accounts' front door: asking for a sign-in, using it, sessions and roles."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import func, select, update

from app import audit, jobs
from app.accounts import rules
from app.accounts.models import ROLES, Account, AccountPerson, AccountRole, AccountSession, SignIn
from app.accounts.rules import device_name, own_path
from app.errors import Refusal
from app.extensions import changed_rows, db, insert_once
from app.people.models import Person
from app.people.service import find_persons_by_email, is_email

__all__ = ["device_name", "own_path"]

SEEN_EVERY = timedelta(minutes=10)


def request_sign_in(email: str, browser: str, next_path: str, locale: str, now: datetime) -> None:
    """Mail a link and a code to `email`, known or not; quietly nothing when too many were asked for."""
    email = email.strip().lower()
    recent = select(func.count()).where(SignIn.email == email, SignIn.created_at > now - timedelta(hours=1))
    if db.session.execute(recent).scalar_one() >= rules.MOST_MAILS_AN_HOUR:
        return
    sign_in, _token = _new_sign_in(email, next_path, locale, now, rules.LINK_LIFE)
    sign_in.browser_hash = rules.hash_token(browser)
    db.session.flush()
    jobs.enqueue("mail_sign_in", now, sign_in_id=sign_in.id)


def invite(email: str, role: str, now: datetime) -> str:
    """Give an account a role ("member" gives none); answers the token of a one-time link."""
    if role not in ROLES:
        raise Refusal("unknown_role", f"{role!r} is not a role: choose {', '.join(ROLES)}.")
    if not is_email(email):
        raise Refusal("bad_email", f"{email!r} is not an address.")
    account = open_account(email, now)
    if role != "member":
        grant_role(account, role, now)
    _sign_in, token = _new_sign_in(account.email, "/", current_app.config["DEFAULT_LOCALE"], now, rules.INVITATION_LIFE)
    return token


def link_and_code(sign_in: SignIn) -> tuple[str, str]:
    """(token, code) of a sign-in, derived anew for its mail."""
    key = current_app.config["SECRET_KEY"]
    return rules.link_token(key, sign_in.nonce), rules.sign_in_code(key, sign_in.nonce)


def find_usable_link(token: str, now: datetime) -> SignIn | None:
    sign_in = db.session.execute(
        select(SignIn).where(SignIn.token_hash == rules.hash_token(token))
    ).scalar_one_or_none()
    return sign_in if sign_in and rules.can_be_used(now, sign_in.expires_at, sign_in.used_at) else None


def use_link(token: str, now: datetime) -> SignIn:
    """Consume a link once. Raises Refusal when it is unknown, used or too old."""
    sign_in = find_usable_link(token, now)
    if sign_in is None or not _consume(sign_in, now):
        raise Refusal("link_used", _("This link was used already or is too old. Ask for a new one."), 410)
    return sign_in


def use_code(browser: str, code: str, now: datetime) -> SignIn | None:
    """Consume the newest code asked for in this browser; None counts as a wrong try.

    A wrong try locks the code, never the person. Raises Refusal when no code of this browser is usable.
    """
    newest = (
        select(SignIn)
        .where(SignIn.browser_hash == rules.hash_token(browser), SignIn.used_at.is_(None), SignIn.expires_at > now)
        .order_by(SignIn.id.desc())
        .limit(1)
        .with_for_update()
    )
    sign_in = db.session.execute(newest).scalar_one_or_none()
    if sign_in is None or sign_in.code_tries >= rules.MOST_CODE_TRIES:
        raise Refusal("code_locked", _("That code no longer works. Ask for a new one."), 410)
    sign_in.code_tries += 1
    expected = link_and_code(sign_in)[1]
    if not hmac.compare_digest(expected.encode(), "".join(code.split()).encode()):
        return None
    return sign_in if _consume(sign_in, now) else None


def open_account(email: str, now: datetime) -> Account:
    """The account of a proven address, made when new, standing for everybody on file with it alone."""
    email = email.strip().lower()
    is_new = insert_once(Account, email=email, created_at=now)
    account = db.session.execute(select(Account).where(Account.email == email)).scalar_one()
    if is_new:
        audit.record("account_opened", f"account:{account.id}", now)
    taken = select(AccountPerson.person_id)
    free = set(db.session.execute(select(Person.id).where(Person.email == email, Person.id.not_in(taken))).scalars())
    for person in find_persons_by_email(email):
        if person.id in free:
            add_person_to_account(account, person, now)
    return account


def add_person_to_account(account: Account, person: Person, now: datetime) -> None:
    """Let an account stand for a person; a person who has an account already keeps that one."""
    if insert_once(AccountPerson, account_id=account.id, person_id=person.id):
        audit.record("person_claimed", f"person:{person.id}", now, account=account.id)
    db.session.expire(account, ["persons"])


def grant_role(account: Account, role: str, now: datetime) -> None:
    if not has_role(account, role):
        account.roles.append(AccountRole(role=role, granted_at=now))
        db.session.flush()
        audit.record("role_granted", f"account:{account.id}", now, role=role)


def has_role(account: Account, role: str) -> bool:
    return any(held.role == role for held in account.roles)


def start_session(account: Account, device: str, now: datetime) -> str:
    """A new signed-in browser; answers the token its cookie carries. Raises Refusal for a disabled account."""
    if account.disabled_at is not None:
        raise Refusal("account_disabled", _("This account is closed. Write to the association."), 403)
    token = secrets.token_urlsafe(32)
    persons = account.persons
    row = AccountSession(
        token_hash=rules.hash_token(token), account_id=account.id, device=device, created_at=now, last_seen_at=now,
        person_id=persons[0].id if len(persons) == 1 else None,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    audit.record("signed_in", f"account:{account.id}", now)
    return token


def find_session(token: str, now: datetime) -> AccountSession | None:
    """The live session of a cookie's token, or None (revoked, too old, disabled account)."""
    query = select(AccountSession).where(AccountSession.token_hash == rules.hash_token(token))
    found = db.session.execute(query).scalar_one_or_none()
    if found is None or found.account.disabled_at is not None:
        return None
    live = rules.is_session_live(now, found.created_at, found.last_seen_at, found.revoked_at)
    return found if live else None


def note_seen(session_id: int, now: datetime) -> None:
    db.session.execute(update(AccountSession).where(AccountSession.id == session_id).values(last_seen_at=now))


def list_sessions(account: Account, now: datetime) -> list[AccountSession]:
    query = select(AccountSession).where(AccountSession.account_id == account.id, AccountSession.revoked_at.is_(None))
    found = db.session.execute(query.order_by(AccountSession.last_seen_at.desc())).scalars()
    return [s for s in found if rules.is_session_live(now, s.created_at, s.last_seen_at, s.revoked_at)]


def end_session(account: Account, session_id: int, now: datetime) -> None:
    """Raises Refusal 404 for a session of somebody else."""
    own = db.session.execute(select(AccountSession).where(AccountSession.account_id == account.id)).scalars()
    found = next((one for one in own if one.id == session_id), None)
    if found is None:
        raise Refusal("unknown_session", _("There is no such session."), 404)
    if found.revoked_at is None:
        found.revoked_at = now
        audit.record("session_ended", f"account:{account.id}", now, session=session_id)


def choose_person(account_session: AccountSession, person_id: int) -> None:
    """Raises Refusal 404 for a person this account does not stand for."""
    if person_id not in {person.id for person in account_session.account.persons}:
        raise Refusal("unknown_person", _("There is no such person in the register."), 404)
    account_session.person_id = person_id
    db.session.flush()


def _new_sign_in(email: str, next_path: str, locale: str, now: datetime, life: timedelta) -> tuple[SignIn, str]:
    nonce = secrets.token_bytes(16)
    token = rules.link_token(current_app.config["SECRET_KEY"], nonce)
    sign_in = SignIn(
        email=email, nonce=nonce, token_hash=rules.hash_token(token), next_path=own_path(next_path),
        locale=locale, created_at=now, expires_at=now + life,
    )  # fmt: skip
    db.session.add(sign_in)
    return sign_in, token


def _consume(sign_in: SignIn, now: datetime) -> bool:
    """True for the one who was first."""
    once = update(SignIn).where(SignIn.id == sign_in.id, SignIn.used_at.is_(None)).values(used_at=now)
    return changed_rows(once) == 1


def actor_name(actor: str | None) -> str:
    """Who did something, as staff read it: "account:3" is its address, the rest in words."""
    kind, _colon, number = (actor or "").partition(":")
    if kind == "account" and number.isdecimal():
        account = db.session.get(Account, int(number))
        return account.email if account is not None else _("somebody who is gone")
    words = {
        "command": _("the office"),
        "provider": _("the payment provider"),
        "auto_renewal": _("automatic renewal"),
        "system": _("the system"),
    }
    return words.get(kind, actor or "")
