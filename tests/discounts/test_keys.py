"""The keys that sign ID tokens: which signs, which are published, when one goes."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask

from app import clock
from app.discounts import keys
from app.discounts.keys import InvalidOpenIdKeys, OpenIdKeys
from app.errors import Refusal
from tests.command import run
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
DAY = timedelta(days=1)
TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def first() -> OpenIdKeys:
    return OpenIdKeys.first()


def names(held: OpenIdKeys) -> list[str]:
    return [key["kid"] for key in held.public_jwks()["keys"]]


def test_a_new_key_is_published_a_day_before_it_signs_and_the_old_one_stays_a_day_after(first: OpenIdKeys) -> None:
    both = first.rotated(TODAY)
    assert names(both) == ["openid-1", "openid-2"]
    assert both.signing_key(TODAY + DAY).kid == "openid-1"
    assert both.signing_key(TODAY + 2 * DAY).kid == "openid-2"
    assert names(both.rotated(TODAY + DAY)) == ["openid-1", "openid-2"]  # one waits already
    assert names(both.rotated(TODAY + 2 * DAY)) == ["openid-1", "openid-2", "openid-3"]
    assert names(both.rotated(TODAY + 3 * DAY)) == ["openid-2", "openid-3"]


def test_keys_are_read_as_they_were_written_and_only_the_public_part_is_published(first: OpenIdKeys) -> None:
    again = OpenIdKeys.load(first.dump())
    assert again.public_jwks() == first.public_jwks()
    assert set(first.public_jwks()["keys"][0]) == {"kty", "n", "e", "kid", "use", "alg"}
    assert '"d"' in first.dump() and first.all[0].private.as_dict()["n"] not in repr(first.all)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "[1]", '[{"kid": "openid-1", "first_use_on": "soon", "jwk": {}}]', '[{"kid": "x"}]']
)
def test_keys_that_cannot_be_used_are_refused(text: str) -> None:
    with pytest.raises(InvalidOpenIdKeys):
        OpenIdKeys.load(text)


def test_a_key_without_its_private_part_is_refused(first: OpenIdKeys) -> None:
    items = json.loads(first.dump())
    items[0]["jwk"] = {name: items[0]["jwk"][name] for name in ("kty", "n", "e")}
    with pytest.raises(InvalidOpenIdKeys):
        OpenIdKeys.load(json.dumps(items))


@SQLITE
def test_the_command_publishes_a_new_key(
    app: Flask, first: OpenIdKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "oidc_keys"
    path.write_text(first.dump(), encoding="utf-8")
    monkeypatch.setitem(app.config, "OIDC_KEYS_PATH", path)
    monkeypatch.setitem(app.extensions, "openid_keys", first)
    said = run(app, "openid", "rotate-key")
    assert said.exit_code == 0 and f"openid-2 signs from {clock.today() + keys.AHEAD} on." in said.stdout
    kept = path.read_text(encoding="utf-8")
    assert names(OpenIdKeys.load(kept)) == ["openid-1", "openid-2"]
    app.extensions["openid_keys"] = OpenIdKeys.load(kept)
    assert "published already" in run(app, "openid", "rotate-key").stdout
    assert path.read_text(encoding="utf-8") == kept
    published = Visitor(app).get("/oauth/jwks").get_json()["keys"]
    assert [key["kid"] for key in published] == ["openid-1", "openid-2"]
    cards = Visitor(app).get("/.well-known/jwks.json").get_json()["keys"]
    assert not any(key["kid"].startswith("openid") for key in cards)


@SQLITE
def test_in_production_nothing_is_made_up(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "PRODUCTION", True)
    monkeypatch.setitem(app.config, "OIDC_KEYS_PATH", None)
    monkeypatch.delitem(app.extensions, "openid_keys", raising=False)
    with pytest.raises(Refusal, match="not set up"):
        keys.openid_keys()
