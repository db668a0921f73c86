"""Terms in real databases: what they refuse, what the commands say, and that all readers agree."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from app import clock
from app.audit import AuditEntry
from app.errors import Refusal
from app.extensions import db
from app.memberships import service
from app.memberships.models import Suspension, Term, Tier
from app.memberships.rules import TermDates
from tests.cast import Cast, pay

DAY = timedelta(days=1)


def term(cast: Cast, starts_on: date, ends_on: date, /, **more: object) -> Term:
    values = {
        "person_id": cast.mallory.id, "tier_id": cast.basic.id, "anchor_on": starts_on, "starts_on": starts_on,
        "ends_on": ends_on, "sold_ends_on": max(ends_on, starts_on), "grace_ends_on": ends_on,
        "granted_by": "the board", "granted_because": "test", "created_at": cast.now,
    }  # fmt: skip
    return Term(**{**values, **more})


def refused(*rows: Term) -> bool:
    """Whether the database itself will not have these rows together."""
    savepoint = db.session.begin_nested()
    try:
        for row in rows:
            db.session.add(row)
            db.session.flush()
    except IntegrityError:
        savepoint.rollback()
        return True
    savepoint.rollback()
    return False


def test_the_database_refuses_a_second_term_for_a_day_somebody_has(cast: Cast) -> None:
    for starts, ends, overlaps in [
        (-10, -1, False), (-10, 0, True), (0, 9, True), (3, 5, True), (-5, 20, True), (9, 12, True), (10, 12, False)
    ]:  # fmt: skip
        first = term(cast, cast.today, cast.today + 9 * DAY)
        second = term(cast, cast.today + starts * DAY, cast.today + ends * DAY)
        assert refused(first, second) is overlaps, (starts, ends)


def test_the_database_refuses_to_move_a_term_over_another(cast: Cast) -> None:
    first, second = term(cast, cast.today, cast.today + 9 * DAY), term(cast, cast.today + 10 * DAY, date.max)
    db.session.add_all([first, second])
    db.session.flush()
    with pytest.raises(IntegrityError), db.session.begin_nested():
        second.starts_on = cast.today + 9 * DAY
        db.session.flush()
    with pytest.raises(IntegrityError), db.session.begin_nested():
        db.session.execute(
            text("UPDATE term SET person_id = :them WHERE person_id = :me"),
            {"them": cast.mallory.id, "me": cast.alice.id},
        )


def test_two_people_may_have_the_same_days(cast: Cast) -> None:
    days = (cast.today, cast.today + 9 * DAY)
    assert not refused(term(cast, *days), term(cast, *days, person_id=cast.carol.id))


def test_an_emptied_term_collides_with_nothing(cast: Cast) -> None:
    for offset in (-1, 0, 5, 9, 10):
        day = cast.today + offset * DAY
        emptied, twin = term(cast, day, day - DAY), term(cast, day, day - DAY)
        assert not refused(term(cast, cast.today, cast.today + 9 * DAY), emptied, twin), offset


def test_the_database_refuses_a_term_that_contradicts_itself(cast: Cast) -> None:
    wrongs: list[dict[str, object]] = [
        {"granted_by": None},  # neither paid nor granted
        {"payment_id": 1},  # both
        {"starts_on": cast.today + 11 * DAY},  # further back than empty
        {"sold_ends_on": cast.today},  # longer than it was sold
        {"grace_ends_on": cast.today},
        {"anchor_on": cast.today + DAY},
        {"person_id": 999_999},
        {"tier_id": 99},
    ]
    assert not refused(term(cast, cast.today, cast.today + 9 * DAY))
    for wrong in wrongs:
        assert refused(term(cast, cast.today, cast.today + 9 * DAY, **wrong)), wrong


def test_a_payment_buys_one_term_at_most(cast: Cast) -> None:
    paid = db.session.execute(select(Term.payment_id).where(Term.person_id == cast.alice.id)).scalar_one()
    assert refused(term(cast, date(2050, 1, 1), date(2050, 2, 1), granted_by=None, payment_id=paid))


@pytest.mark.parametrize("wrong", [{}, {"term_id": 1, "person_id": 1}])
def test_a_hold_is_of_a_term_or_of_a_person(cast: Cast, wrong: dict[str, int]) -> None:
    db.session.add(Suspension(cause="test", from_at=cast.now, **wrong))
    with pytest.raises(IntegrityError):
        db.session.flush()


# Granting, ending, restoring: each twice.


def test_days_that_somebody_has_cannot_be_granted(cast: Cast) -> None:
    dates = TermDates(cast.today, cast.today, cast.today + 9 * DAY, cast.today + 9 * DAY)
    service.grant_term(cast.mallory.id, cast.basic, dates, "the board", "thanks", cast.now)
    with pytest.raises(Refusal) as refusal:
        service.grant_term(cast.mallory.id, cast.basic, dates, "the board", "thanks", cast.now)
    assert (refusal.value.code, len(service.terms_of(cast.mallory.id))) == ("days_covered", 1)


def test_ending_a_term_twice_keeps_the_first_end(cast: Cast) -> None:
    [it] = service.terms_of(cast.alice.id)
    for today in (cast.today, cast.today - 5 * DAY, cast.today + 5 * DAY):
        service.end_terms_of_payment(it.payment_id or 0, "refunded", cast.now, today)
    assert (it.ends_on, it.grace_ends_on) == (cast.today - DAY, cast.today - DAY)


def test_restoring_gives_the_sold_days_and_their_grace_back_once(cast: Cast) -> None:
    [it] = service.terms_of(cast.alice.id)
    before = (it.starts_on, it.ends_on, it.grace_ends_on)
    service.end_terms_of_payment(it.payment_id or 0, "refunded", cast.now, cast.today)
    assert [service.restore_terms_of_payment(it.payment_id or 0, cast.now, cast.today) for _ in range(2)] == [
        True,
        True,
    ]
    assert (it.starts_on, it.ends_on, it.grace_ends_on, it.ended_because) == (*before, None)


def test_days_bought_by_somebody_since_are_not_taken_by_restoring(cast: Cast) -> None:
    [it] = service.terms_of(cast.alice.id)
    service.end_terms_of_payment(it.payment_id or 0, "refunded", cast.now, cast.today)
    pay(cast.alice, cast.basic, cast.today)
    assert service.restore_terms_of_payment(it.payment_id or 0, cast.now, cast.today) is False
    assert it.ends_on == cast.today - DAY


# add-tier


def add_tier(app: Flask, *arguments: str) -> tuple[int, str, str]:
    result = app.test_cli_runner().invoke(args=["memberships", "add-tier", *arguments])
    return result.exit_code, result.stdout.strip(), result.stderr.strip()


def test_a_tier_is_offered_with_its_fee_and_its_rules(app: Flask) -> None:
    assert add_tier(app, "basic", "--name", "Basic", "--fee", "30.00")[:2] == (
        0, "Tier basic (Basic) is on offer for 30.00 EUR."
    )  # fmt: skip
    options = ["--months", "12", "--grace-days", "15", "--fixed-start", "10-01", "--bonus-days", "60"]
    assert add_tier(app, "season", "--name", "Season", "--fee", "50", *options)[0] == 0
    tiers = {tier.code: tier for tier in service.list_tiers()}
    assert (tiers["basic"].months, tiers["basic"].grace_days, tiers["basic"].fixed_start) == (12, 30, None)
    assert service.price_on(tiers["basic"], date(2026, 1, 1)).fee_cents == 3000
    season = tiers["season"]
    assert (season.rules.fixed_start, season.rules.bonus_days, season.grace_days) == ((10, 1), 60, 15)
    assert service.price_on(season, date(2026, 1, 1)).fee_cents == 5000


NO_TIERS = [
    ["Basic", "--name", "B", "--fee", "30.00"],
    ["", "--name", "B", "--fee", "30.00"],
    ["a b", "--name", "B", "--fee", "30.00"],
    ["x" * 32, "--name", "B", "--fee", "30.00"],
    ["new\n", "--name", "B", "--fee", "30.00"],
    ["new", "--name", " ", "--fee", "30.00"],
    ["new", "--name", "B", "--fee", "0"],
    ["new", "--name", "B", "--fee", "0.00"],
    ["new", "--name", "B", "--fee", "-30.00"],
    ["new", "--name", "B", "--fee", "30,00"],
    ["new", "--name", "B", "--fee", "30.5"],
    ["new", "--name", "B", "--fee", "30.005"],
    ["new", "--name", "B", "--fee", "thirty"],
    ["new", "--name", "B", "--fee", "99999999.00"],
    ["new", "--name", "B"],
    ["new", "--fee", "30.00"],
    ["new", "--name", "B", "--fee", "30.00", "--months", "0"],
    ["new", "--name", "B", "--fee", "30.00", "--months", "121"],
    ["new", "--name", "B", "--fee", "30.00", "--months", "x"],
    ["new", "--name", "B", "--fee", "30.00", "--grace-days", "-1"],
    ["new", "--name", "B", "--fee", "30.00", "--grace-days", "367"],
    ["new", "--name", "B", "--fee", "30.00", "--fixed-start", "13-01"],
    ["new", "--name", "B", "--fee", "30.00", "--fixed-start", "02-29"],
    ["new", "--name", "B", "--fee", "30.00", "--fixed-start", "1-1"],
    ["new", "--name", "B", "--fee", "30.00", "--fixed-start", ""],
    ["new", "--name", "B", "--fee", "30.00", "--fixed-start", "10-01", "--months", "6"],
    ["new", "--name", "B", "--fee", "30.00", "--bonus-days", "10"],
    ["new", "--name", "B", "--fee", "30.00", "--fixed-start", "10-01", "--bonus-days", "-1"],
    ["new", "--name", "B", "--fee", "30.00", "--fixed-start", "10-01", "--bonus-days", "367"],
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_values_that_make_no_tier_are_refused_plainly(app: Flask) -> None:
    for arguments in NO_TIERS:
        code, said, complaint = add_tier(app, *arguments)
        assert (code, said, service.list_tiers()) == (2, "", []), arguments
        assert complaint and "Traceback" not in complaint, arguments


def test_a_tier_that_exists_is_refused_and_stays_as_it_is(app: Flask) -> None:
    add_tier(app, "basic", "--name", "Basic", "--fee", "30.00")
    code, _said, complaint = add_tier(app, "basic", "--name", "Other", "--fee", "40.00")
    assert (code, complaint) == (2, "There is a tier 'basic' already.")
    assert [tier.name for tier in service.list_tiers()] == ["Basic"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_card_has_room_for_255_tiers(app: Flask) -> None:
    db.session.add(Tier(id=255, code="last", name="Last", months=12, grace_days=0, created_at=clock.now()))
    db.session.commit()
    assert add_tier(app, "more", "--name", "More", "--fee", "30.00")[0] == 2


# explain


def explain(app: Flask, *arguments: str) -> tuple[int, str, str]:
    db.session.commit()
    result = app.test_cli_runner().invoke(args=["memberships", "explain", *arguments])
    return result.exit_code, result.stdout, result.stderr.strip()


def test_explain_as_json_has_the_published_shape(app: Flask, cast: Cast) -> None:
    code, said, _ = explain(app, "alice@example.org", "--json")
    [term] = service.terms_of(cast.alice.id)
    answer = json.loads(said)
    assert code == 0
    assert list(answer) == ["person", "as_of", "status", "tier", "valid_until", "terms", "because", "known_then"]
    because = answer.pop("because")
    assert answer.pop("known_then") == {field: answer[field] for field in ("status", "tier", "valid_until")}
    assert answer == {
        "person": cast.alice.member_number,
        "as_of": cast.today.isoformat(),
        "status": "active",
        "tier": "plus",
        "valid_until": term.ends_on.isoformat(),
        "terms": [
            {
                "tier": "plus",
                "starts_on": term.starts_on.isoformat(),
                "ends_on": term.ends_on.isoformat(),
                "payment": f"P-{cast.today.year}-000001",
                "granted_by": None,
                "ended_because": None,
                "sold_ends_on": term.ends_on.isoformat(),
                "granted_because": None,
            }
        ],
    }
    assert f"payment P-{cast.today.year}-000001 of €50.00 on " in because


def test_explain_knows_a_person_by_number_id_or_address(app: Flask, cast: Cast) -> None:
    for person in (cast.alice.member_number, str(cast.alice.id), "ALICE@example.org"):
        code, said, _ = explain(app, person)
        assert (code, said.startswith(f"{cast.alice.member_number} on {cast.today}: active. ")) == (0, True)
        assert "\u00a0" not in said


def test_explain_answers_for_any_day(app: Flask, cast: Cast) -> None:
    [it] = service.terms_of(cast.alice.id)
    for day, status in [
        (it.starts_on - DAY, "none"),
        (it.starts_on, "active"),
        (it.ends_on, "active"),
        (it.ends_on + DAY, "grace"),
        (it.grace_ends_on, "grace"),
        (it.grace_ends_on + DAY, "lapsed"),
    ]:
        code, said, _ = explain(app, "alice@example.org", "--json", "--as-of", day.isoformat())
        answer = json.loads(said)
        assert (code, answer["status"], answer["as_of"]) == (0, status, day.isoformat())


def test_explain_names_a_refund_and_a_grant(app: Flask, cast: Cast) -> None:
    answer = json.loads(explain(app, "dan@example.org", "--json")[1])
    assert (answer["status"], answer["terms"][0]["ended_because"]) == ("lapsed", "refunded")
    assert "refunded" in answer["because"].lower()
    dates = TermDates(cast.today, cast.today, cast.today, cast.today)
    service.grant_term(cast.mallory.id, cast.basic, dates, "the board", "thanks", cast.now)
    answer = json.loads(explain(app, "mallory@example.org", "--json")[1])
    assert (answer["terms"][0]["granted_by"], answer["terms"][0]["payment"]) == ("the board", None)
    assert "the board granted" in answer["because"]


def test_explain_of_who_never_was_a_member(app: Flask, cast: Cast) -> None:
    code, said, _ = explain(app, "mallory@example.org")
    assert (code, said) == (
        0, f"{cast.mallory.member_number} on {cast.today}: none. no day of membership so far.\n"
    )  # fmt: skip


def test_explain_refuses_what_it_does_not_know(app: Flask, cast: Cast) -> None:
    for arguments in (["nobody@example.org"], ["M-999999"], [""], ["alice@example.org", "--as-of", "yesterday"], []):
        code, said, complaint = explain(app, *arguments)
        assert (code, said) == (2, ""), arguments
        assert complaint and "Traceback" not in complaint


# Readers agree; every change is written down.


def test_the_counts_agree_with_everybodys_own_standing(app: Flask, cast: Cast) -> None:
    renewal = pay(cast.bob, cast.basic, cast.today)  # in grace: renews, and is refunded some days later
    paid = service.find_term_of_payment(renewal.id)
    assert paid is not None
    people = [cast.alice, cast.bob, cast.carol, cast.dan, cast.mallory]
    for day_of_refund in (None, cast.today + 3 * DAY):
        if day_of_refund is not None:
            service.end_terms_of_payment(renewal.id, "refunded", cast.now, day_of_refund)
        for offset in (-400, -366, -101, -100, -11, -10, -5, 0, 2, 3, 4, 20, 24, 264, 265, 295, 296, 400):
            today = cast.today + offset * DAY
            statuses = [service.standing_of(person.id, cast.now, today).status for person in people]
            assert service.count_by_status(today) == {
                status: statuses.count(status) for status in ("active", "grace", "lapsed")
            }, offset
            several = service.memberships_of([person.id for person in people], cast.now, today)
            assert [several[person.id].status for person in people] == statuses


def test_a_hold_opens_and_closes_by_its_instants(cast: Cast) -> None:
    [it] = service.terms_of(cast.alice.id)
    hold = Suspension(term_id=it.id, cause="test", from_at=cast.now)
    db.session.add(hold)
    db.session.flush()
    before, after = cast.now - timedelta(seconds=1), cast.now + timedelta(hours=1)
    assert [service.standing_of(cast.alice.id, now, cast.today).status for now in (before, cast.now)] == [
        "active", "suspended",
    ]  # fmt: skip
    hold.until_at = after
    db.session.flush()
    assert service.standing_of(cast.alice.id, after, cast.today).status == "active"


def test_every_change_of_a_term_is_in_the_audit_log(app: Flask, cast: Cast) -> None:
    [it] = service.terms_of(cast.alice.id)
    service.end_terms_of_payment(it.payment_id or 0, "refunded", cast.now, cast.today)
    service.restore_terms_of_payment(it.payment_id or 0, cast.now, cast.today)
    db.session.commit()
    query = select(AuditEntry.action).where(AuditEntry.subject == f"term:{it.id}").order_by(AuditEntry.id)
    assert list(db.session.execute(query).scalars()) == ["term_sold", "term_ended", "term_restored"]
    assert db.session.execute(select(func.count()).select_from(Term)).scalar_one() == 4
