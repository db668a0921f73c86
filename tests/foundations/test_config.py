"""Settings: what is missing or weak stops start-up and is named."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade

import config
from app import clock, create_app
from app.association import get_association
from app.cards.keys import CardKeys, complete, generate
from app.extensions import db
from config import ConfigurationError
from tests.databases import configuration

GOOD = {
    "BASE_URL": "https://alumni.example.org",
    "SECRET_KEY": "q8Zr1mJt6WcX0bVnLk3HsDfGyUeRpTaO",
    "STRIPE_SECRET_KEY": "sk_live_51Habcdefghijkl",
    "STRIPE_WEBHOOK_SECRET": "whsec_abcdefghijklmnopqrstuvwxyz",
    "MAIL_URL": "smtps://carnet:pw@mail.example.org",
    "CARD_KEYS": complete(None, date(2020, 1, 1)).dump(),
}


def load(instance: Path, **changes: str | None) -> config.Config:
    environment = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return config.load(environment, instance=instance)


def test_a_complete_production_environment_is_accepted(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.PRODUCTION and settings.HTTPS
    assert settings.SESSION_COOKIE_NAME == "__Host-carnet" and settings.SESSION_COOKIE_SECURE
    assert settings.TRUSTED_HOSTS == ["alumni.example.org"]
    assert settings.CARD_BASE_URL == "https://alumni.example.org"


@pytest.mark.parametrize("name", ["SECRET_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "MAIL_URL", "CARD_KEYS"])
@pytest.mark.parametrize("empty", [None, "", "  "])
def test_a_missing_setting_stops_production_and_is_named(tmp_path: Path, name: str, empty: str | None) -> None:
    with pytest.raises(ConfigurationError, match=name):
        load(tmp_path, **{name: empty})
    assert list(tmp_path.glob("*key*")) == []  # nothing is made up in its place


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "q8Zr1mJt6WcX0bVnLk3HsDfGyUeRpTa"),  # 31 characters
        ("SECRET_KEY", "a" * 64),
        ("SECRET_KEY", "change-me" * 5),
        ("SECRET_KEY", "this-is-my-secret-key-0123456789-abcdef"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_x"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_abcdefghijklmnopqrstuvwxyz,whsec_x"),
        ("STRIPE_API_BASE", "http://stripe.example.org"),
        ("APPLE_PASS_KEY", "without its certificate"),
        ("APPLE_PUSH_URL", "http://push.example.org"),
        ("GOOGLE_WALLET_ISSUER", "3388000000012345678"),
        ("GOOGLE_WALLET_API", "http://wallet.example.org"),
        ("BASE_URL", "http://alumni.example.org"),
        ("BASE_URL", "https://alumni.example.org/path"),
        ("BASE_URL", "https://user@alumni.example.org"),
        ("BASE_URL", "https://alumni.example.org:port"),
        ("BASE_URL", "https://[alumni"),
        ("BASE_URL", "alumni.example.org"),
        ("CARD_BASE_URL", "ftp://card.example.org"),
        ("FLASK_DEBUG", "1"),
        ("DATABASE_URL", "mysql://somewhere/db"),
        ("DATABASE_URL", "postgresql://host:port/db"),
        ("MAIL_URL", "imap://mail.example.org"),
        ("MAIL_URL", "smtp://mail.example.org:no"),
        ("REDIS_URL", "memcached://127.0.0.1"),
        ("TIME_ZONE", "Europe/Nowhere"),
        ("TIME_ZONE", "../etc/passwd"),
        ("DEFAULT_LOCALE", "klingon"),
        ("TRUSTED_PROXIES", "one"),
        ("TRUSTED_PROXIES", "-1"),
    ],
)
def test_a_weak_or_malformed_setting_stops_start_up_and_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        load(tmp_path, **{name: value})


def test_card_keys_that_are_none_stop_start_up_and_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="CARD_KEYS"):
        create_app(configuration("sqlite://" + f"/{tmp_path}/x.sqlite", tmp_path, CARD_KEYS="not json"))


def test_card_keys_without_one_for_the_status_list_stop_start_up_and_are_named(tmp_path: Path) -> None:
    alone = CardKeys([generate(1, date(2020, 1, 1))]).dump()
    with pytest.raises(ConfigurationError, match="CARD_KEYS has no key for the status list"):
        create_app(load(tmp_path, CARD_KEYS=alone))


@pytest.mark.parametrize("name", sorted(GOOD))
def test_every_setting_may_come_from_a_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "kept").write_text(GOOD[name] + "\n", encoding="utf-8")
    assert load(tmp_path, **{name: None, f"{name}_FILE": str(tmp_path / "kept")}) == load(tmp_path)


def test_a_settings_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SECRET_KEY_FILE"):
        load(tmp_path, SECRET_KEY=None, SECRET_KEY_FILE=str(tmp_path / "nowhere"))


def test_a_settings_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"\xff\xfe\x00secret")
    with pytest.raises(ConfigurationError, match="SECRET_KEY_FILE"):
        load(tmp_path, SECRET_KEY=None, SECRET_KEY_FILE=str(tmp_path / "kept"))


def test_an_empty_settings_file_counts_as_missing(tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    with pytest.raises(ConfigurationError, match="SECRET_KEY is missing"):
        load(tmp_path, SECRET_KEY=None, SECRET_KEY_FILE=str(tmp_path / "kept"))


@pytest.mark.parametrize("prefix", ["postgres://", "postgresql://", "postgresql+psycopg://"])
def test_every_spelling_of_postgresql_is_understood(tmp_path: Path, prefix: str) -> None:
    settings = load(tmp_path, DATABASE_URL=f"{prefix}carnet:pw@db.example.org:5432/carnet")
    assert settings.SQLALCHEMY_DATABASE_URI == "postgresql+psycopg://carnet:pw@db.example.org:5432/carnet"


def test_webhook_secrets_may_be_two_while_they_rotate(tmp_path: Path) -> None:
    old, new = "whsec_abcdefghijklmnopqrstuvwxyz", "whsec_zyxwvutsrqponmlkjihgfedcba"
    assert load(tmp_path, STRIPE_WEBHOOK_SECRET=f"{new}, {old},").STRIPE_WEBHOOK_SECRETS == (new, old)


def test_hosts_that_webhooks_may_go_to_are_names_and_nothing_else(tmp_path: Path) -> None:
    found = load(tmp_path, WEBHOOK_PRIVATE_HOSTS="Library.internal, 10.0.0.7,").WEBHOOK_PRIVATE_HOSTS
    assert found == ("library.internal", "10.0.0.7") and load(tmp_path).WEBHOOK_PRIVATE_HOSTS == ()
    for wrong in ("https://library.internal", "library.internal:8443", "*.internal"):
        with pytest.raises(ConfigurationError, match="WEBHOOK_PRIVATE_HOSTS"):
            load(tmp_path, WEBHOOK_PRIVATE_HOSTS=wrong)


def test_settings_do_not_print_their_secrets(tmp_path: Path) -> None:
    assert GOOD["SECRET_KEY"] not in repr(load(tmp_path))


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000"])
def test_on_loopback_nothing_needs_to_be_set(tmp_path: Path, base_url: str) -> None:
    settings = config.load({"BASE_URL": base_url}, instance=tmp_path / "new")
    assert not settings.PRODUCTION
    assert len(settings.SECRET_KEY) >= 32 and CardKeys.load(settings.CARD_KEYS)
    assert settings.STRIPE_SECRET_KEY == ""  # not configured, and nothing made up for it
    assert settings.SESSION_COOKIE_NAME == "carnet" and not settings.SESSION_COOKIE_SECURE
    assert settings.SQLALCHEMY_DATABASE_URI.endswith("/new/carnet.sqlite")


def test_generated_secrets_are_kept_for_their_owner_only_and_stay_the_same(tmp_path: Path) -> None:
    first = config.load({}, instance=tmp_path)
    assert config.load({}, instance=tmp_path) == first
    for name in ("secret_key", "card_keys", "wifi_certificate"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_two_processes_starting_at_once_agree_on_the_generated_secrets(tmp_path: Path) -> None:
    code = (
        "import config, sys; s = config.load({}, instance=config.Path(sys.argv[1])); print(s.SECRET_KEY, s.CARD_KEYS)"
    )
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], cwd=config.ROOT, stdout=subprocess.PIPE, env=dict(os.environ)
        )
        for _ in range(3)
    ]
    said = {start.communicate(timeout=60)[0] for start in starts}
    assert len(said) == 1 and said != {b""}
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["card_keys", "secret_key", "wifi_certificate"]  # no drafts are left


def test_generated_card_keys_of_an_older_version_get_one_for_the_status_list_and_keep_theirs(tmp_path: Path) -> None:
    kept = tmp_path / "card_keys"
    before = CardKeys([generate(7, date(2026, 1, 1))])
    kept.write_text(before.dump(), encoding="utf-8")
    kept.chmod(0o600)
    keys = CardKeys.load(config.load({}, instance=tmp_path).CARD_KEYS)
    assert [key.kid for key in keys.of("card") + keys.of("status")] == ["card-7", "status-1"]
    assert keys.of("card")[0].sign(b"x") == before.of("card")[0].sign(b"x")
    assert config.load({}, instance=tmp_path).CARD_KEYS == kept.read_text(encoding="utf-8") == keys.dump()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("card_keys*")] == ["card_keys"]  # no draft is left


def test_generated_card_keys_that_were_spoilt_are_named_with_their_file(tmp_path: Path) -> None:
    (tmp_path / "card_keys").write_text("[]", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f"CARD_KEYS holds no key .*{tmp_path}"):
        config.load({}, instance=tmp_path)


def test_the_time_zone_reaches_the_database_when_migrating(app: Flask, instance: Path, database_url: str) -> None:
    elsewhere = create_app(configuration(database_url, instance, TIME_ZONE="Pacific/Auckland"))
    db.session.remove()
    with elsewhere.app_context():
        upgrade()
        assert get_association().time_zone == "Pacific/Auckland"
        assert clock.zone().key == "Pacific/Auckland"
        db.session.remove()
        db.engine.dispose()


def test_production_does_not_start_with_a_moved_clock(app: Flask, instance: Path, database_url: str) -> None:
    def start() -> None:
        create_app(config.load({**GOOD, "DATABASE_URL": database_url}, instance=instance))

    start()
    get_association().clock_offset_seconds = 60
    db.session.commit()
    with pytest.raises(ConfigurationError, match="clock"):
        start()
    get_association().clock_offset_seconds = 0
    db.session.commit()
    start()
