"""What the scanner's page asks for, and sends, in JSON."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from flask import Response, jsonify, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf

from app import clock
from app.accounts import access
from app.benefits.redeeming import limit_remaining
from app.benefits.words import left_words
from app.cards.photos import photo_of
from app.errors import Refusal, problem
from app.extensions import db
from app.people.models import Person
from app.services.at_desk import AtDesk, at_desk, ended_detail
from app.verification import rules, service
from app.verification.counting import count_use, counted_at, is_counted, left_and_used_up
from app.verification.facts import facts_for, instant
from app.verification.log import scans_of_today
from app.verification.models import Verification
from app.verification.service import Verdict
from app.verification.undoing import undo_scan
from app.verification.uploads import MOST_AT_ONCE, take_scans, unreadable
from app.verification.views import bp, whole
from app.verification.words import count_label, scanner_words, words_of_scan

__all__ = ["bp"]

PHOTO_SHOWN = timedelta(minutes=5)


@bp.get("/scan/facts")
@access.desk_even_ended
def facts() -> ResponseReturnValue:
    """Everything to judge alone. To a device whose pairing has ended: why, and the token its last upload needs."""
    who = at_desk(whole(request.args.get("desk", "")), even_ended=True)
    session.permanent = True  # the token outlives the browser's window, as the queue does
    if who.ended:
        return problem(401, f"device_{who.ended}", ended_detail(), csrf=generate_csrf())
    return jsonify(facts_for(who, generate_csrf(), clock.now(), clock.today()))


@bp.post("/scan/verifications")
@access.desk
def verify_scan() -> ResponseReturnValue:
    """One scan of a desk: the verdict and the words to show it in."""
    body = _body(credential=str, nonce=str)
    who = at_desk(body["desk"])
    verdict = service.verify(
        who.desk, body["credential"], who.desk.benefit, body["nonce"], who.account_id, clock.now(), clock.today(),
        device_id=who.device.id if who.device else None,
    )  # fmt: skip
    db.session.commit()
    answer = asdict(verdict) | _words(verdict, who, clock.today())
    del answer["subject"], answer["tier_name"]
    for name in ("valid_until", "grace_until", "checked_at"):
        answer[name] = answer[name].isoformat() if answer[name] else None
    answer["undo_until"] = instant(verdict.checked_at + rules.UNDO_WITHIN)
    if who.desk.has_scope("identity") and verdict.valid:
        answer["person"] = _person(verdict.id)
    return jsonify(answer)


@bp.post("/scan/uploads")
@access.desk_even_ended
def upload() -> ResponseReturnValue:
    """Scans that the desk judged without signal, each taken once however often it is sent."""
    body = _body(scans=list)
    if len(body["scans"]) > MOST_AT_ONCE:
        raise Refusal("too_many_scans", _("Send at most %(most)d scans at once.", most=MOST_AT_ONCE))
    answer = take_scans(at_desk(body["desk"], even_ended=True), body["scans"], clock.now())
    db.session.commit()
    return jsonify(answer)


@bp.post("/scan/redemptions")
@access.desk
def count() -> ResponseReturnValue:
    """One use of the desk's benefit by whom a scan was of, counted once however often it is asked."""
    body = _body(nonce=str)
    now, today = clock.now(), clock.today()
    used = count_use(at_desk(body["desk"]), body["nonce"], now, today)
    left = limit_remaining(used.benefit, used.person_id, now, today)
    db.session.commit()
    done = _("Counted.")
    line = done if left is None else f"{done} {left_words(used.benefit, left)}."
    return jsonify(line=line, limit_remaining=left)


@bp.post("/scan/undo")
@access.desk
def undo() -> ResponseReturnValue:
    """Take a scan back within a minute."""
    body = _body(nonce=str, reason=str)
    undo_scan(at_desk(body["desk"]), body["nonce"], body["reason"], clock.now())
    db.session.commit()
    return jsonify({})


@bp.get("/scan/log")
@access.desk
def log() -> ResponseReturnValue:
    """Today's scans of the desk, the newest first."""
    who, today = at_desk(whole(request.args.get("desk", ""))), clock.today()
    rows, total = scans_of_today(who.desk.id, today)
    benefit_name = who.desk.benefit.name if who.desk.benefit else None
    counted = counted_at(rows)
    scans = [
        {
            **words_of_scan(row, benefit_name), "nonce": row.nonce, "at": instant(row.checked_at),
            "offline": row.is_offline, "undone": row.undone_at is not None, "flagged": bool(row.flags),
            "counted_at": instant(counted[row.id]) if row.id in counted else None,
        }
        for row in rows
    ]  # fmt: skip
    return jsonify(day=today.isoformat(), scans=scans, total=total)


@bp.get("/scan/photo/<verification_id>")
@access.desk
def photo(verification_id: str) -> ResponseReturnValue:
    """Whose card was just scanned, for whoever scanned it, for some minutes."""
    row = db.session.get(Verification, verification_id)
    who = _who_scanned(row) if row else None
    fresh = row is not None and clock.now() < row.checked_at + PHOTO_SHOWN
    if not row or not who or not fresh or not row.valid or not row.person_id or not who.desk.has_scope("identity"):
        raise Refusal("unknown_photo", _("There is no photo here, or no longer."), 404)
    found = photo_of(row.person_id)
    if found is None or found.jpeg is None:
        raise Refusal("unknown_photo", _("There is no photo here, or no longer."), 404)
    return Response(found.jpeg, mimetype="image/jpeg")


def _words(verdict: Verdict, who: AtDesk, today: date) -> dict[str, Any]:
    """What the desk reads, and what the button says that counts a use."""
    benefit = who.desk.benefit
    if benefit is None:
        return scanner_words(verdict, None)
    row = db.session.get_one(Verification, verdict.id)
    left, used_up = left_and_used_up(row, benefit, verdict.limit_remaining, today)
    words = scanner_words(verdict, benefit.name, left if verdict.valid else None, used_up)
    return words | {"count": count_label(benefit) if verdict.entitled and is_counted(benefit) else None}


def _who_scanned(row: Verification) -> AtDesk | None:
    try:
        who = at_desk(row.service_id)
    except Refusal:
        return None
    is_theirs = (who.account_id, who.device.id if who.device else None) == (row.account_id, row.device_id)
    return who if is_theirs and not row.is_offline else None


def _person(verification_id: str) -> dict[str, str | None] | None:
    row = db.session.get_one(Verification, verification_id)
    person = db.session.get(Person, row.person_id) if row.person_id else None
    if person is None:
        return None
    has_photo = photo_of(person.id) is not None
    url = url_for("verification.photo", verification_id=row.id) if has_photo else None
    return {"name": person.full_name, "photo_url": url}


def _body(**fields: type) -> dict[str, Any]:
    """{"desk": int, ...} with fields of these types. Raises Refusal."""
    try:
        body = request.get_json(silent=True)
    except RecursionError:  # brackets in brackets without end
        body = None
    if (
        not isinstance(body, dict)
        or type(body.get("desk")) is not int
        or not 0 < body["desk"] < 10**9
        or any(not isinstance(body.get(name), kind) for name, kind in fields.items())
    ):
        raise unreadable()
    return body
