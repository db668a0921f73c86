"""What the shop asks the alumni association's API, and what it tells its visitors when that says no."""

from __future__ import annotations

from typing import Any

import httpx

BENEFIT = "courses"  # as the shop and the association agreed
ENTITLEMENT = f"urn:carnet:benefit:{BENEFIT}"
WORDS = {
    "unknown_code": "There is no such code. Look at its letters and digits once more.",
    "code_used": "This code was used, or another order holds it. Draw a new one.",
    "code_expired": "This code has ended: codes last a day. Draw a new one.",
    "code_for_other": "This code is for another benefit, not for courses.",
    "limit_reached": "This year’s course at the member price is taken.",
    "redemption_expired": "The 15 minutes were over, so the price was given back. Nothing was charged.",
}


class Refused(Exception):
    """The association said no, or nothing: a sentence for the visitor, the API's code, and our own status."""

    def __init__(self, words: str, code: str = "", status: int = 409) -> None:
        super().__init__(words)
        self.words, self.code, self.status = words, code, status


class Association:
    """Its API, with the shop's key. Every change carries an Idempotency-Key: pressed twice, it is made once."""

    def __init__(self, issuer: str, key: str) -> None:
        self._client = httpx.Client(base_url=issuer, timeout=10)
        self._key = {"Authorization": f"Bearer {key}"}

    def userinfo(self, access_token: str) -> dict[str, Any] | None:
        """What the association says of whoever signed in, at this moment; None once that sign-in is over."""
        answer = self._send("GET", "/oauth/userinfo", {"Authorization": f"Bearer {access_token}"})
        return None if answer.status_code == 401 else _body(answer)

    def reserve(self, code: str, price_cents: int, order: str) -> dict[str, Any]:
        asked = {"code": code, "benefit": BENEFIT, "price_cents": price_cents, "reference": order}
        return self._post("/api/v1/redemptions", f"{order}-reserve", asked)

    def confirm(self, redemption: str, order: str) -> dict[str, Any]:
        return self._post(f"/api/v1/redemptions/{redemption}/confirm", f"{order}-confirm")

    def cancel(self, redemption: str, order: str) -> dict[str, Any]:
        return self._post(f"/api/v1/redemptions/{redemption}/cancel", f"{order}-cancel")

    def state(self, redemption: str) -> str:
        return str(_body(self._send("GET", f"/api/v1/redemptions/{redemption}", self._key))["state"])

    def _post(self, path: str, idempotency_key: str, asked: dict[str, Any] | None = None) -> dict[str, Any]:
        return _body(self._send("POST", path, self._key | {"Idempotency-Key": idempotency_key}, asked))

    def _send(
        self, method: str, path: str, headers: dict[str, str], asked: dict[str, Any] | None = None
    ) -> httpx.Response:
        try:
            return self._client.request(method, path, headers=headers, json=asked)
        except httpx.TransportError as error:
            raise unreachable() from error


def unreachable() -> Refused:
    return Refused("The alumni association does not answer. Nothing was charged. Try again in a minute.", "", 503)


def _body(answer: httpx.Response) -> dict[str, Any]:
    said: dict[str, Any] = answer.json() if "json" in answer.headers.get("Content-Type", "") else {}
    if answer.is_success:
        return said
    if answer.status_code in (404, 409, 410, 422):
        code = str(said.get("code", ""))
        raise Refused(WORDS.get(code) or str(said.get("detail", "")), code, answer.status_code)
    raise unreachable()
