"""Sessions: told of twice, late or in any order they are the same; of where somebody was nothing stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest
import sqlalchemy as sa

from app import clock
from app.extensions import db
from app.wifi.accounting import Report, end_lost_sessions, erase_old_sessions, note_accounting
from app.wifi.models import WifiCredential, WifiRefusal, WifiSession
from app.wifi.refusals import erase_old_refusals, note_refusal
from app.wifi.service import create_credential, revoke_credential, sessions_of
from tests.cast import Cast


@pytest.fixture
def phone(cast: Cast) -> WifiCredential:
    return create_credential(cast.alice.id, "Phone", cast.now)[0]


def reports(phone: WifiCredential) -> list[Report]:
    """Begin, middle and end of one session."""
    start = Report("Start", "u1", phone.username, "192.0.2.10", "S1")
    middle = replace(start, kind="Interim-Update", seconds=600, octets_sent=1000, octets_received=2**33)
    stop = replace(middle, kind="Stop", seconds=1200, octets_sent=5000, octets_received=2**34, cause="User-Request")
    return [start, middle, stop]


def the_session() -> WifiSession:
    session = db.session.execute(sa.select(WifiSession)).scalar_one()
    db.session.refresh(session)
    return session


def send(report: Report, now: datetime) -> None:
    note_accounting(report, now + timedelta(seconds=report.seconds))


def test_a_session_begins_goes_on_and_ends(cast: Cast, phone: WifiCredential) -> None:
    start, middle, stop = reports(phone)
    send(start, cast.now)
    it = the_session()
    assert (it.controller, it.session_ref, it.stopped_at) == ("192.0.2.10", "S1", None)
    send(middle, cast.now)
    assert (the_session().octets_sent, the_session().octets_received) == (1000, 2**33)
    send(stop, cast.now)
    it = the_session()
    assert (it.started_at, it.stopped_at) == (cast.now, cast.now + timedelta(seconds=1200))
    assert (it.octets_sent, it.octets_received, it.cause) == (5000, 2**34, "User-Request")
    assert (it.controller, it.session_ref) == (None, None)
    assert sessions_of(cast.alice.id) == [it] and sessions_of(cast.bob.id) == []
    assert phone.last_used_at == cast.now + timedelta(seconds=1200)


def test_reports_in_any_order_and_twice_make_the_same_one_session(cast: Cast, phone: WifiCredential) -> None:
    seen = set()
    for order in permutations(reports(phone)):
        for report in (*order, *order):
            send(report, cast.now)
        it = the_session()
        seen.add((it.started_at, it.updated_at, it.stopped_at, it.octets_sent, it.octets_received, it.cause))
        assert it.controller is None
        db.session.delete(it)
        db.session.flush()
    assert len(seen) == 1


def test_a_report_that_waited_tells_when_it_happened(cast: Cast, phone: WifiCredential) -> None:
    stop = reports(phone)[2]
    note_accounting(replace(stop, delay=300), cast.now)
    it = the_session()
    assert it.stopped_at == cast.now - timedelta(seconds=300)
    assert it.started_at == cast.now - timedelta(seconds=1500)


def test_of_a_device_nobody_knows_nothing_is_kept(cast: Cast, phone: WifiCredential) -> None:
    for username in ("anonymous", "", "a\0b"):
        note_accounting(Report("Start", "u2", username), cast.now)
    note_accounting(Report("Start", "", phone.username), cast.now)
    note_accounting(Report("Tunnel-Start", "u2", phone.username), cast.now)
    assert db.session.execute(sa.select(WifiSession)).first() is None


def test_the_end_of_a_revoked_devices_session_is_still_heard(cast: Cast, phone: WifiCredential) -> None:
    start, _middle, stop = reports(phone)
    send(start, cast.now)
    revoke_credential(cast.alice.id, phone.id, cast.now, "member")
    send(stop, cast.now)
    assert the_session().stopped_at is not None
    assert len(sessions_of(cast.alice.id)) == 1


def test_a_session_belongs_to_the_device_that_began_it(cast: Cast, phone: WifiCredential) -> None:
    other, _secret = create_credential(cast.bob.id, "Phone", cast.now)
    start, _middle, stop = reports(phone)
    send(start, cast.now)
    send(replace(stop, username=other.username), cast.now)
    assert the_session().stopped_at is None and the_session().credential_id == phone.id


def test_a_controller_that_starts_anew_has_no_sessions_left(cast: Cast, phone: WifiCredential) -> None:
    start = reports(phone)[0]
    send(start, cast.now)
    send(replace(start, acct_unique_id="u2", controller="192.0.2.11"), cast.now)
    later = cast.now + timedelta(hours=1)
    for _ in range(2):
        note_accounting(Report("Accounting-On", "", "", "192.0.2.10"), later)
    ended = {it.acct_unique_id: it.stopped_at for it in sessions_of(cast.alice.id)}
    assert ended == {"u1": later, "u2": None}


def test_a_session_nobody_ended_ends_with_the_last_word_of_it(cast: Cast, phone: WifiCredential) -> None:
    send(reports(phone)[0], cast.now)
    end_lost_sessions(cast.now + timedelta(hours=9))
    assert the_session().stopped_at is None
    end_lost_sessions(cast.now + timedelta(hours=9, seconds=1))
    assert (the_session().stopped_at, the_session().cause) == (cast.now, "Lost")


def test_sessions_stay_ninety_days_and_refusals_thirty(cast: Cast, phone: WifiCredential) -> None:
    send(reports(phone)[0], cast.now)
    send(reports(phone)[2], cast.now)
    note_refusal("nobody", cast.now, cast.today)
    for days, erase, model in ((90, erase_old_sessions, WifiSession), (30, erase_old_refusals, WifiRefusal)):
        happened = clock.day_of(cast.now + timedelta(seconds=1200)) if model is WifiSession else cast.today
        assert erase(happened + timedelta(days=days)) == 0
        assert erase(happened + timedelta(days=days + 1)) == 1
        assert db.session.execute(sa.select(model)).first() is None


def test_a_refusal_is_written_down_with_our_own_reason_once_a_minute(cast: Cast, phone: WifiCredential) -> None:
    carol, _secret = create_credential(cast.carol.id, "Phone", cast.now)
    for seconds in (0, 59, 60, 61):
        for username in (phone.username, carol.username, "nobody", "somebody"):
            note_refusal(username, cast.now + timedelta(seconds=seconds), cast.today)
    query = sa.select(WifiRefusal.credential_id, WifiRefusal.reason, sa.func.count()).group_by(
        WifiRefusal.credential_id, WifiRefusal.reason
    )
    assert sorted(tuple(row)[1:] for row in db.session.execute(query)) == [
        ("lapsed", 2), ("unknown_device", 2), ("wrong_secret", 2),
    ]  # fmt: skip
