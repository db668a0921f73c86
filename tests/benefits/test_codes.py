"""Single-use codes: drawn by a member, redeemed by a shop, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app import clock
from app.benefits.codes import KEPT_FOR, LIFE, draw_code, erase_unused, live_codes, reserve_code
from app.benefits.models import Benefit, BenefitCode, Redemption
from app.benefits.redeeming import cancel, confirm
from app.benefits.rules import ALPHABET, read_code
from app.benefits.service import add_benefit, change_benefit
from app.extensions import db
from app.memberships.models import Term
from app.memberships.service import FOR_LIFE, standing_of
from tests.benefits.test_redeeming import SQLITE, code_of
from tests.cast import Cast

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


def courses(cast: Cast, **facts: Any) -> Benefit:
    facts = {"discount_percent": 20, "by_code": True, **facts}
    return add_benefit("courses", "Courses", [cast.plus], True, cast.now, **facts)


def draw(cast: Cast, benefit: Benefit) -> str:
    return draw_code(benefit, cast.alice.id, cast.now, cast.today)


def take(cast: Cast, benefit: Benefit, code: str, after: timedelta = MINUTE, **more: Any) -> Redemption:
    return reserve_code(code, benefit, cast.library.id, cast.now + after, cast.today, **more)


def test_a_code_is_good_for_one_use(app: Flask, cast: Cast) -> None:
    benefit = courses(cast)
    code = draw(cast, benefit)
    it = take(cast, benefit, code.lower().replace("-", " "), price_cents=30000, reference="order 7")
    assert (it.state, it.person_id, it.value_cents, it.reference) == ("reserved", cast.alice.id, 6000, "order 7")
    assert code_of(take, cast, benefit, code) == ("code_used", 409)
    confirm(it.id, cast.library.id, cast.now + 2 * MINUTE)
    assert code_of(take, cast, benefit, code) == ("code_used", 409)
    assert confirm(it.id, cast.library.id, cast.now + 3 * MINUTE).id == it.id


def test_a_code_is_kept_as_its_hash_and_shown_once(app: Flask, cast: Cast) -> None:
    code = draw(cast, courses(cast))
    plain = read_code(code)
    assert plain is not None and len(code) == 14 and set(plain) <= set(ALPHABET)
    (row,) = db.session.scalars(sa.select(BenefitCode))
    kept = [str(getattr(row, column.name)) for column in BenefitCode.__table__.columns]
    assert row.last_four == plain[-4:]
    assert not any(secret in value for value in kept for secret in (plain, code, plain[:8]))


def test_what_is_cancelled_or_runs_out_gives_the_code_back(app: Flask, cast: Cast) -> None:
    benefit = courses(cast)
    code = draw(cast, benefit)
    cancel(take(cast, benefit, code).id, cast.library.id, cast.now + MINUTE)
    it = take(cast, benefit, code)
    assert code_of(take, cast, benefit, code, 15 * MINUTE) == ("code_used", 409)
    last = take(cast, benefit, code, 16 * MINUTE)
    assert (it.state, last.state) == ("expired", "reserved")
    confirm(last.id, cast.library.id, cast.now + 17 * MINUTE)
    cancel(last.id, cast.library.id, cast.now + 18 * MINUTE)
    assert take(cast, benefit, code, 19 * MINUTE).state == "reserved"


def test_a_code_lives_a_day(app: Flask, cast: Cast) -> None:
    benefit = courses(cast)
    code = draw(cast, benefit)
    now = cast.now + LIFE
    assert code_of(reserve_code, code, benefit, cast.library.id, now, clock.day_of(now)) == ("code_expired", 410)
    assert take(cast, benefit, code, LIFE - SECOND).state == "reserved"


@SQLITE
@pytest.mark.parametrize("in_grace", [True, False])
def test_a_code_ends_with_the_days_in_which_the_benefit_is_theirs(app: Flask, cast: Cast, in_grace: bool) -> None:
    benefit = courses(cast)
    change_benefit(benefit, cast.now, in_grace=in_grace)
    standing = standing_of(cast.alice.id, cast.now, cast.today)
    last = standing.grace_until if in_grace else standing.valid_until
    assert last is not None
    now = clock.day_end(last) - timedelta(hours=3)
    draw_code(benefit, cast.alice.id, now, last)
    assert live_codes(benefit, cast.alice.id, now)[0].expires_at == clock.day_end(last)
    change_benefit(benefit, cast.now, available_until=cast.today)
    draw_code(benefit, cast.alice.id, cast.now, cast.today)
    (first, _second) = live_codes(benefit, cast.alice.id, cast.now)[::-1]
    assert first.expires_at == clock.day_end(cast.today)


@SQLITE
def test_a_member_for_life_draws_codes_too(app: Flask, cast: Cast) -> None:
    db.session.execute(
        sa.update(Term)
        .where(Term.person_id == cast.alice.id)
        .values(ends_on=FOR_LIFE, sold_ends_on=FOR_LIFE, grace_ends_on=FOR_LIFE)
    )
    benefit = courses(cast, limit_count=1, limit_period="term")
    take(cast, benefit, draw(cast, benefit))
    assert live_codes(benefit, cast.alice.id, cast.now)[0].expires_at == cast.now + LIFE


def test_three_codes_wait_at_most_and_used_ones_do_not_count(app: Flask, cast: Cast) -> None:
    benefit = courses(cast)
    codes = [draw(cast, benefit) for _ in range(3)]
    assert len(set(codes)) == 3
    assert code_of(draw, cast, benefit) == ("too_many_codes", 409)
    it = take(cast, benefit, codes[0])
    assert code_of(draw, cast, benefit) == ("too_many_codes", 409)  # reserved is not used yet
    confirm(it.id, cast.library.id, cast.now + MINUTE)
    assert draw(cast, benefit) not in codes
    later = cast.now + LIFE
    assert live_codes(benefit, cast.alice.id, later) == []


def test_a_code_does_not_go_beyond_the_limit(app: Flask, cast: Cast) -> None:
    benefit = courses(cast, limit_count=1, limit_period="term")
    one, two = draw(cast, benefit), draw(cast, benefit)
    it = take(cast, benefit, one)
    assert code_of(take, cast, benefit, two) == ("limit_reached", 409)
    assert code_of(draw, cast, benefit) == ("limit_reached", 409)
    cancel(it.id, cast.library.id, cast.now + MINUTE)
    assert take(cast, benefit, two).n == 1


@SQLITE
def test_who_has_no_right_draws_no_code_and_one_drawn_before_is_refused(app: Flask, cast: Cast) -> None:
    benefit = courses(cast)
    code = draw(cast, benefit)
    change_benefit(benefit, cast.now, tiers=[cast.basic])
    assert code_of(draw, cast, benefit) == code_of(take, cast, benefit, code) == ("not_entitled", 409)
    change_benefit(benefit, cast.now, tiers=[cast.plus], by_code=False)
    assert code_of(draw, cast, benefit) == ("no_codes", 400)


@SQLITE
def test_what_is_no_code_of_this_benefit_is_refused_in_words(app: Flask, cast: Cast) -> None:
    benefit = courses(cast)
    change_benefit(cast.sports, cast.now, by_code=True)
    code = draw(cast, cast.sports)
    assert code_of(take, cast, benefit, code) == ("code_for_other", 409)
    wrong = code[:-1] + next(sign for sign in ALPHABET if sign != code[-1])
    for typed in (wrong, "", "AAAA-AAAA-AAAA", "x" * 40):
        assert code_of(take, cast, benefit, typed) == ("unknown_code", 404)


def test_codes_that_ended_long_ago_and_bought_nothing_are_erased(app: Flask, cast: Cast) -> None:
    benefit = courses(cast)
    used, _unused = draw(cast, benefit), draw(cast, benefit)
    take(cast, benefit, used)
    gone_at = max(db.session.scalars(sa.select(BenefitCode.expires_at))) + KEPT_FOR
    assert [erase_unused(now) for now in (gone_at - SECOND, gone_at, gone_at)] == [0, 1, 0]


def test_the_database_itself_refuses_a_code_used_twice(app: Flask, cast: Cast) -> None:
    benefit = courses(cast)
    it = take(cast, benefit, draw(cast, benefit))
    row = {column.name: getattr(it, column.name) for column in Redemption.__table__.columns}
    with pytest.raises(sa.exc.IntegrityError):
        db.session.execute(sa.insert(Redemption).values({**row, "id": "r_again"}))
