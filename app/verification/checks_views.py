"""Where and when a member's card was checked, for that member."""

from __future__ import annotations

from types import SimpleNamespace

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import access
from app.accounts.signed_in import current_person
from app.verification.log import checks_of_person
from app.verification.views import whole
from app.verification.words import words_of_scan

bp = Blueprint("checks", __name__)


@bp.get("/account/checks")
@access.signed_in
def checks() -> ResponseReturnValue:
    person = current_person()
    if person is None:
        return redirect(url_for("payments.join"))
    page = whole(request.args.get("page", ""))
    rows, has_more = checks_of_person(person.id, page)
    shown = []
    for row in rows:
        words = words_of_scan(row, None)
        shown.append(
            SimpleNamespace(
                where=row.service.name, at=row.checked_at, panel=words["panel"], word=words["word"],
                is_offline=row.is_offline, is_undone=row.undone_at is not None,
            )
        )  # fmt: skip
    return render_template("verification/checks.html", checks=shown, page=page, has_more=has_more)
