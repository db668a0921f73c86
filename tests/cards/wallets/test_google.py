"""A card saved to Google's wallet is kept there by us, changed when the membership changes, and never outlives it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import select

from app import clock
from app.cards.payload import parse_code
from app.cards.replacing import replace_card
from app.cards.service import find_card
from app.cards.wallets.models import WalletPass
from app.cards.wallets.setup import check_wallets
from app.extensions import db
from app.jobs import Job
from app.memberships.service import hold_person, standing_of
from config import ConfigurationError
from tests.cards.wallets.authority import ISSUER, Authority
from tests.cards.wallets.phone import work
from tests.cards.wallets.servers import GoogleServer
from tests.cast import Cast, pay
from tests.verification.asking import set_clock
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
EMAIL = "cards@alumni.iam.gserviceaccount.com"


def signed_by(authority: Authority, token: str) -> jwt.Token:
    return jwt.decode(token, RSAKey.import_key(authority.google_public()), algorithms=["RS256"])


def save(app: Flask, email: str = "alice@example.org") -> str:
    """Press the button; answers where it leads."""
    response = Visitor(app, email).post("/card/google")
    assert response.status_code == 303, response.get_data(as_text=True)
    return str(response.headers["Location"])


def test_saving_hands_the_card_to_google_and_leads_there(
    app: Flask, cast: Cast, authority: Authority, google: GoogleServer
) -> None:
    link = save(app)
    card = find_card(cast.alice.id)
    standing = standing_of(cast.alice.id, cast.now, cast.today)
    assert card is not None and standing.grace_until is not None
    [kept] = google.objects.values()
    assert (kept["id"], kept["classId"], kept["state"]) == (f"{ISSUER}.{card.number}", f"{ISSUER}.membership", "ACTIVE")
    assert kept["header"] == {"defaultValue": {"language": "en", "value": "Alice Soler"}}
    code = parse_code(kept["barcode"]["value"], app.config["CARD_BASE_URL"])
    assert (code.contents.card_id, code.contents.expires_on) == (card.number, standing.grace_until)
    end = datetime.fromisoformat(kept["validTimeInterval"]["end"]["date"])
    assert end == clock.day_end(standing.grace_until) - timedelta(seconds=1)
    said = {module["id"]: module["body"] for module in kept["textModulesData"]}
    assert (said["tier"], said["number"]) == ("Plus", cast.alice.member_number)
    assert said["check"] == "Check a photo or ID."

    address = urlsplit(link)
    assert (address.scheme, address.hostname, len(link) < 1800) == ("https", "pay.google.com", True)
    claims = signed_by(authority, address.path.removeprefix("/gp/v/save/")).claims
    assert (claims["iss"], claims["aud"], claims["typ"]) == (EMAIL, "google", "savetowallet")
    assert claims["payload"] == {"genericObjects": [{"id": kept["id"], "classId": kept["classId"]}]}
    assert claims["origins"] == [app.config["BASE_URL"]]

    asked = signed_by(authority, google.assertions[0])
    assert asked.header["kid"] == "0123456789abcdef"
    assert (asked.claims["iss"], asked.claims["aud"]) == (EMAIL, f"{google.url}/token")
    assert asked.claims["scope"] == "https://www.googleapis.com/auth/wallet_object.issuer"
    assert asked.claims["exp"] - asked.claims["iat"] == 3600
    assert abs(asked.claims["iat"] - datetime.now(UTC).timestamp()) < 60

    google.calls.clear()
    assert urlsplit(save(app)).hostname == "pay.google.com"
    assert [(method, path) for method, path, _document in google.calls] == [("PATCH", f"/genericObject/{kept['id']}")]
    assert db.session.query(WalletPass).count() == 1


def test_every_change_reaches_google(app: Flask, cast: Cast, google: GoogleServer) -> None:
    save(app)
    [kept] = google.objects.values()
    was = dict(kept)
    google.calls.clear()
    pay(cast.alice, cast.plus, cast.today)
    work()
    assert [call[0] for call in google.calls] == ["PATCH"]
    assert kept["validTimeInterval"]["end"]["date"] > was["validTimeInterval"]["end"]["date"]
    assert kept["barcode"]["value"] != was["barcode"]["value"] and kept["state"] == "ACTIVE"
    hold_person(cast.alice, "test", "staff", clock.now())
    db.session.commit()
    work()
    assert (kept["state"], kept["barcode"]) == ("INACTIVE", None)
    card = find_card(cast.alice.id)
    assert card is not None and replace_card(cast.alice.id, card.id, None, clock.now())
    db.session.commit()
    work()
    assert (kept["state"], kept["barcode"]) == ("EXPIRED", None)
    google.calls.clear()
    pay(cast.bob, cast.plus, cast.today)  # never saved
    work()
    assert google.calls == []


@SQLITE
def test_when_google_does_not_answer_it_is_said_and_tried_again(app: Flask, cast: Cast, google: GoogleServer) -> None:
    google.status = 500
    response = Visitor(app, "alice@example.org").post("/card/google")
    assert response.status_code == 503 and "Google’s wallet does not answer." in response.get_data(as_text=True)
    google.status = 0
    save(app)
    google.status = 429
    pay(cast.alice, cast.plus, cast.today)
    work()
    job = db.session.execute(select(Job).where(Job.name == "tell_wallet")).scalar_one()
    assert job.state == "waiting" and str(job.last_error).startswith("GoogleTrouble")
    google.status = 0
    set_clock(clock.now() + timedelta(minutes=1))
    work()
    db.session.expire_all()
    assert job.state == "done"
    google.objects.clear()  # taken away at Google's end: nothing to change, and nothing to try again
    hold_person(cast.alice, "test", "staff", clock.now())
    db.session.commit()
    work()
    assert set(db.session.execute(select(Job.state).where(Job.name == "tell_wallet")).scalars()) == {"done"}


@SQLITE
def test_without_a_valid_card_nothing_is_handed_over(app: Flask, cast: Cast, google: GoogleServer) -> None:
    for who in ("carol", "mallory", "scanner"):
        response = Visitor(app, f"{who}@example.org").post("/card/google")
        assert response.status_code == 404 and "You have no card at the moment" in response.get_data(as_text=True)
    assert google.calls == [] and db.session.query(WalletPass).count() == 0


@SQLITE
def test_in_production_google_is_asked_over_https_only(app: Flask) -> None:
    check_wallets(app)
    app.config["PRODUCTION"] = True
    with pytest.raises(ConfigurationError, match="token_uri"):
        check_wallets(app)
