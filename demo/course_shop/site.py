"""The shop's pages."""

from __future__ import annotations

import re
import secrets
from datetime import date
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Flask, Response, abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect
from joserfc.errors import JoseError

from demo.course_shop.association import ENTITLEMENT, Association, Refused, unreachable
from demo.course_shop.connecting import Secrets
from demo.course_shop.orders import COURSES, OFF_CENTS, Course, Order, Visitor, euros

POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
NOT_SIGNED_IN = "You were not signed in. Nothing was told to us."


def make_app(given: Secrets) -> Flask:
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32), SESSION_COOKIE_NAME="obrador", SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
    )  # fmt: skip
    CSRFProtect(app)
    association, visitors = Association(given.issuer, given.key), dict[str, Visitor]()
    oauth = OAuth(app)
    oauth.register(
        "membership", client_id=given.client_id, client_secret=given.client_secret,
        server_metadata_url=f"{given.issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid membership", "code_challenge_method": "S256"},
    )  # fmt: skip
    app.jinja_env.filters["euros"] = euros
    app.jinja_env.globals.update(off_cents=OFF_CENTS, issuer=given.issuer)

    def visitor() -> Visitor:
        name = session.setdefault("visitor", secrets.token_hex(16))
        return visitors.setdefault(name, Visitor())

    def order_of(number: str) -> Order:
        return visitor().orders.get(number) or abort(404)

    def page(template: str, status: int = 200, error: str = "", **facts: Any) -> ResponseReturnValue:
        """With what the association says, now, of whoever is signed in."""
        here, claims = visitor(), None
        if here.access_token is not None:
            try:
                claims = association.userinfo(here.access_token)
            except Refused as refused:
                error, status = error or refused.words, refused.status
            else:
                here.access_token = here.access_token if claims else None
        facts |= {"claims": claims, "why_not": why_not(claims) if claims else None, "orders": here.orders.values()}
        return render_template(template, error=error, courses=COURSES.values(), **facts), status

    def order_page(course: Course, status: int = 200, error: str = "", typed: str = "") -> ResponseReturnValue:
        return page("course.html", status, error, course=course, typed=typed, number=secrets.token_hex(8))

    @app.get("/")
    def index() -> ResponseReturnValue:
        return page("index.html")

    @app.get("/sign-in")
    def sign_in() -> ResponseReturnValue:
        """Authlib makes the state, the nonce and the PKCE verifier, and keeps them in this browser's session."""
        answer: ResponseReturnValue = oauth.membership.authorize_redirect(url_for("back", _external=True))
        return answer

    @app.get("/back")
    def back() -> ResponseReturnValue:
        """Authlib compares the state, sends the verifier, and checks the ID token: signature, who for, nonce, age."""
        try:
            visitor().access_token = oauth.membership.authorize_access_token()["access_token"]
        except (AuthlibBaseError, JoseError):
            return page("index.html", 403, NOT_SIGNED_IN)
        return redirect(url_for("index"), 303)

    @app.post("/sign-out")
    def sign_out() -> ResponseReturnValue:
        visitor().access_token = None
        return redirect(url_for("index"), 303)

    @app.get("/courses/<code>")
    def course(code: str) -> ResponseReturnValue:
        return order_page(COURSES.get(code) or abort(404))

    @app.post("/courses/<code>")
    def take(code: str) -> ResponseReturnValue:
        """An order at the full price, or with a member's code: that one is held until it is bought or cancelled."""
        wanted, number, typed = COURSES.get(code) or abort(404), request.form["number"], request.form.get("code", "")
        if not re.fullmatch("[0-9a-f]{16}", number):
            abort(400)
        order = Order(number, wanted)
        if request.form["price"] == "member":
            if not typed.strip():
                return order_page(wanted, 400, "Type the code you drew.")
            try:
                held = association.reserve(typed.strip(), wanted.price_cents, number)
            except Refused as refused:
                return order_page(wanted, refused.status, refused.words, typed)
            order = Order(number, wanted, held["discount_cents"], held["id"], "held")
        visitor().orders.setdefault(number, order)
        return redirect(url_for("show", number=number), 303)

    @app.get("/orders/<number>")
    def show(number: str) -> ResponseReturnValue:
        order = order_of(number)
        if order.state == "held" and order.redemption is not None:
            order.state = "expired" if association.state(order.redemption) == "expired" else "held"
        return page("order.html", order=order)

    @app.post("/orders/<number>/buy")
    def buy(number: str) -> ResponseReturnValue:
        order = order_of(number)
        if order.state == "held" and order.redemption is not None:
            try:
                association.confirm(order.redemption, number)
            except Refused as refused:
                order.state = "expired" if refused.code == "redemption_expired" else order.state
                return page("order.html", refused.status, refused.words, order=order)
            order.state = "bought"
        return redirect(url_for("show", number=number), 303)

    @app.post("/orders/<number>/cancel")
    def cancel(number: str) -> ResponseReturnValue:
        order = order_of(number)
        if order.state in ("held", "bought"):
            if order.redemption is not None:
                association.cancel(order.redemption, number)
            order.state = "cancelled"
        return redirect(url_for("show", number=number), 303)

    @app.errorhandler(Refused)
    def refused(error: Refused) -> ResponseReturnValue:
        return page("index.html", error.status, error.words)

    @app.errorhandler(OSError)
    def no_answer(_error: OSError) -> ResponseReturnValue:
        return refused(unreachable())

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response

    return app


def why_not(claims: dict[str, Any]) -> str | None:
    """Why whoever signed in pays the full price; None where the member price is theirs."""
    if ENTITLEMENT in claims.get("eduperson_entitlement", []):
        return None
    status, until = claims.get("membership_status"), claims.get("membership_valid_until")
    ended = f" on {date.fromisoformat(until):%-d %B %Y}" if until else ""
    return {
        "active": "You are a member, and this year’s course is taken already, or held by an order.",
        "grace": f"Your membership ended{ended} and waits to be renewed. The member price comes back with it.",
        "lapsed": f"Your membership ended{ended}. The member price is for members; renew and it is yours again.",
        "suspended": "Your membership is on hold. Ask the association.",
    }.get(str(status), "You are not a member yet. The member price is for members.")
