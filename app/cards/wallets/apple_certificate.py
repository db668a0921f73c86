"""The association's pass certificate from Apple, its key, and Apple's intermediate: they sign passes and open the
way to push. Pass type and team are read from the certificate's subject.
"""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from cryptography.x509.oid import NameOID

from app import outgoing
from config import ConfigurationError


@dataclass(frozen=True)
class AppleCertificate:
    certificate: x509.Certificate
    key: RSAPrivateKey = field(repr=False)
    intermediate: x509.Certificate
    pass_type: str
    team: str
    pem: str = field(repr=False)  # certificate and key, as TLS wants them

    @classmethod
    def load(cls, certificate: str, key: str, intermediate: str) -> Self:
        """Read the PEM texts of the three settings. Raises ConfigurationError, which shows no key."""
        own = _certificate(certificate, "APPLE_PASS_CERTIFICATE")
        wwdr = _certificate(intermediate, "APPLE_WWDR_CERTIFICATE")
        try:
            private = load_pem_private_key(key.encode(), None)
        except (ValueError, TypeError):  # TypeError: it asks for a password
            raise ConfigurationError("APPLE_PASS_KEY is not a private key in PEM without a password.") from None
        if not isinstance(private, RSAPrivateKey) or private.public_key() != own.public_key():
            raise ConfigurationError("APPLE_PASS_KEY is not the key of APPLE_PASS_CERTIFICATE.")
        try:
            own.verify_directly_issued_by(wwdr)
        except (ValueError, TypeError, InvalidSignature):
            raise ConfigurationError("APPLE_WWDR_CERTIFICATE did not issue APPLE_PASS_CERTIFICATE.") from None
        pass_type, team = (_named(own, oid) for oid in (NameOID.USER_ID, NameOID.ORGANIZATIONAL_UNIT_NAME))
        if not pass_type.startswith("pass.") or not team:
            raise ConfigurationError("APPLE_PASS_CERTIFICATE is not of a pass type: its subject names none.")
        return cls(own, private, wwdr, pass_type, team, f"{certificate.strip()}\n{key.strip()}\n")

    def sign(self, content: bytes) -> bytes:
        """A detached PKCS#7 signature in DER with the intermediate and the time of signing."""
        builder = PKCS7SignatureBuilder().set_data(content).add_signer(self.certificate, self.key, SHA256())
        options = [PKCS7Options.DetachedSignature, PKCS7Options.Binary]
        return builder.add_certificate(self.intermediate).sign(Encoding.DER, options)

    def tls(self) -> ssl.SSLContext:
        """For calls by which Apple knows us."""
        context = outgoing.tls()
        with tempfile.TemporaryDirectory() as folder:  # readable by us only; OpenSSL takes files
            path = Path(folder) / "certificate.pem"
            path.write_text(self.pem, encoding="ascii")
            context.load_cert_chain(path)
        return context

    @property
    def ends_at(self) -> datetime:
        return self.certificate.not_valid_after_utc


def _certificate(pem: str, name: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise ConfigurationError(f"{name} is not a certificate in PEM.") from None


def _named(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(oid)
    return cast(str, found[0].value) if found else ""
