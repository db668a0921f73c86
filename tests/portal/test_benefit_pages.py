"""The pages of benefits: what a member gets and what it brought, the catalogue the administrator keeps."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from flask import Flask

from app import clock
from app.benefits.codes import reserve_code
from app.benefits.models import Benefit, BenefitCode, Redemption
from app.benefits.redeeming import redeem
from app.benefits.service import add_benefit, change_benefit, close_benefit, get_benefit, list_benefits
from app.extensions import db
from app.payments.history import history_of
from app.people.models import Person
from app.portal.benefit_facts import brought_by
from app.services.service import add_service
from tests.cast import Cast
from tests.verification.asking import set_clock
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
FORM = {"name": "Library", "description": "Show your card.", "kind": "campus", "partner": "", "in_grace": "y",
        "limit_count": "10", "limit_period": "month", "value": "2.00", "cost": "0,40"}  # fmt: skip


def use(person: Person, benefit: Benefit, scan: str, day: date | None = None) -> Redemption:
    now = clock.now()
    made = redeem(
        benefit, person.id, None, now, day or clock.today(), verification_id=scan,
        offline_at=clock.day_start(day) + timedelta(hours=12) if day else None,
    )  # fmt: skip
    db.session.commit()
    return made


def text(html: str) -> str:
    """What one reads, in one line."""
    main = html[html.index("<main") : html.index("</main>")]
    return " ".join(re.sub(r"<[^>]*>", " ", main).replace("\u00a0", " ").split())


def page(app: Flask, who: str, path: str = "/benefits") -> str:
    response = Visitor(app, f"{who}@example.org").get(path)
    assert response.status_code == 200
    return text(response.get_data(as_text=True))


def test_a_member_reads_what_is_theirs_what_is_left_and_what_else_there_is(app: Flask, cast: Cast) -> None:
    change_benefit(cast.sports, cast.now, limit_count=2, limit_period="day", description="Bring a towel.")
    gala = add_benefit("gala", "Gala", [cast.plus], True, cast.now, available_from=cast.today + timedelta(days=3))
    add_benefit("past", "Gone by", [cast.plus], True, cast.now, available_until=cast.today - timedelta(days=1))
    close_benefit(add_benefit("shut", "Shut", [cast.plus], True, cast.now), cast.now)
    use(cast.alice, cast.sports, "v_1")
    seen = page(app, "alice")
    yours, others = seen.split("What else there is")
    assert "Campus Wi-Fi" in yours and "Sports hall Bring a towel. 1 of 2 left today" in yours
    assert gala.name in others and "From " in others
    assert "Gone by" not in seen and "Shut" not in seen
    use(cast.alice, cast.sports, "v_2")
    assert "All 2 uses a day are used up." in page(app, "alice")


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("bob", "Not in the days of grace: renew, and it is yours again at once."),
        ("carol", "Your membership has ended. Come back, and these are yours at once."),
        ("mallory", "These are what members get."),
    ],
)
@SQLITE
def test_who_has_no_right_reads_what_would_change_it(app: Flask, cast: Cast, who: str, said: str) -> None:
    assert said in page(app, who)


def test_a_fee_is_held_against_what_it_brought_this_year(app: Flask, cast: Cast) -> None:
    library = add_benefit("library", "Library", [cast.plus], True, cast.now, value_cents=600)
    course = add_benefit("course", "Course", [cast.plus], True, cast.now, discount_cents=6000)
    assert "Nothing so far this year." in page(app, "alice")
    for number in range(9):
        use(cast.alice, library, f"v_{number}", cast.today - timedelta(days=number))
    use(cast.alice, course, "v_course")
    use(cast.alice, cast.wifi, "v_wifi")  # nobody said what one is worth
    use(cast.bob, library, "v_bob")
    for path in ("/benefits", "/"):
        seen = page(app, "alice", path)
        assert "Your €50 brought you €114.00" in seen
        assert re.search(r"Library 9 uses, the last on \d+ \w+ \d{4} €54\.00", seen)
    found = brought_by(cast.alice, history_of(cast.alice, cast.today), cast.today)
    assert found is not None
    assert [(it.benefit.code, it.uses, it.value_cents) for it in found.lines] == [
        ("wifi", 1, None), ("library", 9, 5400), ("course", 1, 6000)
    ]  # fmt: skip


def test_a_year_of_membership_begins_its_own_account(app: Flask, cast: Cast) -> None:
    change_benefit(cast.sports, cast.now, value_cents=600)
    use(cast.alice, cast.sports, "v_1", cast.today - timedelta(days=99))
    assert "€6.00" in page(app, "alice")
    set_clock(clock.now() + timedelta(days=300))  # the year began 100 days ago: grace is over by then or nearly so
    assert "Your €50 brought you €6.00" in page(app, "alice")
    set_clock(clock.now() + timedelta(days=365))
    assert page(app, "alice", "/").count("brought you") <= 1


def test_a_code_is_shown_this_once_and_a_shop_can_use_it(app: Flask, cast: Cast) -> None:
    change_benefit(cast.sports, cast.now, by_code=True, limit_count=1, limit_period="month")
    shop, _key = add_service("Shop", ["redeem"], cast.sports, cast.now)
    db.session.commit()
    visitor = Visitor(app, "alice@example.org")
    response = visitor.post("/benefits/sports/code")
    assert response.status_code == 200
    code = re.search(r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}", response.get_data(as_text=True))
    assert code is not None
    assert "no-store" in response.headers["Cache-Control"]
    again = page(app, "alice")
    assert code[0] not in again and f"A code that ends in {code[0][-4:]} waits" in again
    now = clock.now()
    used = reserve_code(code[0], get_benefit("sports"), shop.id, now, clock.today())
    assert used.person_id == cast.alice.id
    db.session.commit()
    assert "put aside" in page(app, "alice")
    refused = visitor.post("/benefits/sports/code")
    assert refused.status_code == 409 and "is used up" in refused.get_data(as_text=True)


@SQLITE
def test_who_may_not_draw_a_code_is_told_why(app: Flask, cast: Cast) -> None:
    change_benefit(cast.sports, cast.now, by_code=True)
    db.session.commit()
    for who, path, status, said in (
        ("bob", "sports", 409, "Sports hall is not given in the days of grace."),
        ("carol", "sports", 409, "The membership ended on"),
        ("alice", "wifi", 400, "Campus Wi-Fi needs no code"),
        ("alice", "nothing", 404, "There is no such benefit."),
        ("admin", "sports", 404, "There is no such benefit."),
    ):
        response = Visitor(app, f"{who}@example.org").post(f"/benefits/{path}/code")
        assert response.status_code == status and said in text(response.get_data(as_text=True)), who
    assert db.session.query(BenefitCode).count() == 0


def test_the_administrator_adds_changes_closes_and_reopens_a_benefit(app: Flask, cast: Cast) -> None:
    shop, _key = add_service("Shop", ["redeem"], None, cast.now)
    db.session.commit()
    admin, tiers = Visitor(app, "admin@example.org"), [str(cast.basic.id), str(cast.plus.id)]
    assert admin.post("/admin/benefits", {**FORM, "code": "library", "tiers": tiers}).status_code == 303
    it = get_benefit("library")
    assert (it.value_cents, it.cost_cents, it.limit_count, it.limit_period) == (200, 40, 10, "month")
    assert ([tier.code for tier in it.tiers], it.in_grace, it.offline_ok) == (["basic", "plus"], True, False)
    shown = page(app, "admin", "/admin/benefits/library")
    assert "Library" in shown and "No use counted so far." in shown
    changed = {
        **FORM, "tiers": tiers[:1], "name": "Books", "limit_count": "", "offline_ok": "y", "partner": str(shop.id),
        "kind": "partner",
    }  # fmt: skip
    del changed["in_grace"]
    assert admin.post("/admin/benefits/library", changed).status_code == 303
    db.session.expire_all()
    it = get_benefit("library")
    assert (it.name, it.limit_count, it.limit_period, it.offline_ok, it.in_grace) == ("Books", None, None, True, False)
    assert (it.partner_id, it.kind, [tier.code for tier in it.tiers]) == (shop.id, "partner", ["basic"])
    for action, is_closed in (("close", True), ("reopen", False)):
        assert admin.post(f"/admin/benefits/library/{action}").status_code == 303
        db.session.expire_all()
        assert (get_benefit("library").closed_at is not None) == is_closed


@SQLITE
def test_what_cannot_be_a_benefit_is_refused_in_words_and_kept_in_the_form(app: Flask, cast: Cast) -> None:
    admin = Visitor(app, "admin@example.org")
    for wrong, said in (
        ({"code": "wifi"}, "There is a benefit"),
        ({"code": "Big Code"}, "needs small letters"),
        ({"name": ""}, "Give a name."),
        ({"value": "lots"}, "is not an amount such as 30.00."),
        ({"limit_count": "0"}, "A limit is 1 to 1000."),
        ({"discount_percent": "5", "discount": "6.00"}, "A discount is a percentage or an amount, not both."),
        ({"available_from": "2026-12-01", "available_until": "2026-11-01"}, "The last day is not before the first."),
        ({"partner": "999"}, "Not a valid choice"),
        ({"tiers": "999"}, "not a valid choice"),
    ):
        response = admin.post("/admin/benefits", {**FORM, "code": "library", **wrong})
        html = response.get_data(as_text=True)
        assert response.status_code in (400, 409) and said.lower() in html.lower(), wrong
        assert "Show your card." in html
    assert [it.code for it in list_benefits()] == ["wifi", "sports"]
    assert admin.post("/admin/benefits/nothing", FORM).status_code == 404


def test_the_catalogue_says_what_each_benefit_moves_and_costs(app: Flask, cast: Cast) -> None:
    change_benefit(cast.sports, cast.now, value_cents=600, cost_cents=150)
    use(cast.alice, cast.sports, "v_1", cast.today - timedelta(days=60))
    use(cast.alice, cast.sports, "v_2")
    use(cast.bob, cast.wifi, "v_3")
    year, month = page(app, "admin", "/admin/benefits"), page(app, "admin", "/admin/benefits?days=30")
    assert "2 uses by 1 person costs us €3.00 €12.00" in year
    assert "1 use by 1 person costs us €1.50 €6.00" in month
    assert "Total 3 uses costs us €3.00 €12.00" in year
    assert "Alice" not in year
    assert page(app, "admin", "/admin/benefits?days=9999999") == year
    assert "€6.00" in page(app, "admin", "/admin/benefits/sports")
