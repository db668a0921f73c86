"""One decision: what a campus service is told about the cast, through the real API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app import clock
from app.cards import codes
from app.cards.keys import CardKeys, generate
from app.cards.payload import window_at
from app.cards.service import find_card
from app.extensions import db
from app.memberships.models import Suspension
from app.memberships.service import standing_of, terms_of
from app.payments.checkouts import send_refund
from app.payments.models import Payment
from app.payments.refunds import request_refund
from app.payments.service import payments_of
from app.people.models import Person
from app.people.service import add_person
from app.services.service import add_service
from app.verification.models import Verification
from tests.cast import Cast, pay
from tests.verification.asking import PATH, ask, card_of, live, send, set_clock, static
from tests.visitor import Visitor

FIELDS = {
    "id", "valid", "reason", "status", "tier", "valid_until", "grace_until", "entitled", "limit_remaining", "subject",
    "check_identity", "checked_at",
}  # fmt: skip
KINDS = pytest.mark.parametrize("make", [live, static])


def short(answer: dict[str, Any]) -> tuple[str, bool, bool]:
    return answer["reason"], answer["valid"], answer["entitled"]


def refund_all(payment: Payment) -> None:
    refund = request_refund(payment, payment.amount_cents, "test", clock.now())
    db.session.flush()
    send_refund(refund.id)


def newcomer(cast: Cast, tier: Any, name: str = "Erin") -> Person:
    person = add_person(name, "Puig", f"{name.lower()}@example.org", cast.now)
    pay(person, tier, cast.today)
    db.session.commit()
    return person


def hold(**whose: int) -> Suspension:
    suspension = Suspension(cause="dispute", from_at=clock.now(), until_at=None, **whose)
    db.session.add(suspension)
    db.session.commit()
    return suspension


def test_an_active_member_is_told_in_full(app: Flask, cast: Cast) -> None:
    standing = standing_of(cast.alice.id, cast.now, cast.today)
    answer = ask(app, cast.library_key, live(cast.alice))
    assert set(answer) == FIELDS
    assert short(answer) == ("ok", True, True)
    assert (answer["status"], answer["tier"], answer["limit_remaining"]) == ("active", "plus", None)
    assert standing.valid_until is not None and standing.grace_until is not None
    assert answer["valid_until"] == standing.valid_until.isoformat()
    assert answer["grace_until"] == standing.grace_until.isoformat()
    assert answer["check_identity"] is False
    assert answer["checked_at"].endswith("Z") and "." not in answer["checked_at"]


def test_a_printed_code_is_valid_but_asks_for_an_id(app: Flask, cast: Cast) -> None:
    answer = ask(app, cast.library_key, static(cast.alice))
    assert short(answer) == ("ok", True, True)
    assert answer["check_identity"] is True


def test_the_digits_alone_are_the_code_too(app: Flask, cast: Cast) -> None:
    assert ask(app, cast.library_key, live(cast.alice).rpartition("/")[2])["reason"] == "ok"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("days_after_end", "live_reason", "static_reason"),
    [(0, "ok", "ok"), (1, "grace", "grace"), (30, "grace", "grace"), (31, "lapsed", "expired_card")],
)
def test_the_end_and_the_end_of_grace_fall_on_midnight(
    app: Flask, cast: Cast, days_after_end: int, live_reason: str, static_reason: str
) -> None:
    standing = standing_of(cast.alice.id, cast.now, cast.today)
    assert standing.valid_until is not None
    day = standing.valid_until + timedelta(days=days_after_end)
    printed = static(cast.alice)
    little = timedelta(seconds=30)
    for moment in (clock.day_end(day - timedelta(days=1)) + little, clock.day_end(day) - little):
        set_clock(moment)
        assert ask(app, cast.library_key, live(cast.alice))["reason"] == live_reason
        assert ask(app, cast.library_key, printed)["reason"] == static_reason


def test_grace_says_until_when_and_honours_the_benefit_that_honours_it(app: Flask, cast: Cast) -> None:
    answer = ask(app, cast.library_key, live(cast.bob), benefit="wifi")
    assert short(answer) == ("grace", True, True)
    assert answer["valid_until"] < cast.today.isoformat() <= answer["grace_until"]


def test_a_benefit_may_refuse_grace(app: Flask, cast: Cast) -> None:
    assert short(ask(app, cast.library_key, live(cast.bob), benefit="sports")) == ("not_entitled", True, False)
    assert short(ask(app, cast.library_key, live(cast.alice), benefit="sports")) == ("ok", True, True)


def test_a_member_without_this_benefit_is_another_answer_than_no_member(app: Flask, cast: Cast) -> None:
    erin = newcomer(cast, cast.basic)
    assert short(ask(app, cast.library_key, live(erin), benefit="sports")) == ("not_entitled", True, False)
    assert short(ask(app, cast.library_key, live(cast.carol), benefit="sports")) == ("lapsed", False, False)


def test_a_service_with_a_benefit_of_its_own_means_that_one(app: Flask, cast: Cast) -> None:
    _service, key = add_service("Gym", ["verify"], cast.sports, cast.now)
    erin = newcomer(cast, cast.basic)
    assert ask(app, key, live(erin))["reason"] == "not_entitled"
    assert ask(app, key, live(erin), benefit="wifi")["reason"] == "ok"


def test_a_lapsed_member_is_refused_and_keeps_the_dates(app: Flask, cast: Cast) -> None:
    answer = ask(app, cast.library_key, live(cast.carol))
    assert short(answer) == ("lapsed", False, False)
    assert (answer["status"], answer["tier"]) == ("lapsed", "basic")
    assert answer["check_identity"] is False


@KINDS
def test_a_refund_is_a_refusal_at_the_next_verification(app: Flask, cast: Cast, make: Any) -> None:
    code = make(cast.alice)
    assert ask(app, cast.library_key, code)["reason"] == "ok"
    refund_all(payments_of(cast.alice.id)[0])
    answer = ask(app, cast.library_key, code)
    assert short(answer) == ("lapsed", False, False)
    assert answer["valid_until"] == answer["grace_until"] == (cast.today - timedelta(days=1)).isoformat()


def test_a_membership_bought_and_refunded_today_never_was(app: Flask, cast: Cast) -> None:
    erin = newcomer(cast, cast.basic)
    code = live(erin)
    refund_all(payments_of(erin.id)[0])
    answer = ask(app, cast.library_key, code)
    assert short(answer) == ("none", False, False)
    assert (answer["valid_until"], answer["tier"]) == (None, None)


def test_dans_refunded_card_is_refused(app: Flask, cast: Cast) -> None:
    assert short(ask(app, cast.library_key, live(cast.dan))) == ("lapsed", False, False)


@KINDS
@pytest.mark.parametrize("whose", ["term", "person"])
def test_a_hold_refuses_until_it_ends(app: Flask, cast: Cast, make: Any, whose: str) -> None:
    code = make(cast.alice)
    term = terms_of(cast.alice.id)[0]
    suspension = hold(term_id=term.id) if whose == "term" else hold(person_id=cast.alice.id)
    answer = ask(app, cast.library_key, code)
    assert short(answer) == ("suspended", False, False)
    assert answer["status"] == "suspended"
    suspension.until_at = clock.now()
    assert ask(app, cast.library_key, code)["reason"] == "ok"


@KINDS
@pytest.mark.parametrize(("because", "reason"), [("lost", "revoked"), ("replaced", "replaced")])
def test_a_withdrawn_card_is_refused_at_once(app: Flask, cast: Cast, make: Any, because: str, reason: str) -> None:
    code = make(cast.alice)
    card = card_of(cast.alice)
    card.revoked_at, card.revoked_because = clock.now(), because
    assert short(ask(app, cast.library_key, code)) == (reason, False, False)


def test_what_is_wrong_with_the_card_goes_before_what_is_wrong_with_the_membership(app: Flask, cast: Cast) -> None:
    card = card_of(cast.carol)
    card.revoked_at, card.revoked_because = clock.now(), "lost"
    standing = standing_of(cast.carol.id, cast.now, cast.today)
    now, today = clock.now(), clock.today()
    fresh = codes.live_code(keys(app), **facts(card), window=window_at(now), **place(app), today=today)
    stale = codes.live_code(keys(app), **facts(card), window=window_at(now) - 2, **place(app), today=today)
    ended = codes.static_code(keys(app), **facts(card), expires_on=standing.grace_until, **place(app), today=today)
    assert ask(app, cast.library_key, fresh)["reason"] == "revoked"
    assert ask(app, cast.library_key, stale)["reason"] == "stale_code"
    assert ask(app, cast.library_key, ended)["reason"] == "expired_card"


@pytest.mark.parametrize(("windows_away", "reason"), [(-2, "stale_code"), (-1, "ok"), (0, "ok"), (1, "ok")])
def test_a_live_code_lasts_for_its_window_and_one_beside(
    app: Flask, cast: Cast, windows_away: int, reason: str
) -> None:
    # Ten seconds into a window, so that none turns while we ask.
    now = clock.now()
    set_clock(now + timedelta(seconds=30 - now.timestamp() % 30 + 10))
    window = window_at(clock.now()) + windows_away
    code = codes.live_code(keys(app), **facts(card_of(cast.alice)), window=window, **place(app), today=clock.today())
    answer = ask(app, cast.library_key, code)
    assert (answer["reason"], answer["valid"]) == (reason, reason == "ok")


def test_a_printed_code_ends_although_its_holder_has_renewed(app: Flask, cast: Cast) -> None:
    printed = static(cast.alice)
    pay(cast.alice, cast.plus, cast.today)
    standing = standing_of(cast.alice.id, cast.now, cast.today)
    assert standing.valid_until is not None
    set_clock(clock.day_end(standing.valid_until) - timedelta(hours=1))
    assert short(ask(app, cast.library_key, printed)) == ("expired_card", False, False)
    assert ask(app, cast.library_key, static(cast.alice))["reason"] == "ok"


@KINDS
def test_a_card_signed_by_another_key_is_forged(app: Flask, cast: Cast, make: Any, monkeypatch: Any) -> None:
    ours = keys(app)
    monkeypatch.setitem(app.extensions, "card_keys", CardKeys([generate(1, cast.today - timedelta(days=1))]))
    foreign = make(cast.alice)
    monkeypatch.setitem(app.extensions, "card_keys", ours)
    answer = ask(app, cast.library_key, foreign)
    assert short(answer) == ("forged", False, False)
    assert answer["subject"] is answer["tier"] is answer["valid_until"] is None


@KINDS
def test_a_key_id_we_do_not_have_is_an_unknown_card(app: Flask, cast: Cast, make: Any, monkeypatch: Any) -> None:
    ours = keys(app)
    monkeypatch.setitem(app.extensions, "card_keys", CardKeys([generate(77, cast.today - timedelta(days=1))]))
    foreign = make(cast.alice)
    monkeypatch.setitem(app.extensions, "card_keys", ours)
    assert short(ask(app, cast.library_key, foreign)) == ("unknown_card", False, False)


@pytest.mark.parametrize("change", ["card_id", "status_index"])
def test_a_well_signed_code_of_no_card_is_unknown(app: Flask, cast: Cast, change: str) -> None:
    numbers = facts(card_of(cast.alice))
    numbers[change] ^= 1
    code = codes.static_code(keys(app), **numbers, expires_on=cast.today, **place(app), today=cast.today)
    answer = ask(app, cast.library_key, code)
    assert short(answer) == ("unknown_card", False, False)
    assert answer["subject"] is None


FOREIGN = (
    "https://example.org/menu", "WIFI:S:Campus;T:WPA;P:secret;;", "1", "0", "-1", "M-", "M-abc", "M_000001", " ",
    "HTTPS://CARD.EXAMPLE.ORG/C/", "9" * 190, "9" * 400, "\ud83c\udf93", "\ud800", "\x00", "٣٤٥", "alice@example.org",
)  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_foreign_code_is_forged(app: Flask, cast: Cast) -> None:
    for text in FOREIGN:
        assert short(ask(app, cast.library_key, text)) == ("forged", False, False), text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_another_way_to_write_a_good_code_is_forged(app: Flask, cast: Cast) -> None:
    code = static(cast.alice)
    prefix, _slash, digits = code.rpartition("/")
    for text in (
        code.lower(), f" {code}", f"{code}\n", f"{code}#", f"{code}?", f"{prefix}/0{digits}", f"0{digits}",
        f"+{digits}",
        f"{prefix}//{digits}", code.replace("HTTP://", "HTTPS://"), f"HTTP://EVIL.ORG/C/{digits}", f"{digits[:-1]}",
        f"{digits}0", f"{digits} ", digits.replace("1", "１"),
    ):  # fmt: skip
        assert short(ask(app, cast.library_key, text)) == ("forged", False, False), text


@KINDS
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_single_bit_of_a_code_can_be_changed(app: Flask, cast: Cast, make: Any, unlimited: None) -> None:
    prefix, _slash, digits = make(cast.alice).rpartition("/")
    number = int(digits)
    visitor = Visitor(app)
    accepted = []
    for bit in range(number.bit_length()):
        question = {"credential": f"{prefix}/{number ^ 1 << bit}"}
        response = visitor.post_json(PATH, question, Authorization=f"Bearer {cast.library_key}")
        answer = response.json
        if response.status_code != 200 or answer["valid"] or answer["reason"] not in ("forged", "unknown_card"):
            accepted.append((bit, response.status_code, answer))
    assert number.bit_length() > 600
    assert accepted == []


def test_a_member_number_is_an_answer_only_for_services_of_that_scope(app: Flask, cast: Cast) -> None:
    response = send(app, cast.library_key, cast.alice.member_number)
    assert (response.status_code, response.json["code"]) == (403, "missing_scope")
    assert db.session.query(Verification).count() == 0
    _service, key = add_service("Office", ["verify", "verify:number"], None, cast.now)
    answer = ask(app, key, cast.alice.member_number)
    assert short(answer) == ("ok", True, True)
    assert answer["check_identity"] is True


def test_unknown_and_inactive_people_get_the_same_shape(app: Flask, cast: Cast) -> None:
    _service, key = add_service("Office", ["verify", "verify:number"], None, cast.now)
    answers = {
        who: ask(app, key, number)
        for who, number in (
            ("carol", cast.carol.member_number), ("dan", cast.dan.member_number),
            ("mallory", cast.mallory.member_number), ("nobody", "M-999999"), ("small", "m-999999"),
        )
    }  # fmt: skip
    assert all(set(answer) == FIELDS and answer["valid"] is False for answer in answers.values())
    assert {who: answer["reason"] for who, answer in answers.items()} == {
        "carol": "lapsed", "dan": "lapsed", "mallory": "none", "nobody": "none", "small": "none",
    }  # fmt: skip


def test_a_number_of_nobody_answers_like_that_of_somebody_never_a_member(app: Flask, cast: Cast) -> None:
    _service, key = add_service("Office", ["verify", "verify:number"], None, cast.now)
    known = ask(app, key, cast.mallory.member_number)
    unknown = ask(app, key, "M-999999")
    differing = {name for name in FIELDS if known[name] != unknown[name]}
    assert differing <= {"id", "checked_at"}


def test_nobody_without_a_membership_has_a_card(app: Flask, cast: Cast) -> None:
    assert find_card(cast.mallory.id) is None


def keys(app: Flask) -> CardKeys:
    found: CardKeys = app.extensions["card_keys"]
    return found


def facts(card: Any) -> dict[str, int]:
    return {"card_id": card.number, "status_index": card.status_index, "tier": 1}


def place(app: Flask) -> dict[str, str]:
    return {"card_base_url": app.config["CARD_BASE_URL"]}
