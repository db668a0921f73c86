"""Every setting, typed, read from the environment once.

A missing or weak setting stops start-up and is named. Production is whenever BASE_URL's host is not
loopback; on loopback a missing secret is generated under instance/ and an unset provider answers
"not configured".
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from dotenv import load_dotenv
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).resolve().parent
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
FIRST_KEY_ON = date(2020, 1, 1)  # before any day a rehearsal clock is set to
GUESSABLE = ("secret", "changeme", "change-me", "change_me", "password", "development", "example")


class ConfigurationError(Exception):
    """A setting is missing or unusable; the message names it and says what to do."""


@dataclass(frozen=True, repr=False)
class Config:
    """Settings by the names Flask and its extensions expect; see .env.example for each one's meaning."""

    SECRET_KEY: str
    BASE_URL: str
    CARD_BASE_URL: str
    SQLALCHEMY_DATABASE_URI: str
    STRIPE_SECRET_KEY: str
    STRIPE_WEBHOOK_SECRETS: tuple[str, ...]
    STRIPE_API_BASE: str
    APPLE_PASS_CERTIFICATE: str
    APPLE_PASS_KEY: str
    APPLE_WWDR_CERTIFICATE: str
    APPLE_PUSH_URL: str
    GOOGLE_WALLET_ISSUER: str
    GOOGLE_WALLET_KEY: str
    GOOGLE_WALLET_API: str
    WIFI_SSID: str
    WIFI_REALM: str
    WIFI_SERVER_NAME: str
    WIFI_CA: str
    WIFI_PROFILE_CERT: str
    WIFI_PROFILE_KEY: str
    WIFI_CONTROLLERS: str
    WEBHOOK_PRIVATE_HOSTS: tuple[str, ...]
    MAIL_URL: str
    CARD_KEYS: str
    OIDC_KEYS: str
    TIME_ZONE: str
    DEFAULT_LOCALE: str
    TRUSTED_PROXIES: int
    RATELIMIT_STORAGE_URI: str
    PRODUCTION: bool
    INSTANCE: Path
    CARD_KEYS_PATH: Path | None = field(default=None, compare=False)  # the file they came from
    OIDC_KEYS_PATH: Path | None = field(default=None, compare=False)  # likewise; on loopback made on first use

    @property
    def HTTPS(self) -> bool:
        return self.BASE_URL.startswith("https://")

    @property
    def TRUSTED_HOSTS(self) -> list[str]:
        own = {urlsplit(url).hostname or "" for url in (self.BASE_URL, self.CARD_BASE_URL)}
        return sorted(own if self.PRODUCTION else own | LOOPBACK)

    @property
    def SESSION_COOKIE_NAME(self) -> str:
        return "__Host-carnet" if self.HTTPS else "carnet"

    @property
    def SESSION_COOKIE_SECURE(self) -> bool:
        return self.HTTPS

    @property
    def SQLALCHEMY_ENGINE_OPTIONS(self) -> dict[str, object]:
        if self.SQLALCHEMY_DATABASE_URI.startswith("sqlite"):
            return {"connect_args": {"timeout": 15}}
        return {"pool_pre_ping": True, "pool_size": 5, "max_overflow": 10}

    SESSION_COOKIE_HTTPONLY = True
    SESSION_COOKIE_SAMESITE = "Lax"
    SESSION_COOKIE_PATH = "/"
    PERMANENT_SESSION_LIFETIME = timedelta(days=90)
    MAX_CONTENT_LENGTH = 1_000_000
    WTF_CSRF_TIME_LIMIT = None
    RATELIMIT_HEADERS_ENABLED = True
    BABEL_DOMAIN = "messages"
    API_TITLE = "Carnet"
    API_VERSION = "v1"
    OPENAPI_VERSION = "3.1.0"


def load(environ: Mapping[str, str] | None = None, instance: Path | None = None) -> Config:
    """Read the settings from `environ` (default: the process's, with .env beneath it).

    Raises ConfigurationError naming the setting. Writes generated secrets under `instance` on loopback.
    """
    if environ is None:
        load_dotenv(ROOT / ".env")
        environ = os.environ
    instance = instance or Path(environ.get("CARNET_INSTANCE", ROOT / "instance"))
    read = _Reader(environ)

    base_url = _url(read("BASE_URL", "http://127.0.0.1:8000"), "BASE_URL")
    production = not is_loopback(base_url)
    if production and not base_url.startswith("https://"):
        raise ConfigurationError("BASE_URL must be https:// unless it is a loopback address.")
    if production and environ.get("FLASK_DEBUG", "0") not in ("", "0", "false"):
        raise ConfigurationError("FLASK_DEBUG must not be set in production: unset it.")

    def secret(name: str, generate: Callable[[], str]) -> str:
        value = read(name)
        if value:
            return value
        if production:
            raise ConfigurationError(f"{name} is missing: set {name} or {name}_FILE.")
        return kept_secret(instance / name.lower(), generate)

    secret_key = secret("SECRET_KEY", lambda: secrets.token_urlsafe(48))
    if is_guessable(secret_key):
        raise ConfigurationError("SECRET_KEY is too weak: use at least 32 random characters.")

    card_keys = secret("CARD_KEYS", _new_card_keys)
    card_keys_path = Path(environ["CARD_KEYS_FILE"]) if environ.get("CARD_KEYS_FILE") else None
    if not read("CARD_KEYS"):
        card_keys_path = instance / "card_keys"
        card_keys = _with_status_key(card_keys_path)

    oidc_keys = read("OIDC_KEYS")
    oidc_keys_path = Path(environ["OIDC_KEYS_FILE"]) if environ.get("OIDC_KEYS_FILE") else None
    if not oidc_keys and not production:
        oidc_keys_path = instance / "oidc_keys"

    stripe_key = read("STRIPE_SECRET_KEY")
    webhook_secrets = tuple(s for s in (p.strip() for p in read("STRIPE_WEBHOOK_SECRET").split(",")) if s)
    if production and not stripe_key:
        raise ConfigurationError("STRIPE_SECRET_KEY is missing: set STRIPE_SECRET_KEY or STRIPE_SECRET_KEY_FILE.")
    if stripe_key and not webhook_secrets:
        raise ConfigurationError("STRIPE_WEBHOOK_SECRET is missing: payments would never be confirmed.")
    if production and any(len(one) < 20 for one in webhook_secrets):
        raise ConfigurationError("STRIPE_WEBHOOK_SECRET is too short: copy the whole whsec_... from the provider.")
    if production and urlsplit(read("STRIPE_API_BASE")).scheme not in ("", "https"):
        raise ConfigurationError("STRIPE_API_BASE must be https://, or unset.")
    if not read("REDIS_URL", "redis://").startswith(("redis://", "rediss://")):
        raise ConfigurationError("REDIS_URL must start with redis:// or rediss://.")
    if production and not read("MAIL_URL"):
        raise ConfigurationError("MAIL_URL is missing: nobody could sign in.")

    return Config(
        SECRET_KEY=secret_key,
        BASE_URL=base_url,
        CARD_BASE_URL=_url(read("CARD_BASE_URL", base_url), "CARD_BASE_URL"),
        SQLALCHEMY_DATABASE_URI=_database_url(read("DATABASE_URL"), instance),
        STRIPE_SECRET_KEY=stripe_key,
        STRIPE_WEBHOOK_SECRETS=webhook_secrets,
        STRIPE_API_BASE=read("STRIPE_API_BASE"),
        **_wallets(read, production),
        **_wifi(read, production, instance),
        WIFI_CONTROLLERS=read("WIFI_CONTROLLERS"),
        WEBHOOK_PRIVATE_HOSTS=_hosts(read("WEBHOOK_PRIVATE_HOSTS"), "WEBHOOK_PRIVATE_HOSTS"),
        MAIL_URL=_mail_url(read("MAIL_URL", (instance / "mail").absolute().as_uri())),
        CARD_KEYS=card_keys,
        OIDC_KEYS=oidc_keys,
        TIME_ZONE=_time_zone(read("TIME_ZONE", "Europe/Madrid")),
        DEFAULT_LOCALE=_locale(read("DEFAULT_LOCALE", "en")),
        TRUSTED_PROXIES=_count(read("TRUSTED_PROXIES", "0"), "TRUSTED_PROXIES"),
        RATELIMIT_STORAGE_URI=read("REDIS_URL", "memory://"),
        PRODUCTION=production,
        INSTANCE=instance,
        CARD_KEYS_PATH=card_keys_path,
        OIDC_KEYS_PATH=oidc_keys_path,
    )


def _wallets(read: _Reader, production: bool) -> dict[str, str]:
    """Settings of both wallets: all of one's keys or none, and where each is called."""
    values = {}
    for keys in (
        ("APPLE_PASS_CERTIFICATE", "APPLE_PASS_KEY", "APPLE_WWDR_CERTIFICATE"),
        ("GOOGLE_WALLET_ISSUER", "GOOGLE_WALLET_KEY"),
    ):
        given = {name: read(name) for name in keys}
        if any(given.values()) and not all(given.values()):
            missing = next(name for name in keys if not given[name])
            raise ConfigurationError(f"{missing} is missing: that wallet needs {', '.join(keys)}.")
        values.update(given)
    for name, default in (
        ("APPLE_PUSH_URL", "https://api.push.apple.com"),
        ("GOOGLE_WALLET_API", "https://walletobjects.googleapis.com"),
    ):
        values[name] = _url(read(name, default), name)
        if production and not values[name].startswith("https://"):
            raise ConfigurationError(f"{name} must be https://, or unset.")
    return values


def _wifi(read: _Reader, production: bool, instance: Path) -> dict[str, str]:
    """What a device has to know to join the Wi-Fi, all or none, and what signs profiles; on loopback values to try."""
    network = {name: read(name) for name in ("WIFI_SSID", "WIFI_REALM", "WIFI_SERVER_NAME", "WIFI_CA")}
    if any(network.values()) and not all(network.values()):
        missing = next(name for name, value in network.items() if not value)
        raise ConfigurationError(f"{missing} is missing: Wi-Fi needs {', '.join(network)}.")
    signer = {name: read(name) for name in ("WIFI_PROFILE_CERT", "WIFI_PROFILE_KEY")}
    if any(signer.values()) and not all(signer.values()):
        raise ConfigurationError("WIFI_PROFILE_CERT and WIFI_PROFILE_KEY go together: set both or none.")
    if not production:
        trial = kept_secret(instance / "wifi_certificate", _new_wifi_certificate)
        if not any(network.values()):
            network = {
                "WIFI_SSID": "Alumni-trial", "WIFI_REALM": "wifi.example.org",
                "WIFI_SERVER_NAME": "radius.wifi.example.org", "WIFI_CA": trial[trial.index("-----BEGIN CERT") :],
            }  # fmt: skip
        if not any(signer.values()):
            signer = {"WIFI_PROFILE_CERT": trial[trial.index("-----BEGIN CERT") :], "WIFI_PROFILE_KEY": trial}
    return network | signer


def is_loopback(url: str) -> bool:
    return (urlsplit(url).hostname or "") in LOOPBACK


def is_guessable(secret: str) -> bool:
    """Too short, a word out of an example, or the same few characters over and over."""
    return len(secret) < 32 or len(set(secret)) < 8 or any(word in secret.lower() for word in GUESSABLE)


class _Reader:
    """NAME from the environment, or the content of the file that NAME_FILE points to."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def __call__(self, name: str, default: str = "") -> str:
        path = self.environ.get(f"{name}_FILE")
        if path:
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ConfigurationError(f"{name}_FILE cannot be read: {error.strerror} ({path}).") from None
            except UnicodeDecodeError:
                raise ConfigurationError(f"{name}_FILE is not text in UTF-8 ({path}).") from None
        return self.environ.get(name, "").strip() or default


def _url(value: str, name: str) -> str:
    parts = _split(value, name)
    beyond = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in ("http", "https") or not parts.hostname or beyond:
        raise ConfigurationError(f"{name} must be scheme and host only, such as https://alumni.example.org.")
    return f"{parts.scheme}://{parts.netloc}"


def _hosts(value: str, name: str) -> tuple[str, ...]:
    hosts = tuple(host for host in (part.strip().lower() for part in value.split(",")) if host)
    if any(set(host) & set("/@*: ") for host in hosts):
        raise ConfigurationError(f"{name} must be names of hosts only, with a comma between two.")
    return hosts


def _mail_url(value: str) -> str:
    if _split(value, "MAIL_URL").scheme not in ("smtp", "smtps", "file"):
        raise ConfigurationError("MAIL_URL must start with smtp://, smtps:// or file:///.")
    return value


def _split(value: str, name: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        _ = parts.port  # read here so that a wrong one is found now
    except ValueError as error:
        raise ConfigurationError(f"{name} is not an address: {error}.") from None
    return parts


def _database_url(value: str, instance: Path) -> str:
    if not value:
        instance.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{(instance / 'carnet.sqlite').absolute()}"
    for prefix in ("postgres://", "postgresql://"):
        if value.startswith(prefix):
            value = "postgresql+psycopg://" + value.removeprefix(prefix)
    if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ConfigurationError("DATABASE_URL must start with sqlite:/// or postgresql+psycopg://.")
    try:
        make_url(value)
    except (ArgumentError, ValueError):
        raise ConfigurationError("DATABASE_URL is not an address of a database.") from None
    return value


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigurationError(f"TIME_ZONE {value!r} is not a time zone, such as Europe/Madrid.") from None
    return value


def _locale(value: str) -> str:
    try:
        Locale.parse(value)
    except (UnknownLocaleError, ValueError):
        raise ConfigurationError(f"DEFAULT_LOCALE {value!r} is not a language, such as en.") from None
    return value


def _count(value: str, name: str) -> int:
    if not value.isdecimal():
        raise ConfigurationError(f"{name} must be a whole number.")
    return int(value)


def _new_card_keys() -> str:
    from app.cards.keys import complete  # needed on the first start only

    return complete(None, FIRST_KEY_ON).dump()


def _new_wifi_certificate() -> str:
    from app.wifi.certificates import make_certificate  # needed on the first start only

    return make_certificate()


def _with_status_key(path: Path) -> str:
    """The generated card keys; those of a time before there were status keys get one."""
    from app.cards.keys import CardKeys, InvalidCardKeys, complete

    with path.open(encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # of two processes starting at once the second reads what the first wrote
        text = path.read_text(encoding="utf-8").strip()
        try:
            keys = CardKeys.load(text)
        except InvalidCardKeys as error:
            raise ConfigurationError(f"{error} ({path}).") from None
        if not keys.of("status"):
            text = complete(keys, FIRST_KEY_ON).dump()
            replace_secret(path, text)
    return text


def replace_secret(path: Path, text: str) -> None:
    """Put a secret in the place of the one in a file: whole or not at all, for the same owner only. Raises OSError."""
    path = path.resolve()  # a link to where a secret lies stays one
    owner = path.stat()
    draft = _draft(path, text)
    try:
        os.chown(draft, owner.st_uid, owner.st_gid)
        os.replace(draft, path)
    except OSError:
        draft.unlink()
        raise


def kept_secret(path: Path, generate: Callable[[], str]) -> str:
    """The secret kept at `path`, made on first use, readable by its owner only, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = _draft(path, generate())
        with suppress(FileExistsError):  # another process was first: its secret stands
            os.link(draft, path)
        draft.unlink()
    return path.read_text(encoding="utf-8").strip()


def _draft(path: Path, text: str) -> Path:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return draft
