"""The association's Wi-Fi as its settings say: the name on the air, who answers there, what signs profiles."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from flask import Flask, current_app
from flask_babel import gettext as _

from app.errors import Refusal
from app.wifi.certificates import NAME as TRIAL
from app.wifi.certificates import name_of
from config import ConfigurationError

NAME = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
SSID_BYTES = 32  # IEEE 802.11
DISCONNECT_PORT = 3799  # RFC 5176, 2.1
SHORTEST_SECRET = 16  # RFC 2865, 3: at least 16 octets


@dataclass(frozen=True)
class ProfileSigner:
    """A certificate for signing profiles, its key, and the certificates between it and its root."""

    certificate: x509.Certificate
    key: RSAPrivateKey | EllipticCurvePrivateKey = field(repr=False)
    between: tuple[x509.Certificate, ...]

    @property
    def name(self) -> str:
        return name_of(self.certificate)

    @property
    def is_trial(self) -> bool:
        return self.name == TRIAL

    def sign(self, content: bytes) -> bytes:
        """CMS in DER around `content`, with the certificates and the time of signing."""
        builder = PKCS7SignatureBuilder().set_data(content).add_signer(self.certificate, self.key, SHA256())
        for certificate in self.between:
            builder = builder.add_certificate(certificate)
        return builder.sign(Encoding.DER, [PKCS7Options.Binary])


@dataclass(frozen=True)
class WifiNetwork:
    """What a device has to know: `authorities` sign the certificate of the server called `server_name`."""

    ssid: str
    realm: str
    server_name: str
    authorities: tuple[x509.Certificate, ...]
    signer: ProfileSigner | None

    def identity(self, username: str) -> str:
        """The user name as a device sends it."""
        return f"{username}@{self.realm}"

    @property
    def outer_identity(self) -> str:
        """What is seen on the air, before the tunnel stands."""
        return f"anonymous@{self.realm}"

    @property
    def authorities_pem(self) -> str:
        return "".join(it.public_bytes(Encoding.PEM).decode() for it in self.authorities)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the first authority, in pairs, as devices show it."""
        return self.authorities[0].fingerprint(SHA256()).hex(":").upper()

    @property
    def is_trial(self) -> bool:
        """Made up for trying out: no server answers for it."""
        return name_of(self.authorities[0]) == TRIAL

    @property
    def ends_at(self) -> datetime:
        """When the first of the authorities runs out."""
        return min(it.not_valid_after_utc for it in self.authorities)


@dataclass(frozen=True)
class Controller:
    """An access controller that takes Disconnect-Requests (RFC 5176)."""

    host: str
    port: int
    secret: bytes = field(repr=False)

    @property
    def name(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def check_wifi(app: Flask) -> None:
    """Raises ConfigurationError, which names the setting and shows no key."""
    _network_of(app.config)
    read_controllers(app.config["WIFI_CONTROLLERS"])


def find_network() -> WifiNetwork | None:
    """None where the association has set up no Wi-Fi."""
    return _network_of(current_app.config)


def get_network() -> WifiNetwork:
    """Raises Refusal 404."""
    network = find_network()
    if network is None:
        raise Refusal("wifi_not_set_up", _("Wi-Fi is not set up here."), 404)
    return network


def controllers() -> tuple[Controller, ...]:
    return read_controllers(current_app.config["WIFI_CONTROLLERS"])


@functools.lru_cache(maxsize=4)
def read_controllers(text: str) -> tuple[Controller, ...]:
    """HOST:PORT SECRET, a comma or a new line between two; without a port it is 3799. Raises ConfigurationError."""
    found = {}
    for line in (it.strip() for it in re.split(r"[,\n]", text)):
        if not line:
            continue
        match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+))(?::(\d{1,5}))?\s+(\S+)", line, re.ASCII)
        if not match or not 0 < int(match[3] or DISCONNECT_PORT) < 65536:
            raise ConfigurationError("WIFI_CONTROLLERS is HOST:PORT SECRET, with a comma or a new line between two.")
        if len(match[4]) < SHORTEST_SECRET:
            raise ConfigurationError("WIFI_CONTROLLERS has a secret that is too short: use at least 16 characters.")
        one = Controller(match[1] or match[2], int(match[3] or DISCONNECT_PORT), match[4].encode())
        found[one.name] = one
    return tuple(found.values())


def _network_of(config: Mapping[str, Any]) -> WifiNetwork | None:
    if not config["WIFI_SSID"]:
        return None
    names = ("WIFI_SSID", "WIFI_REALM", "WIFI_SERVER_NAME", "WIFI_CA", "WIFI_PROFILE_CERT", "WIFI_PROFILE_KEY")
    return _load(*(config[name] for name in names))


@functools.lru_cache(maxsize=4)
def _load(ssid: str, realm: str, server_name: str, authorities: str, certificate: str, key: str) -> WifiNetwork:
    if len(ssid.encode()) > SSID_BYTES or not ssid.isprintable() or set(ssid) & set('"\\$`'):
        raise ConfigurationError("WIFI_SSID is at most 32 bytes long and has no quotes, backslashes, $ or `.")
    for name, value in (("WIFI_REALM", realm), ("WIFI_SERVER_NAME", server_name)):
        if not NAME.fullmatch(value):
            raise ConfigurationError(f"{name} must be a name in small letters, such as wifi.example.org.")
    return WifiNetwork(ssid, realm, server_name, _certificates(authorities, "WIFI_CA"), _signer(certificate, key))


def _signer(certificates: str, key: str) -> ProfileSigner | None:
    if not certificates:
        return None
    own, *between = _certificates(certificates, "WIFI_PROFILE_CERT")
    try:
        private = load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError):  # TypeError: it asks for a password
        raise ConfigurationError("WIFI_PROFILE_KEY is not a private key in PEM without a password.") from None
    if not isinstance(private, RSAPrivateKey | EllipticCurvePrivateKey) or private.public_key() != own.public_key():
        raise ConfigurationError("WIFI_PROFILE_KEY is not the key of WIFI_PROFILE_CERT.")
    return ProfileSigner(own, private, tuple(between))


def _certificates(pem: str, name: str) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_pem_x509_certificates(pem.encode()))
    except ValueError:
        raise ConfigurationError(f"{name} is not a certificate in PEM.") from None
