"""Google's side of a card: kept, changed, and asked for leave to do so. Never called inside a transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
from flask import current_app

from app import outgoing
from app.cards.wallets.google_account import GoogleAccount

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PATH = "/walletobjects/v1"


class GoogleTrouble(Exception):
    """Google does not answer or refuses for now: try again later."""


def change_object(account: GoogleAccount, document: dict[str, Any], now: datetime) -> bool:
    """PATCH the object; False when Google does not have it. Raises GoogleTrouble."""
    with outgoing.client() as client:
        return _change(client, _token(client, account, now), document)


def keep_object(account: GoogleAccount, document: dict[str, Any], now: datetime) -> None:
    """Change the object, or make it, and before the first one the class they are all of. Raises GoogleTrouble."""
    with outgoing.client() as client:
        token = _token(client, account, now)
        if _change(client, token, document):
            return
        there_already = (409,)
        _call(client, token, "POST", "/genericClass", {"id": account.class_id}, there_already)
        made = {name: value for name, value in document.items() if value is not None}
        if _call(client, token, "POST", "/genericObject", made, there_already) in there_already:
            _change(client, token, document)  # two at once: the other made it from older facts, perhaps


def _token(client: httpx.Client, account: GoogleAccount, now: datetime) -> str:
    form = {"grant_type": GRANT, "assertion": account.assertion(now)}
    try:
        response = client.post(account.token_uri, data=form)
        token = response.json().get("access_token") if response.status_code == 200 else None
    except (httpx.HTTPError, OSError, ValueError, AttributeError) as error:
        raise GoogleTrouble("no token") from error
    if not isinstance(token, str) or not token:
        raise GoogleTrouble(f"no token: {response.status_code}")
    return token


def _change(client: httpx.Client, token: str, document: dict[str, Any]) -> bool:
    return _call(client, token, "PATCH", f"/genericObject/{document['id']}", document, (404,)) != 404


def _call(
    client: httpx.Client, token: str, method: str, path: str, document: dict[str, Any], expected: tuple[int, ...]
) -> int:
    """The status: 200 or one of those expected."""
    url = current_app.config["GOOGLE_WALLET_API"] + PATH + path
    try:
        response = client.request(method, url, json=document, headers={"Authorization": f"Bearer {token}"})
    except (httpx.HTTPError, OSError) as error:
        raise GoogleTrouble(f"{method} {path.split('/')[1]}") from error
    if response.status_code != 200 and response.status_code not in expected:
        raise GoogleTrouble(f"{method} {path.split('/')[1]}: {response.status_code}")
    return response.status_code
