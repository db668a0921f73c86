"""The scanner as an installed page: its service worker, by which it opens without signal, and its manifest."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.accounts import access
from app.association import get_association
from app.verification.page_words import page_words

bp = Blueprint("scanner", __name__)
bp.add_app_template_global(page_words)

WORKER = "scanner/worker.js"
FILES = (
    "carnet.css", "carnet.js", "mark.svg", "vendor/bootstrap.min.css", "vendor/icons.svg", "vendor/zxing_reader.js",
    "vendor/zxing_reader.wasm", "vendor/fonts/commissioner-latin.woff2",
)  # fmt: skip
TEMPLATES = ("_base.html", "_parts.html", "_scan.html", "verification/scan.html")
GROUND = "#0b0f13"  # the scanner is always dark


def asset_names() -> list[str]:
    """What the page loads, as names under static/."""
    folder = Path(current_app.static_folder or "") / "scanner"
    own = [f"scanner/{file.name}" for file in sorted(folder.iterdir()) if file.suffix in (".js", ".css")]
    return [*FILES, *(name for name in own if name != WORKER)]


@bp.app_template_global("scanner_version")
def version() -> str:
    """One name for the page and its files as they are now; another as soon as one of them changes."""
    static, templates = Path(current_app.static_folder or ""), Path(current_app.root_path) / "templates"
    files = [*(static / name for name in (*asset_names(), WORKER)), *(templates / name for name in TEMPLATES)]
    return _digest(tuple((str(file), file.stat().st_mtime_ns) for file in files if file.is_file()))


@bp.get("/scan/worker.js")
@access.public
def worker() -> ResponseReturnValue:
    """The service worker, with the version and the addresses of what it keeps written above it."""
    assets = [url_for("static", filename=name) for name in asset_names()]
    text = (Path(current_app.static_folder or "") / WORKER).read_text(encoding="utf-8")
    head = f"const VERSION = {json.dumps(version())};\nconst ASSETS = {json.dumps(assets)};\n"
    response = Response(head + text, mimetype="text/javascript")
    response.headers["Service-Worker-Allowed"] = "/scan"
    return response


@bp.get("/scan/manifest.webmanifest")
@access.public
def manifest() -> ResponseReturnValue:
    """What a phone asks to put the scanner of one desk beside its other programs. It names no desk."""
    desk = request.args.get("desk", type=int)
    start = url_for("verification.scan", desk=desk)
    drawing = {"src": url_for("static", filename="mark.svg"), "type": "image/svg+xml", "sizes": "any"}
    pictures = [
        {"src": url_for("static", filename=f"card/icon-{size}.png"), "type": "image/png", "sizes": f"{size}x{size}"}
        for size in (192, 512)
    ]
    facts = {
        "id": start,
        "start_url": start,
        "scope": "/scan",
        "name": f"{_('Scanner')} · {get_association().name}",
        "short_name": _("Scanner"),
        "display": "standalone",
        "background_color": GROUND,
        "theme_color": GROUND,
        "icons": [drawing, *pictures],
    }
    return Response(json.dumps(facts, ensure_ascii=False), mimetype="application/manifest+json")


@lru_cache(maxsize=1)
def _digest(files: tuple[tuple[str, int], ...]) -> str:
    digest = hashlib.sha256()
    for name, _changed in files:
        digest.update(hashlib.sha256(Path(name).read_bytes()).digest())
    return digest.hexdigest()[:16]
