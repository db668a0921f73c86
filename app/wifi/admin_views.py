"""The administrator's page of the Wi-Fi: what is set up, how many use it, what is refused. Never where anybody was."""

from __future__ import annotations

from datetime import date

from babel.dates import format_skeleton
from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from app import clock
from app.accounts import access
from app.wifi import refusals, rules, usage
from app.wifi.network import controllers, find_network
from app.wifi.words import refusal_words

bp = Blueprint("wifi_office", __name__)


@bp.get("/admin/wifi")
@access.admin
def index() -> ResponseReturnValue:
    return render_template(
        "wifi/office.html", network=find_network(), controllers=[it.name for it in controllers()],
        longest_hours=rules.LONGEST_SESSION // 3600,
        months=[(_name_of(month_on), members) for month_on, members in usage.members_by_month(clock.today())],
        refusals=[(refusal_words(reason), count) for reason, count in usage.refusals_by_reason()],
        refusal_days=refusals.DAYS_KEPT,
    )  # fmt: skip


def _name_of(month_on: date) -> str:
    """November 2026."""
    locale = str(get_locale() or "en")
    return format_skeleton("yMMMM", month_on, locale=locale)
