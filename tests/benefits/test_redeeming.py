"""Using a benefit: reserve, confirm, cancel, limits, and what the database itself refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app import jobs
from app.audit import AuditEntry
from app.benefits.jobs import tidy_benefits
from app.benefits.models import Benefit, Redemption
from app.benefits.redeeming import (
    CANCEL_WITHIN,
    cancel,
    cancel_of_verification,
    confirm,
    get_redemption,
    limit_remaining,
    redeem,
    reserve,
)
from app.benefits.service import add_benefit, change_benefit, close_benefit
from app.errors import Refusal
from app.extensions import db
from app.memberships.service import hold_person, own_year_of
from app.people.models import Person
from tests.cast import Cast, pay
from tests.memberships.booking import at

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def library(cast: Cast, count: int | None = 2, period: str | None = "term", **facts: Any) -> Benefit:
    return add_benefit(
        "library", "Library visits", [cast.basic, cast.plus], True, cast.now, limit_count=count, limit_period=period,
        **facts,
    )  # fmt: skip


def use(cast: Cast, benefit: Benefit, person: Person | None = None, **more: Any) -> Redemption:
    return reserve(benefit, (person or cast.alice).id, cast.library.id, cast.now, cast.today, **more)


def left(cast: Cast, benefit: Benefit, person: Person | None = None) -> int | None:
    return limit_remaining(benefit, (person or cast.alice).id, cast.now, cast.today)


def code_of(call: Callable[..., object], *arguments: object, **more: Any) -> tuple[str, int]:
    with pytest.raises(Refusal) as refusal:
        call(*arguments, **more)
    return refusal.value.code, refusal.value.status


def words_of(call: Callable[..., object], *arguments: object, **more: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        call(*arguments, **more)
    return refusal.value.detail.replace("\u00a0", " ")


def deeds(it: Redemption) -> list[str]:
    db.session.commit()
    subject = f"redemption:{it.id}"
    return list(db.session.scalars(sa.select(AuditEntry.action).filter_by(subject=subject).order_by(AuditEntry.id)))


def test_a_use_is_reserved_then_confirmed_and_again_is_nothing_new(app: Flask, cast: Cast) -> None:
    benefit = library(cast, value_cents=250, cost_cents=100)
    it = use(cast, benefit, reference="loan 7")
    assert (it.state, it.n, it.limit_count, left(cast, benefit)) == ("reserved", 1, 2, 1)
    assert it.reserved_until == cast.now + 15 * MINUTE
    for later in (SECOND, 14 * MINUTE, 3 * DAY):
        assert confirm(it.id, cast.library.id, cast.now + later).id == it.id
    assert (it.state, it.confirmed_at, it.value_cents, it.cost_cents) == ("confirmed", cast.now + SECOND, 250, 100)
    assert left(cast, benefit) == 1
    assert deeds(it) == ["redemption_reserved", "redemption_confirmed"]


def test_a_cancel_gives_the_use_back_reserved_or_confirmed(app: Flask, cast: Cast) -> None:
    benefit = library(cast)
    first, second = use(cast, benefit), use(cast, benefit)
    confirm(second.id, cast.library.id, cast.now)
    assert left(cast, benefit) == 0
    for it in (first, second):
        for _ in range(2):
            assert cancel(it.id, cast.library.id, cast.now + MINUTE).state == "cancelled"
        assert code_of(confirm, it.id, cast.library.id, cast.now + MINUTE) == ("redemption_cancelled", 409)
    assert left(cast, benefit) == 2
    assert deeds(first) == ["redemption_reserved", "redemption_cancelled"]
    assert deeds(second) == ["redemption_reserved", "redemption_confirmed", "redemption_cancelled"]


@SQLITE
@pytest.mark.parametrize(("after", "said"), [(CANCEL_WITHIN, "cancelled"), (CANCEL_WITHIN + SECOND, ("too_late", 409))])
def test_a_confirmed_use_is_cancelled_within_a_fortnight(app: Flask, cast: Cast, after: timedelta, said: Any) -> None:
    it = use(cast, library(cast))
    confirm(it.id, cast.library.id, cast.now)
    if said == "cancelled":
        assert cancel(it.id, cast.library.id, cast.now + after).state == said
    else:
        assert code_of(cancel, it.id, cast.library.id, cast.now + after) == said


def test_a_reservation_that_ran_out_gives_its_use_back_without_anybody_doing_anything(app: Flask, cast: Cast) -> None:
    benefit = library(cast, 1)
    it, alice, desk = use(cast, benefit), cast.alice.id, cast.library.id
    last, over = cast.now + 15 * MINUTE - SECOND, cast.now + 15 * MINUTE
    assert [limit_remaining(benefit, alice, now, cast.today) for now in (last, over)] == [0, 1]
    assert code_of(reserve, benefit, alice, desk, last, cast.today) == ("limit_reached", 409)
    assert code_of(confirm, it.id, desk, over) == ("redemption_expired", 410)
    assert it.state_at(over) == "expired"
    other = reserve(benefit, alice, desk, over, cast.today)
    assert (it.state, it.n, other.n) == ("expired", None, 1)
    assert cancel(it.id, desk, over).state == "expired"
    assert confirm(other.id, desk, over).state == "confirmed"
    assert deeds(it) == ["redemption_reserved", "redemption_expired"]


@SQLITE
def test_cancelling_what_ran_out_leaves_it_expired(app: Flask, cast: Cast) -> None:
    it = use(cast, library(cast))
    assert cancel(it.id, cast.library.id, cast.now + 15 * MINUTE).state == "expired"


def test_the_job_only_tidies(app: Flask, cast: Cast) -> None:
    benefit = library(cast)
    old, young = use(cast, benefit), reserve(benefit, cast.alice.id, None, cast.now + MINUTE, cast.today)
    db.session.commit()
    for _ in range(2):
        tidy_benefits(cast.now + 15 * MINUTE)
    assert (old.state, young.state) == ("expired", "reserved")
    assert deeds(old).count("redemption_expired") == 1
    assert "tidy_benefits" in jobs._periodic


def test_nobody_uses_more_than_the_limit_of_a_year_of_membership(app: Flask, cast: Cast) -> None:
    benefit = library(cast)
    use(cast, benefit), use(cast, benefit)
    year = own_year_of(cast.alice.id, cast.today)
    assert year is not None
    assert code_of(use, cast, benefit) == ("limit_reached", 409)
    said = words_of(use, cast, benefit)
    assert said.startswith("All 2 uses a year of membership are used up. A new year of membership can begin on ")
    assert str((year.ends_on + DAY).year) in said
    assert left(cast, benefit, cast.bob) == 2  # each has their own
    pay(cast.alice, cast.plus, cast.today)
    assert code_of(use, cast, benefit) == ("limit_reached", 409)  # renewed early: the next year is not here yet
    next_day = year.ends_on + DAY
    assert limit_remaining(benefit, cast.alice.id, at(next_day), next_day) == 2


@SQLITE
@pytest.mark.parametrize(("period", "words"), [("day", "The 1 use a day is"), ("month", "The 1 use a month is")])
def test_a_limit_begins_anew_each_day_or_calendar_month(app: Flask, cast: Cast, period: str, words: str) -> None:
    benefit = library(cast, 1, period)
    confirm(use(cast, benefit).id, cast.library.id, cast.now)
    assert words_of(use, cast, benefit).startswith(f"{words} used up. There are more from ")
    first_of_next = (cast.today.replace(day=1) + 32 * DAY).replace(day=1)
    again = cast.today + DAY if period == "day" else first_of_next
    assert limit_remaining(benefit, cast.alice.id, at(again - DAY, 23, 59, 59), again - DAY) == 0
    assert limit_remaining(benefit, cast.alice.id, at(again, 0), again) == 1


def test_a_limit_made_smaller_counts_what_was_used_and_one_made_larger_gives_more(app: Flask, cast: Cast) -> None:
    benefit = library(cast, 3)
    uses = [use(cast, benefit) for _ in range(3)]
    change_benefit(benefit, cast.now, limit_count=1)
    cancel(uses[0].id, cast.library.id, cast.now)
    assert (left(cast, benefit), code_of(use, cast, benefit)[0]) == (0, "limit_reached")
    change_benefit(benefit, cast.now, limit_count=4)
    assert left(cast, benefit) == 2
    assert [use(cast, benefit).n for _ in range(2)] == [1, 4]
    assert code_of(use, cast, benefit)[0] == "limit_reached"


@SQLITE
def test_a_benefit_without_limit_is_used_as_often_as_one_likes(app: Flask, cast: Cast) -> None:
    benefit = library(cast, None, None)
    uses = [use(cast, benefit) for _ in range(5)]
    assert {it.n for it in uses} == {None} and left(cast, benefit) is None


@SQLITE
@pytest.mark.parametrize(
    ("who", "facts", "code", "words"),
    [
        ("carol", {}, "not_entitled", "The membership ended on "),
        ("mallory", {}, "not_entitled", "There is no membership. One can be bought online."),
        ("bob", {"in_grace": False}, "not_entitled", "Library visits is not given in the days of grace. Renew to use"),
        ("alice", {"tiers": "basic"}, "not_entitled", "Library visits does not go with the tier Plus."),
        ("alice", {"available_from": 1}, "benefit_not_now", "Library visits begins on "),
        ("alice", {"available_until": -1}, "benefit_not_now", "Library visits ended on "),
    ],
)
def test_a_refusal_says_why_in_words(
    app: Flask, cast: Cast, who: str, facts: dict[str, Any], code: str, words: str
) -> None:
    benefit = library(cast)
    days = {name: cast.today + value * DAY for name, value in facts.items() if name.startswith("available")}
    change_benefit(
        benefit, cast.now, tiers=[cast.basic] if "tiers" in facts else None, in_grace=facts.get("in_grace", True),
        **days,
    )  # fmt: skip
    person = getattr(cast, who)
    assert code_of(use, cast, benefit, person) == (code, 409)
    assert words_of(use, cast, benefit, person).startswith(words)


@SQLITE
def test_who_is_on_hold_and_what_is_closed_is_refused_with_the_reason(app: Flask, cast: Cast) -> None:
    benefit = library(cast)
    hold_person(cast.alice, "test", "test", cast.now)
    assert words_of(use, cast, benefit) == "The membership is on hold. Ask the association."
    close_benefit(benefit, cast.now)
    assert code_of(use, cast, benefit, cast.bob) == ("benefit_not_now", 409)
    assert words_of(use, cast, benefit, cast.bob) == "Library visits is no longer offered."


def test_a_use_is_its_services_own(app: Flask, cast: Cast) -> None:
    it = use(cast, library(cast))
    for call in (confirm, cancel):
        for stranger in (cast.desk.id, None):
            assert code_of(call, it.id, stranger, cast.now) == ("unknown_redemption", 404)
        assert code_of(call, "r_nothing", cast.library.id, cast.now) == ("unknown_redemption", 404)
    assert code_of(get_redemption, it.id, cast.desk.id) == ("unknown_redemption", 404)
    assert get_redemption(it.id, cast.library.id) is it


def test_one_tap_at_a_desk_counts_one_use_for_one_scan(app: Flask, cast: Cast) -> None:
    benefit = library(cast, 5)
    tap = (benefit, cast.alice.id, cast.desk.id, cast.now, cast.today)
    it = redeem(*tap, verification_id="v_1")
    assert redeem(*tap, verification_id="v_1").id == it.id
    assert (it.state, it.confirmed_at, it.reserved_until, left(cast, benefit)) == ("confirmed", cast.now, None, 4)
    assert deeds(it) == ["redemption_confirmed"]
    for _ in range(2):
        taken_back = cancel_of_verification("v_1", cast.now + MINUTE)
        assert taken_back is not None and taken_back.state == "cancelled"
    assert left(cast, benefit) == 5
    assert code_of(redeem, *tap, verification_id="v_1") == ("redemption_cancelled", 409)
    assert code_of(redeem, benefit, cast.bob.id, *tap[2:], verification_id="v_1") == ("verification_used", 409)
    assert cancel_of_verification("v_2", cast.now) is None
    assert redeem(*tap, verification_id="v_2").id != it.id


def test_a_use_given_without_signal_is_kept_beyond_the_limit_and_says_so(app: Flask, cast: Cast) -> None:
    benefit, then = library(cast, 1), cast.now - timedelta(hours=2)
    use(cast, benefit)
    tap = (benefit, cast.alice.id, cast.desk.id, cast.now, cast.today)
    for _ in range(2):
        it = redeem(*tap, verification_id="v_1", offline_at=then)
        assert (it.is_offline, it.over_limit, it.n, it.state) == (True, True, None, "confirmed")
        assert (it.created_at, it.confirmed_at) == (then, cast.now)
    assert left(cast, benefit) == 0
    carols = redeem(benefit, cast.carol.id, *tap[2:], verification_id="v_2", offline_at=then)
    assert (carols.state, carols.over_limit, carols.n) == ("confirmed", False, 1)  # given is given, lapsed or not
    nobodys = redeem(benefit, cast.mallory.id, *tap[2:], verification_id="v_3", offline_at=then)
    assert nobodys.period_key == "term:none"


def test_what_comes_off_a_price_is_what_the_use_is_worth(app: Flask, cast: Cast) -> None:
    benefit = library(cast, None, None, discount_percent=20)
    assert use(cast, benefit, price_cents=29999).value_cents == 5999
    assert use(cast, benefit).value_cents is None
    change_benefit(benefit, cast.now, discount_percent=None, discount_cents=6000)
    assert use(cast, benefit, price_cents=5000).value_cents == 5000
    assert use(cast, benefit).value_cents == 6000


def a_row(cast: Cast, benefit: Benefit, **facts: Any) -> dict[str, Any]:
    row = {
        "id": f"r_{sorted(facts)}", "benefit_id": benefit.id, "person_id": cast.alice.id, "state": "reserved",
        "service_id": cast.library.id, "reserved_until": cast.now, "created_at": cast.now, "by": "test",
        "currency": "EUR", "is_offline": False, "over_limit": False, "period_key": "term:x", "limit_count": 2, "n": 1,
    }  # fmt: skip
    return {**row, **facts}


def refused(statement: sa.Executable) -> bool:
    try:
        with db.session.begin_nested():
            db.session.execute(statement)
    except sa.exc.IntegrityError:
        return True
    return False


def test_the_database_itself_refuses_a_use_beyond_the_limit(app: Flask, cast: Cast) -> None:
    benefit = library(cast)
    insert = sa.insert(Redemption)
    assert not refused(insert.values(a_row(cast, benefit)))
    wrong: list[dict[str, Any]] = [
        {"n": 1}, {"n": 3}, {"n": 0}, {"n": None}, {"n": 3, "limit_count": 3},
        {"limit_count": None, "period_key": None}, {"limit_count": None, "period_key": None, "n": None},
        {"n": None, "over_limit": True}, {"state": "cancelled"}, {"n": None, "state": "expired"},
        {"n": 2, "state": "confirmed"}, {"n": 2, "reserved_until": None}, {"n": 2, "confirmed_at": cast.now},
        {"n": 2, "over_limit": True, "is_offline": True}, {"n": 2, "state": "used"},
    ]  # fmt: skip
    assert [facts for facts in wrong if not refused(insert.values(a_row(cast, benefit, **facts)))] == []
    assert not refused(insert.values(a_row(cast, benefit, n=None, over_limit=True, is_offline=True)))
    assert not refused(insert.values(a_row(cast, benefit, n=2)))


def test_the_database_itself_refuses_to_go_back_to_change_facts_or_to_forget(app: Flask, cast: Cast) -> None:
    benefit = library(cast, None, None)
    rows = {state: use(cast, benefit) for state in ("reserved", "confirmed", "cancelled", "expired")}
    confirm(rows["confirmed"].id, cast.library.id, cast.now)
    cancel(rows["cancelled"].id, cast.library.id, cast.now)
    cancel(rows["expired"].id, cast.library.id, cast.now + 15 * MINUTE)
    db.session.flush()
    when = {"confirmed_at": cast.now, "cancelled_at": None}
    forward = {
        ("reserved", "confirmed"),
        ("reserved", "cancelled"),
        ("reserved", "expired"),
        ("confirmed", "cancelled"),
    }
    for was in rows:
        for to in rows:
            instants: dict[str, Any] = {
                "reserved": {"confirmed_at": None, "cancelled_at": None}, "confirmed": when,
                "expired": {"confirmed_at": None, "cancelled_at": None}, "cancelled": {"cancelled_at": cast.now},
            }[to]  # fmt: skip
            statement = sa.update(Redemption).where(Redemption.id == rows[was].id).values(state=to, **instants)
            savepoint = db.session.begin_nested()
            assert refused(statement) is not (was == to or (was, to) in forward), (was, to)
            savepoint.rollback()
    mine = sa.update(Redemption).where(Redemption.id == rows["reserved"].id)
    other = add_benefit("other", "Other", [cast.plus], True, cast.now)
    changes: list[dict[str, Any]] = [
        {"id": "r_x"}, {"benefit_id": other.id}, {"service_id": None}, {"verification_id": "v_x"}, {"reference": "x"},
        {"created_at": cast.now - DAY}, {"value_cents": 1}, {"is_offline": True}, {"currency": "USD"},
    ]  # fmt: skip
    assert [facts for facts in changes if not refused(mine.values(**facts))] == []
    assert refused(sa.delete(Redemption).where(Redemption.id == rows["expired"].id))
    if db.engine.dialect.name == "postgresql":
        assert refused(sa.text("TRUNCATE redemption"))
    else:
        again = sa.text("INSERT OR REPLACE INTO redemption SELECT * FROM redemption")
        assert refused(again)
