"""Knocking at devices that hold a pass, so that they ask for it anew (APNs over HTTP/2). Never inside a transaction."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
from flask import current_app

from app import outgoing
from app.cards.wallets.apple_certificate import AppleCertificate

DEAD = {"BadDeviceToken", "DeviceTokenNotForTopic", "Unregistered", "ExpiredToken"}


class PushTrouble(Exception):
    """Apple does not answer or refuses for now: try again later."""


def knock(certificate: AppleCertificate, tokens: Sequence[str]) -> list[str]:
    """Knock once at each; answers the tokens that are dead. Raises PushTrouble: those before it were knocked at."""
    base = current_app.config["APPLE_PUSH_URL"]
    # A pass is fetched by the device when it next can; what it will show stands in the pass, not here.
    headers = {"apns-topic": certificate.pass_type, "apns-push-type": "background", "apns-priority": "5"}
    dead = []
    with outgoing.client(certificate.tls(), http2=True) as client:
        for token in tokens:
            try:
                response = client.post(f"{base}/3/device/{token}", json={}, headers=headers)
            except (httpx.HTTPError, OSError) as error:
                raise PushTrouble("no answer") from error
            if response.status_code == 410 or (response.status_code == 400 and _reason(response) in DEAD):
                dead.append(token)
            elif response.status_code != 200:
                raise PushTrouble(f"{response.status_code} {_reason(response)}")
    return dead


def _reason(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return ""
    return str(body.get("reason", ""))[:60] if isinstance(body, dict) else ""
