"""Where a list goes on: a cursor says it to us and nothing to the service that carries it."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken
from flask import current_app
from marshmallow import Schema, fields, validate

from app.errors import Refusal

MOST = 200


class PageQuery(Schema):
    cursor = fields.String(
        validate=validate.Regexp("^[A-Za-z0-9_=-]{1,300}$"),
        metadata={"description": "`next` of the page before; without one the first page."},
    )
    limit = fields.Integer(
        load_default=100, validate=validate.Range(1, MOST), metadata={"description": "How many on a page."}
    )


def cursor_after(listing: str, service_id: int, last_id: int) -> str:
    """Goes on after the row with this id; good for one service and one list."""
    return _box().encrypt(f"{listing}:{service_id}:{last_id}".encode()).decode()


def read_cursor(cursor: str | None, listing: str, service_id: int) -> int:
    """The id of the last row shown; 0 for the beginning. Raises Refusal."""
    if cursor is None:
        return 0
    try:
        said = _box().decrypt(cursor.encode()).decode().split(":")
    except InvalidToken:
        said = []
    if said[:2] != [listing, str(service_id)]:
        raise Refusal("bad_cursor", "This cursor is none of ours: send the `next` of the page before, or none.", 400)
    return int(said[2])


def _box() -> Fernet:
    key = hmac.digest(str(current_app.config["SECRET_KEY"]).encode(), b"cursor", "sha256")
    return Fernet(urlsafe_b64encode(key))
