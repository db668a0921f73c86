"""An Apple pass: pass.json, pictures, their digests and the signature, in one archive (Wallet's package format)."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import zipfile
from datetime import timedelta
from typing import Any

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _

from app import clock
from app.association import get_association
from app.cards.facts import CardFacts
from app.cards.wallets.apple_certificate import AppleCertificate
from app.cards.wallets.pictures import Colour, mark_png
from app.formats import day_long
from app.mail import language_of

MIMETYPE = "application/vnd.apple.pkpass"
SERVICE_PATH = "/wallets/apple"
BASIC, PLUS, FOIL, WHITE = (20, 73, 127), (15, 34, 56), (236, 217, 164), (255, 255, 255)
EARLIEST = (1980, 1, 1, 0, 0, 0)  # a date in an archive says nothing here


def pkpass(facts: CardFacts, certificate: AppleCertificate) -> bytes:
    """The pass as a file, in its holder's language."""
    with force_locale(language_of(facts.language)):
        document = pass_document(facts, certificate)
    ground, arches = _colours(facts)
    files = {"pass.json": json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()}
    for name, size in (("icon", 29), ("logo", 50)):
        for scale in (1, 2, 3):
            picture = mark_png(size * scale, arches, ground) if name == "logo" else mark_png(size * scale, BASIC, WHITE)
            files[f"{name}.png" if scale == 1 else f"{name}@{scale}x.png"] = picture
    # SHA-1 is what the format asks for; the signature over the manifest is by SHA-256.
    digests = {name: hashlib.sha1(content, usedforsecurity=False).hexdigest() for name, content in files.items()}
    files["manifest.json"] = json.dumps(digests, separators=(",", ":")).encode()
    files["signature"] = certificate.sign(files["manifest.json"])
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in files.items():
            bundle.writestr(zipfile.ZipInfo(name, EARLIEST), content, zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def pass_document(facts: CardFacts, certificate: AppleCertificate) -> dict[str, Any]:
    """pass.json. A pass that is no longer good is void and carries no code."""
    association = get_association()
    ground, accent = _colours(facts)
    document: dict[str, Any] = {
        "formatVersion": 1,
        "passTypeIdentifier": certificate.pass_type,
        "teamIdentifier": certificate.team,
        "serialNumber": facts.serial,
        "organizationName": f"{association.name} {association.kind}",
        "description": _("Member card"),
        "logoText": association.name,
        "backgroundColor": _rgb(ground),
        "foregroundColor": _rgb(WHITE),
        "labelColor": _rgb(accent),
        "webServiceURL": current_app.config["BASE_URL"] + SERVICE_PATH,
        "authenticationToken": token_for(facts.serial),
        "sharingProhibited": True,
        "voided": facts.code is None,
        "generic": _fields(facts, association.contact_email),
    }
    if facts.code is not None:
        barcode = {"format": "PKBarcodeFormatQR", "message": facts.code, "messageEncoding": "iso-8859-1"}
        document["barcodes"] = [{**barcode, "altText": facts.member_number}]
    if facts.grace_until is not None and not facts.is_for_life:
        last = clock.day_end(facts.grace_until) - timedelta(seconds=1)
        document["expirationDate"] = last.astimezone(clock.zone()).isoformat(timespec="seconds")
    return document


def token_for(serial: str) -> str:
    """What a device proves itself by for one pass: 64 characters that only SECRET_KEY makes."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.digest(key, f"apple-pass:{serial}".encode(), "sha256").hex()


def _fields(facts: CardFacts, contact: str) -> dict[str, list[dict[str, Any]]]:
    number = {"key": "number", "label": _("Member number"), "value": facts.member_number}
    fields: dict[str, list[dict[str, Any]]] = {
        "headerFields": [{"key": "tier", "label": _("Tier"), "value": facts.tier_name}] if facts.tier_name else [],
        "primaryFields": [{"key": "holder", "label": _("Member"), "value": facts.holder}],
        "secondaryFields": [*_until(facts), number],
        "auxiliaryFields": [{"key": "check", "label": _("For staff"), "value": _("Check a photo or ID.")}],
        "backFields": [
            *_grace(facts),
            {"key": "copy", "label": _("About this code"), "value": _("It does not change, so it can be copied: staff "
             "look at a photo or ID as well. The card on your phone’s card page needs no second look.")},
            {"key": "page", "label": _("Your card page"), "value": current_app.config["BASE_URL"] + "/card"},
            {"key": "contact", "label": _("Questions"), "value": contact},
        ],
    }  # fmt: skip
    return fields


def _until(facts: CardFacts) -> list[dict[str, Any]]:
    if facts.valid_until is None:
        return []
    if facts.is_for_life:
        return [{"key": "until", "label": _("Valid"), "value": _("for life")}]
    changed = _("Your card is valid until %(day)s.", day="%@")  # Wallet fills it in when the day changes
    return [{"key": "until", "label": _("Valid until"), "value": day_long(facts.valid_until), "changeMessage": changed}]


def _grace(facts: CardFacts) -> list[dict[str, Any]]:
    if facts.grace_until is None or facts.grace_until == facts.valid_until:
        return []
    return [{"key": "grace", "label": _("Days of grace until"), "value": day_long(facts.grace_until)}]


def _colours(facts: CardFacts) -> tuple[Colour, Colour]:
    """Ground, and what stands out on it."""
    return (PLUS, FOIL) if facts.tier_code == "plus" else (BASIC, WHITE)


def _rgb(colour: Colour) -> str:
    return "rgb({}, {}, {})".format(*colour)
