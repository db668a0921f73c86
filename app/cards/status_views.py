"""The signed list of cards withdrawn, for scanners that judge alone."""

from __future__ import annotations

import gzip
import hashlib

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from app import clock
from app.accounts import access
from app.cards import service
from app.cards.status_list import ASK_AGAIN, MEDIA_TYPE
from app.extensions import limiter

bp = Blueprint("card_status", __name__)


@bp.get(service.STATUS_PATH)
@access.public
@limiter.limit("60 per minute")
def card_status() -> ResponseReturnValue:
    """A Token Status List of the facts as they are now; 304 where the asker has it already."""
    body = service.status_list(clock.now(), clock.today())
    is_packed = request.accept_encodings["gzip"] > 0
    if is_packed:
        body = gzip.compress(body, mtime=0)  # twice in base64, it packs to two thirds
    response = Response(body, content_type=MEDIA_TYPE)
    if is_packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = f"public, max-age={ASK_AGAIN}"
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    return response.make_conditional(request)
