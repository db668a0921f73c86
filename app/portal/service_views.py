"""What a service's own people see: its verifications and redemptions, its keys' last use, its webhooks."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.accounts import access
from app.benefits.uses import uses_of_service
from app.errors import Refusal
from app.services.hook_log import deliveries_of
from app.services.keys import keys_of
from app.services.models import Service
from app.services.service import subject_for
from app.services.words import scope_words
from app.verification.log import totals_of_desk

bp = Blueprint("own_service", __name__)

DAYS_SHOWN = timedelta(days=13)  # besides today


@bp.get("/service")
@access.service_account
def index() -> ResponseReturnValue:
    today, found = clock.today(), _chosen()
    first = today - DAYS_SHOWN
    answers = totals_of_desk(found.id, first)
    uses, has_more = uses_of_service(found.id, first, today)
    return render_template(
        "portal/service.html", service=found, services=g.own_services,
        scopes=[scope_words(scope) for scope in found.scopes.split(",")],
        keys=[key for key in keys_of(found.id) if key.slot],
        days=[
            SimpleNamespace(on=day, all=answers[day].total(), theirs=answers[day]["ok"] + answers[day]["grace"])
            for day in sorted(answers, reverse=True)
        ],
        uses=[
            SimpleNamespace(
                benefit=it.benefit.name, subject=subject_for(found.id, it.person_id), state=it.state, at=it.created_at,
                reference=it.reference,
            )
            for it in uses
        ],
        has_more=has_more, deliveries=deliveries_of(found.id),
    )  # fmt: skip


def _chosen() -> Service:
    """The one asked for among their own, else the first."""
    wanted = request.args.get("id", "")
    for service in g.own_services:
        if wanted in ("", str(service.id)):
            return service
    raise Refusal("unknown_service", _("There is no such service."), 404)
