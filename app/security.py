"""Headers on every response, errors included; addresses that name nothing."""

from __future__ import annotations

from flask import Flask, Response, abort, request

POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
SCANNER_POLICY = f"{POLICY}; script-src 'self' 'wasm-unsafe-eval'"
# The form that pays answers with a redirect to the provider's page, which form-action would forbid.


def set_headers(app: Flask) -> None:
    https = app.config["HTTPS"]

    def headers(response: Response) -> Response:
        policy = SCANNER_POLICY if request.endpoint == "verification.scan" else POLICY
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", "camera=(self), microphone=(), geolocation=()")
        if https:
            response.headers.setdefault("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
        if response.status_code not in (429, 503):
            response.headers.pop("Retry-After", None)  # the limiter sends it with every answer, refused or not
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    app.after_request(headers)


def refuse_nul(app: Flask) -> None:
    """An address with a NUL names nothing; PostgreSQL would not take it as text."""

    def refuse() -> None:
        if any("\0" in str(part) for part in (request.view_args or {}).values()):
            abort(404)

    app.before_request(refuse)
