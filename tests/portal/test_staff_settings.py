"""What the administrator sets: tiers and prices, and what the association's papers say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from app import audit
from app.association import get_association
from app.audit import AuditEntry
from app.extensions import db
from app.memberships.service import get_tier, list_tiers, price_on
from tests.cast import Cast
from tests.command import is_refused, run
from tests.kept import everything_kept
from tests.portal.test_states import long, read
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
IBAN = "ES91 2100 0418 4502 0005 1332"
SIGNING_IN = frozenset({"account_session", "sign_in", "audit_entry", "audit_head"})


@pytest.fixture
def admin(app: Flask, cast: Cast) -> Visitor:
    return Visitor(app, "admin@example.org")


def papers(**more: str) -> dict[str, str]:
    form = {
        "name": "University of Example", "kind": "Alumni", "contact_email": "us@example.org", "legal_name": "Assoc.",
        "tax_id": "G12345678", "address": "Street 1\nTown", "iban": IBAN, "bic": "caixesbbxxx",
        "withdrawal_days": "14", "renewal_notice_days": "21", "scan_days": "90",
    }  # fmt: skip
    return {**form, **more}


def test_the_papers_are_kept_as_banks_write_them(admin: Visitor, cast: Cast) -> None:
    for _ in range(2):
        assert admin.post("/admin/association", papers()).status_code == 303
    it = get_association()
    assert (it.iban, it.bic, it.legal_name) == ("ES9121000418450200051332", "CAIXESBBXXX", "Assoc.")
    assert (it.withdrawal_days, it.renewal_notice_days) == (14, 21)
    changes = db.session.query(AuditEntry).filter_by(action="association_changed").count()
    assert (changes, audit.find_break()) == (1, None)
    assert admin.post("/admin/association", papers(iban="", bic="", legal_name=" ")).status_code == 303
    assert (it.iban, it.bic, it.legal_name) == (None, None, None)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"iban": "ES91 2100 0418 4502 0005 1333"}, "no IBAN: a digit is wrong or missing"),
        ({"iban": "ES91"}, "no IBAN"), ({"iban": "<script>"}, "no IBAN"), ({"bic": "X"}, "no BIC"),
        ({"iban": ""}, "A BIC goes with an IBAN"), ({"contact_email": "nobody"}, "is not an address"),
        ({"name": " "}, "Give a name."), ({"withdrawal_days": "-1"}, "Days to withdraw are 0 to 365."),
        ({"renewal_notice_days": "14"}, "Days of notice are 15 to 90."),
        ({"renewal_notice_days": "x"}, "Days of notice are 15 to 90."),
        ({"scan_days": "0"}, "Days that checks are kept are 1 to 366."),
    ],
    ids=str,
)  # fmt: skip
def test_papers_that_are_wrong_are_said_and_kept_out(
    admin: Visitor, cast: Cast, wrong: dict[str, str], said: str
) -> None:
    before = everything_kept(but=SIGNING_IN)
    answer = admin.post("/admin/association", papers(**wrong))
    assert (answer.status_code, said in answer.get_data(as_text=True)) == (400, True)
    assert everything_kept(but=SIGNING_IN) == before


def test_the_command_sets_the_same(app: Flask) -> None:
    given = ["--iban", IBAN, "--bic", "CAIXESBB", "--legal-name", "Assoc.", "--tax-id", "G1", "--address", "Street 1"]
    result = run(app, "association", "set", *given, "--withdrawal-days", "30", "--renewal-notice-days", "15")
    assert result.exit_code == 0, result.stderr
    it = get_association()
    assert (it.iban, it.bic, it.tax_id) == ("ES9121000418450200051332", "CAIXESBB", "G1")
    assert (it.withdrawal_days, it.renewal_notice_days) == (30, 15)
    for wrong in (
        ["--iban", "ES00"], ["--bic", "x"], ["--iban", ""], ["--renewal-notice-days", "14"], ["--withdrawal-days", "x"]
    ):  # fmt: skip
        assert is_refused(run(app, "association", "set", *wrong)), wrong
    assert run(app, "association", "set", "--iban", "", "--bic", "").exit_code == 0


def test_a_new_fee_is_asked_from_its_day_on(admin: Visitor, cast: Cast) -> None:
    day = cast.today + timedelta(days=10)
    for _ in range(2):
        form = {"fee": "35,00", "from_on": day.isoformat()}
        assert admin.post("/admin/tiers/basic/prices", form).status_code == 303
    assert [price_on(cast.basic, on).fee_cents for on in (day - timedelta(days=1), day)] == [3000, 3500]
    text = read(admin, "/admin/tiers/basic")
    assert f"From {long(day)} To come €35.00" in text and "From the beginning Asked today €30.00" in text
    for wrong in ({"from_on": (cast.today - timedelta(days=1)).isoformat()}, {"fee": "0"}, {"fee": "x"}):
        assert admin.post("/admin/tiers/basic/prices", {**form, **wrong}).status_code == 400, wrong
    assert admin.post("/admin/tiers/gold/prices", form).status_code == 404


def test_a_tier_is_closed_with_a_successor(admin: Visitor, cast: Cast) -> None:
    form = {"on": cast.today.isoformat(), "successor": "plus"}
    for _ in range(2):
        assert admin.post("/admin/tiers/basic/close", form).status_code == 303
    tier = get_tier("basic")
    assert (tier.closed_on, tier.successor) == (cast.today, cast.plus)
    assert "closed since" in read(admin, "/admin/tiers")
    refused = admin.post("/admin/tiers/basic/close", {**form, "on": (cast.today + timedelta(days=3)).isoformat()})
    assert refused.status_code == 409
    for wrong in ({"successor": "basic"}, {"successor": "gold"}, {"on": ""}, {"on": "x"}):
        assert admin.post("/admin/tiers/plus/close", {**form, **wrong}).status_code == 400, wrong


def tier_form(**more: str) -> dict[str, str]:
    form = {
        "code": "young", "name": "Young", "fee": "10.00", "months": "12", "grace_days": "30", "fixed_start": "",
        "bonus_days": "0", "condition": "graduated_within", "graduated_within": "3", "reminders": "-30, 0",
        "vat_code": "exempt",
    }  # fmt: skip
    return {**form, **more}


def test_a_new_tier_has_its_condition_and_reminders(admin: Visitor, cast: Cast) -> None:
    assert [admin.post("/admin/tiers", tier_form()).status_code for _ in range(2)] == [303, 409]
    tier = get_tier("young")
    assert (tier.condition, tier.condition_years, tier.reminder_offsets) == ("graduated_within", 3, [-30, 0])
    assert "at most 3 years ago" in read(admin, "/admin/tiers/young")


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "Young"}, {"code": ""}, {"name": " "}, {"fee": "0"}, {"fee": "ten"}, {"months": "0"}, {"months": ""},
        {"grace_days": "367"}, {"bonus_days": "5"}, {"fixed_start": "02-30"}, {"condition": "rich"},
        {"graduated_within": ""}, {"reminders": "soon"}, {"vat_code": "7"},
    ],
    ids=str,
)  # fmt: skip
def test_what_makes_no_tier_is_said_on_the_form(admin: Visitor, cast: Cast, wrong: dict[str, str]) -> None:
    answer = admin.post("/admin/tiers", tier_form(**wrong))
    assert (answer.status_code, 'role="alert"' in answer.get_data(as_text=True)) == (400, True)
    assert len(list_tiers()) == 2


def test_only_the_administrator_sees_the_settings(app: Flask, cast: Cast) -> None:
    for who in ("treasurer", "scanner", "alice"):
        visitor = Visitor(app, f"{who}@example.org")
        for page in ("/admin/tiers", "/admin/tiers/basic", "/admin/association"):
            assert visitor.get(page).status_code == 403
