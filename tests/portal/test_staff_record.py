"""The staff's record of one person: every day explained, holds, grants and documents by the administrator only."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from app import audit, clock
from app.extensions import db
from app.memberships.service import add_tier, is_on_hold, offer_for, standing_of, terms_of
from app.payments.models import Gift, Payment
from app.people.models import Person
from tests.cast import Cast, pay
from tests.portal.test_states import read, short
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def admin(app: Flask, cast: Cast) -> Visitor:
    return Visitor(app, "admin@example.org")


def record(person: Person, act: str = "") -> str:
    return f"/admin/people/{person.member_number}{act}"


def seen(visitor: Visitor, person: Person) -> str:
    found = re.search(r'name="grant-seen"[^>]*value="(\d+)"', visitor.get(record(person)).get_data(as_text=True))
    assert found is not None
    return found[1]


def grant(visitor: Visitor, person: Person, **more: str) -> dict[str, str]:
    form = {
        "tier": "basic",
        "length": "months",
        "months": "6",
        "because": "Board member",
        "seen": seen(visitor, person),
    }
    return {f"grant-{name}": value for name, value in {**form, **more}.items()}


def test_any_day_is_explained(admin: Visitor, cast: Cast) -> None:
    first = terms_of(cast.alice.id)[0].starts_on
    for day, words in (
        (first, "A member on this day because payment P-"),
        (first - timedelta(days=1), "No day of membership so far"),
        (first + timedelta(days=400), "No longer a member on this day"),
    ):
        text = read(admin, f"{record(cast.alice)}?as_of={day.isoformat()}")
        assert words in text and f"on {short(day)}" in text, day
    assert admin.get(f"{record(cast.alice)}?as_of=yesterday").status_code == 400
    for odd in ("0001-01-01", "9999-12-31"):
        assert admin.get(f"{record(cast.alice)}?as_of={odd}").status_code == 200


def test_what_was_known_on_a_day_stands_beside_what_is_true_of_it(admin: Visitor, cast: Cast) -> None:
    day = cast.today - timedelta(days=50)  # the fee was booked today, by its value date
    text = read(admin, f"{record(cast.alice)}?as_of={day.isoformat()}")
    assert "What was known on that day: Never a member" in text
    assert "What was known" not in read(admin, record(cast.alice))


def test_a_hold_stops_the_membership_until_it_is_released(admin: Visitor, cast: Cast) -> None:
    for said in ("On hold now.", "Was on hold already."):
        assert admin.post(record(cast.alice, "/hold"), {"hold-because": "Card lent to others"}).status_code == 303
        text = read(admin, record(cast.alice))
        assert said in text and "Card lent to others" in text
    assert standing_of(cast.alice.id, clock.now(), cast.today).status == "suspended"
    for said in ("Released.", "Was not on hold."):
        assert admin.post(record(cast.alice, "/release")).status_code == 303
        assert said in read(admin, record(cast.alice))
    assert standing_of(cast.alice.id, clock.now(), cast.today).status == "active"
    assert audit.find_break() is None


def test_a_hold_needs_a_reason(admin: Visitor, cast: Cast) -> None:
    answer = admin.post(record(cast.alice, "/hold"), {"hold-because": " "})
    assert (answer.status_code, "Say why." in answer.get_data(as_text=True)) == (400, True)
    assert not is_on_hold(cast.alice.id)


def test_granted_days_start_after_the_paid_ones_and_only_once(admin: Visitor, cast: Cast) -> None:
    form = grant(admin, cast.alice)
    assert [admin.post(record(cast.alice, "/grant"), form).status_code for _ in range(2)] == [303, 409]
    paid, granted = terms_of(cast.alice.id)
    assert (granted.starts_on - paid.ends_on).days == 1
    assert granted.granted_by == f"account:{cast.account('admin').id}"
    text = read(admin, record(cast.alice))
    assert "Granted: Board member by admin@example.org" in text


@pytest.mark.parametrize(("more", "ends"), [({"length": "life"}, "for life"), ({"length": "until"}, "until")])
def test_days_are_granted_until_a_day_or_for_life(admin: Visitor, cast: Cast, more: dict[str, str], ends: str) -> None:
    until = cast.today + timedelta(days=40)
    form = grant(admin, cast.mallory, until=until.isoformat(), **more)
    assert admin.post(record(cast.mallory, "/grant"), form).status_code == 303
    (term,) = terms_of(cast.mallory.id)
    assert term.ends_on.isoformat() == ("9999-12-31" if ends == "for life" else until.isoformat())
    if ends == "for life":
        assert "for life" in read(admin, record(cast.mallory))
        assert admin.post(record(cast.mallory, "/grant"), grant(admin, cast.mallory)).status_code == 409


@pytest.mark.parametrize(
    "wrong",
    [
        {"tier": "gold"}, {"because": ""}, {"months": "0"}, {"months": "x"}, {"months": ""}, {"length": "years"},
        {"length": "until", "until": ""}, {"length": "until", "until": "2020-01-01"}, {"length": "until", "until": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_a_grant_that_cannot_be_is_said_on_the_page(admin: Visitor, cast: Cast, wrong: dict[str, str]) -> None:
    answer = admin.post(record(cast.mallory, "/grant"), grant(admin, cast.mallory, **wrong))
    assert (answer.status_code, 'role="alert"' in answer.get_data(as_text=True)) == (400, True)
    assert terms_of(cast.mallory.id) == []


def test_a_document_that_was_seen_opens_the_reduced_fee(admin: Visitor, cast: Cast) -> None:
    assert "A document was seen" not in read(admin, record(cast.mallory))
    senior = add_tier("senior", "Senior", 1000, clock.now(), needs_document=True)
    db.session.commit()
    until = cast.today + timedelta(days=30)
    form = {"document-tier": "senior", "document-until": until.isoformat()}
    for _ in range(2):
        assert admin.post(record(cast.mallory, "/document"), form).status_code == 303
    assert offer_for(cast.mallory.id, senior, clock.now(), until).fee_cents == 1000
    text = read(admin, record(cast.mallory))
    assert f"Senior, {short(cast.today)} until {short(until)}" in text and "admin@example.org" in text
    past = {"document-tier": "senior", "document-until": (cast.today - timedelta(days=1)).isoformat()}
    assert admin.post(record(cast.mallory, "/document"), past).status_code == 400


def test_only_the_administrator_changes_a_membership_by_hand(app: Flask, cast: Cast) -> None:
    for who in ("treasurer", "scanner", "alice"):
        visitor = Visitor(app, f"{who}@example.org")
        for act in ("/hold", "/release", "/grant", "/document"):
            assert visitor.post(record(cast.alice, act), {"hold-because": "x"}).status_code == 403, (who, act)
    text = read(Visitor(app, "treasurer@example.org"), record(cast.alice))
    assert "Put on hold" not in text and "Grant days" not in text


def test_a_gift_names_its_giver_on_both_records(app: Flask, cast: Cast) -> None:
    given = pay(cast.alice, cast.basic, cast.today)
    term = next(term for term in terms_of(cast.alice.id) if term.payment_id == given.id)
    gift = Gift(payment_id=given.id, recipient_email="mallory@example.org", recipient_name="Mal", message="")
    db.session.add(gift)
    payment = db.session.get_one(Payment, given.id)
    payment.kind, term.person_id = "gift", cast.mallory.id
    gift.recipient_id, gift.accepted_at = cast.mallory.id, clock.now()
    db.session.commit()
    treasurer = Visitor(app, "treasurer@example.org")
    theirs = read(treasurer, record(cast.mallory))
    assert "A gift from Alice Soler" in theirs and "From Alice Soler" in theirs
    assert "To Mal" in read(treasurer, record(cast.alice))
    assert "A gift to Mal, accepted" in read(treasurer, f"/treasury/payments/{given.number}")
