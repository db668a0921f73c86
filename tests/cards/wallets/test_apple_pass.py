"""An Apple pass is complete, signed as Wallet wants it, and says no more than the card is good for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from app import clock, create_app
from app.cards.payload import parse_code
from app.cards.service import find_card
from app.extensions import db
from app.memberships.service import grant, hold_person, standing_of
from config import ConfigurationError
from tests.cards.wallets.authority import PASS_TYPE, TEAM, Authority
from tests.cards.wallets.phone import Phone, work
from tests.cast import Cast
from tests.databases import configuration
from tests.payments.mailbox import day
from tests.verification.asking import ask
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TOP = {
    "formatVersion", "passTypeIdentifier", "teamIdentifier", "serialNumber", "organizationName", "description",
    "logoText", "backgroundColor", "foregroundColor", "labelColor", "webServiceURL", "authenticationToken",
    "sharingProhibited", "voided", "generic", "barcodes", "expirationDate",
}  # fmt: skip


def test_a_pass_is_signed_so_that_openssl_believes_it(
    app: Flask, cast: Cast, authority: Authority, tmp_path: Path
) -> None:
    taken = Phone(app).download("alice@example.org")
    root = authority.folder / "root.pem"
    assert taken.verify(root, tmp_path)
    assert not taken.verify(root, tmp_path, taken.files["manifest.json"].replace(b"icon.png", b"icon.pnh"))
    signers = taken.openssl("pkcs7", "-print_certs", "-noout", folder=tmp_path).stdout
    assert PASS_TYPE in signers and "Test Developer Relations" in signers
    said = taken.openssl("asn1parse", folder=tmp_path).stdout
    signed_at = [line for line in said.splitlines()[1:] if "UTCTIME" in line][-1].rpartition(":")[2]
    assert "signingTime" in said
    assert abs(datetime.strptime(signed_at, "%y%m%d%H%M%SZ").replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(
        minutes=5
    )


def test_a_pass_says_what_the_card_says_and_nothing_unknown_to_wallet(app: Flask, cast: Cast) -> None:
    taken, card = Phone(app).download("alice@example.org"), find_card(cast.alice.id)
    standing = standing_of(cast.alice.id, cast.now, cast.today)
    assert card is not None and standing.grace_until is not None
    said = taken.document
    assert set(said) == TOP
    assert (said["passTypeIdentifier"], said["teamIdentifier"], said["formatVersion"]) == (PASS_TYPE, TEAM, 1)
    assert said["serialNumber"] == str(card.number) and said["voided"] is False and said["sharingProhibited"] is True
    assert said["webServiceURL"] == app.config["BASE_URL"] + "/wallets/apple"
    assert len(said["authenticationToken"]) == 64
    last_second = datetime.fromisoformat(said["expirationDate"])
    assert last_second == clock.day_end(standing.grace_until) - timedelta(seconds=1)
    assert last_second.utcoffset() == last_second.astimezone(clock.zone()).utcoffset()
    assert (taken.value("holder"), taken.value("tier")) == ("Alice Soler", "Plus")
    assert taken.value("number") == cast.alice.member_number and taken.value("check") == "Check a photo or ID."
    assert standing.valid_until is not None
    days = [taken.value(key).replace("\u00a0", " ") for key in ("until", "grace")]
    assert days == [day(standing.valid_until), day(standing.grace_until)]
    [barcode] = said["barcodes"]
    assert barcode["format"] == "PKBarcodeFormatQR" and barcode["messageEncoding"] == "iso-8859-1"
    code = parse_code(barcode["message"], app.config["CARD_BASE_URL"])
    assert (code.contents.card_id, code.contents.expires_on) == (card.number, standing.grace_until)
    answer = ask(app, cast.library_key, barcode["message"])
    assert (answer["valid"], answer["check_identity"]) == (True, True)


def test_a_member_for_life_has_a_pass_without_end(app: Flask, cast: Cast) -> None:
    grant(cast.mallory.id, cast.plus, because="honorary", by="test", now=cast.now, today=cast.today, life=True)
    db.session.commit()
    work()
    taken = Phone(app).download("mallory@example.org")
    assert "expirationDate" not in taken.document
    assert (taken.value("until"), taken.document["voided"]) == ("for life", False)


def test_without_a_valid_card_there_is_no_pass(app: Flask, cast: Cast) -> None:
    hold_person(cast.bob, "test", "staff", cast.now)
    for who in ("bob", "carol", "dan", "mallory", "scanner"):  # on hold, lapsed, refunded, never a member, nobody
        response = Visitor(app, f"{who}@example.org").get("/card.pkpass")
        assert response.status_code == 404 and "You have no card at the moment" in response.get_data(as_text=True)
    response = Visitor(app).get("/card.pkpass")
    assert response.status_code == 302 and response.headers["Location"].startswith("/sign-in?next=")


def test_each_pass_has_a_token_of_its_own_and_the_same_facts_make_the_same_files(app: Flask, cast: Cast) -> None:
    phone = Phone(app)
    first, second, bobs = (phone.download(f"{name}@example.org") for name in ("alice", "alice", "bob"))
    assert first.document["authenticationToken"] != bobs.document["authenticationToken"]
    assert {**first.files, "signature": b""} == {**second.files, "signature": b""}


def broken(authority: Authority, name: str, value: str) -> dict[str, str]:
    return {**authority.apple(), name: value}


def test_settings_that_do_not_fit_together_stop_start_up_and_are_named(
    database_url: str, tmp_path: Path, authority: Authority
) -> None:
    other_key = authority.google("https://x.example/token")["GOOGLE_WALLET_KEY"]
    for says, settings in (
        ("APPLE_PASS_KEY is missing", broken(authority, "APPLE_PASS_KEY", "")),
        ("APPLE_WWDR_CERTIFICATE is missing", broken(authority, "APPLE_WWDR_CERTIFICATE", "")),
        ("APPLE_PASS_KEY is not a private key", broken(authority, "APPLE_PASS_KEY", "x")),
        ("APPLE_PASS_KEY is not a private key", broken(authority, "APPLE_PASS_KEY", authority.intermediate)),
        ("APPLE_PASS_CERTIFICATE is not a certificate", broken(authority, "APPLE_PASS_CERTIFICATE", "x")),
        ("did not issue", broken(authority, "APPLE_WWDR_CERTIFICATE", authority.other_intermediate)),
        ("names none", broken(authority, "APPLE_PASS_CERTIFICATE", authority.nameless)),
        ("is not the key of", broken(authority, "APPLE_PASS_CERTIFICATE", authority.intermediate)),
        ("GOOGLE_WALLET_ISSUER is missing", {"GOOGLE_WALLET_KEY": other_key}),
        ("GOOGLE_WALLET_ISSUER is not", {"GOOGLE_WALLET_ISSUER": "me", "GOOGLE_WALLET_KEY": other_key}),
        ("not JSON", {"GOOGLE_WALLET_ISSUER": "1", "GOOGLE_WALLET_KEY": "x"}),
        ("lacks one of", {"GOOGLE_WALLET_ISSUER": "1", "GOOGLE_WALLET_KEY": "{}"}),
        ("not an RSA key", {"GOOGLE_WALLET_ISSUER": "1", "GOOGLE_WALLET_KEY": '{"client_email":"a","private_key":"b",'
         '"private_key_id":"c","token_uri":"https://x.example"}'}),
    ):  # fmt: skip
        with pytest.raises(ConfigurationError, match=says) as refused:
            create_app(configuration(database_url, tmp_path, **settings))
        assert "PRIVATE" not in str(refused.value)
