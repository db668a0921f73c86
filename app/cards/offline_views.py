"""What lets the card page work without signal: the page a phone keeps, its service worker, its manifest."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from flask import Blueprint, Response, current_app, jsonify, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.accounts import access
from app.accounts.signed_in import current_person
from app.association import get_association
from app.cards.holders import holder_of
from app.cards.payload import WINDOW_SECONDS
from app.cards.photos import photo_of
from app.cards.views import shown_card, valid_card_of
from app.errors import Refusal

bp = Blueprint("card_offline", __name__)
# The page of kept.html and what it loads. Modules import each other by addresses that name no version.
PAGE_FILES = (
    "vendor/bootstrap.min.css", "carnet.css", "card/card.css", "carnet.js", "card/card.js", "vendor/icons.svg",
    "vendor/fonts/commissioner-latin.woff2", "mark.svg",
)  # fmt: skip
MODULES = ("card/clock.js", "card/qr.js", "card/screen.js", "card/store.js", "vendor/qrcode.mjs")


@bp.app_context_processor
def _holder() -> dict[str, str]:
    return {"holder": holder_of(current_person() if current_user.is_authenticated else None)}


@bp.get("/card/kept")
@access.signed_in
def kept() -> ResponseReturnValue:
    """The card without a code and without anything that needs signal; the script draws the code from what it keeps."""
    person = current_person()
    found, standing = valid_card_of(person)
    if person is None:
        raise Refusal("no_card", _("You have no card at the moment. It comes with a membership."), 404)
    photo = photo_of(person.id)
    picture = base64.b64encode(photo.jpeg or b"").decode() if photo else ""
    return render_template(
        "cards/kept.html", card=shown_card(person, found, standing), live_url=url_for("cards.live"),
        photo_src=f"data:image/jpeg;base64,{picture}" if picture else None, window_seconds=WINDOW_SECONDS,
    )  # fmt: skip


@bp.get("/card/worker.js")
@access.public
def worker() -> ResponseReturnValue:
    """The service worker, with the files to keep: it changes when one of them does, and browsers notice."""
    files = {url_for("static", filename=name): "" for name in PAGE_FILES}
    for name in MODULES:
        address, _mark, version = url_for("static", filename=name).partition("?v=")
        files[address] = version
    script = Path(current_app.static_folder or "", "card", "worker.js").read_text(encoding="utf-8")
    response = Response(f"const FILES = {json.dumps(files)};\n{script}", mimetype="text/javascript")
    response.headers["Service-Worker-Allowed"] = url_for("cards.card")
    return response


@bp.get("/card/manifest.webmanifest")
@access.public
def manifest() -> ResponseReturnValue:
    """What a phone needs to put the card on its home screen (W3C Web Application Manifest)."""
    association, address = get_association(), url_for("cards.card")
    icons = [
        {"src": url_for("static", filename=f"card/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
        for size in (192, 512)
    ]
    response = jsonify(
        id=address, start_url=address, scope=address, display="standalone", icons=icons,
        name=_("Card of %(association)s", association=f"{association.name} {association.kind}"),
        short_name=_("Member card"), background_color="#f4f4f1", theme_color="#14497f",
    )  # fmt: skip
    response.mimetype = "application/manifest+json"
    return response
