"""Certificates and keys as Apple and Google would give them, made on the spot."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

PASS_TYPE, TEAM, ISSUER = "pass.org.example.alumni", "A1B2C3D4E5", "3388000000012345678"
PASS_NAMES = ((NameOID.USER_ID, PASS_TYPE), (NameOID.ORGANIZATIONAL_UNIT_NAME, TEAM))


def pem(key: RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass
class Authority:
    """`folder` holds root.pem, chain.pem (root and intermediate), server.pem (certificate and key)."""

    folder: Path
    pass_certificate: str
    pass_key: str
    intermediate: str
    other_intermediate: str
    nameless: str
    google_key: RSAPrivateKey

    @classmethod
    def make(cls, folder: Path) -> Authority:
        root_key, wwdr_key, pass_key, server_key, google_key = (generate_private_key(65537, 2048) for _ in range(5))
        root = _issue("Test Root", root_key, None, None, is_ca=True)
        wwdr = _issue("Test Developer Relations", wwdr_key, root, root_key, is_ca=True)
        other = _issue("Other Relations", root_key, root, root_key, is_ca=True)
        own = _issue("Pass Type ID: alumni", pass_key, wwdr, wwdr_key, extra=PASS_NAMES)
        nameless = _issue("No pass type", pass_key, wwdr, wwdr_key)
        server = _issue("127.0.0.1", server_key, root, root_key)
        (folder / "root.pem").write_text(_text(root))
        (folder / "chain.pem").write_text(_text(root) + _text(wwdr))
        (folder / "server.pem").write_text(_text(server) + pem(server_key))
        return cls(folder, _text(own), pem(pass_key), _text(wwdr), _text(other), _text(nameless), google_key)

    def apple(self) -> dict[str, str]:
        """Settings."""
        return {
            "APPLE_PASS_CERTIFICATE": self.pass_certificate, "APPLE_PASS_KEY": self.pass_key,
            "APPLE_WWDR_CERTIFICATE": self.intermediate,
        }  # fmt: skip

    def google(self, token_uri: str) -> dict[str, str]:
        """Settings, with a key file as Google's console makes it."""
        document = {
            "type": "service_account", "project_id": "alumni", "private_key_id": "0123456789abcdef",
            "private_key": pem(self.google_key), "client_email": "cards@alumni.iam.gserviceaccount.com",
            "token_uri": token_uri,
        }  # fmt: skip
        return {"GOOGLE_WALLET_ISSUER": ISSUER, "GOOGLE_WALLET_KEY": json.dumps(document)}

    def google_public(self) -> bytes:
        return self.google_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _text(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _issue(
    name: str, key: RSAPrivateKey, issuer: x509.Certificate | None, issuer_key: RSAPrivateKey | None, *,
    is_ca: bool = False, extra: tuple[tuple[x509.ObjectIdentifier, str], ...] = (),
) -> x509.Certificate:  # fmt: skip
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in ((NameOID.COMMON_NAME, name), *extra)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
    if name == "127.0.0.1":
        address = x509.IPAddress(ipaddress.ip_address(name))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return builder.sign(issuer_key or key, SHA256())
