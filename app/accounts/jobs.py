"""The mail that lets somebody in."""

from __future__ import annotations

from datetime import datetime

from flask import current_app

from app import jobs, mail
from app.accounts.models import SignIn
from app.accounts.rules import can_be_used
from app.accounts.service import link_and_code
from app.extensions import db


def mail_sign_in(now: datetime, sign_in_id: int) -> None:
    """Send link and code, unless they were used or ran out while waiting."""
    sign_in = db.session.get_one(SignIn, sign_in_id)
    if not can_be_used(now, sign_in.expires_at, sign_in.used_at):
        return
    token, code = link_and_code(sign_in)
    to, locale = sign_in.email, sign_in.locale
    shown_code = f"{code[:4]} {code[4:]}"
    link = f"{current_app.config['BASE_URL']}/sign-in/{token}"
    minutes = max(1, int((sign_in.expires_at - now).total_seconds() // 60))
    db.session.rollback()
    mail.send(to, "sign_in", locale, f"sign-in:{sign_in_id}", link=link, code=shown_code, minutes=minutes)


def register() -> None:
    jobs.handles("mail_sign_in", mail_sign_in)
