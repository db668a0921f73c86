"""Every route, what to send it, and what each kind of caller is answered.

A route that has no row here fails the suite. `alice` is the one whose number, session and payment stand in the
addresses; `bob` is another member. Staff are nobody in the register. `key` is a campus service's bearer key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask

from app.accounts.models import AccountSession
from app.extensions import db
from app.payments.receipts import receipts_of
from app.payments.service import payments_of
from app.wifi.service import create_credential, credentials_of
from tests.cast import Cast
from tests.visitor import Visitor

CALLERS = ("stranger", "alice", "bob", "scanner", "treasurer", "admin", "key")
ANYBODY = (200,) * 7
# They carry no cookie: a key, a signature, a link out of a mail, a pass's token.
PASSES = "/wallets/apple/v1/devices/<device>/registrations/<pass_type>"
EXEMPT = {
    "POST /api/v1/redemptions", "POST /api/v1/redemptions/<redemption_id>/confirm",
    "POST /api/v1/redemptions/<redemption_id>/cancel",
    "POST /api/v1/verifications", "POST /stripe/webhook", "POST /reminders/stop/<token>",
    "POST /oauth/token", "POST /oauth/introspect", "POST /oauth/revoke", "POST /oauth/userinfo",
    "POST /radius/v1/accounting", "POST /radius/v1/authorize", "POST /radius/v1/post-auth",
    f"POST {PASSES}/<serial>", f"DELETE {PASSES}/<serial>", "POST /wallets/apple/v1/log",
}  # fmt: skip

#                                            stranger alice bob scanner treasurer admin key
MATRIX: dict[str, tuple[int, ...]] = {
    "GET /":                                   (200, 200, 200, 302, 302, 302, 200),
    "GET /.well-known/jwks.json":              ANYBODY,
    "GET /.well-known/openid-configuration":   ANYBODY,
    "GET /C/<digits>":                         ANYBODY,
    "GET /accessibility":                      ANYBODY,
    "GET /account":                            (302, 200, 200, 200, 200, 200, 302),
    "POST /account":                           (401, 303, 303, 303, 303, 303, 401),
    "POST /account/auto-renewal/card":        (401, 303, 303, 409, 409, 409, 401),
    "GET /account/auto-renewal/done":         (302, 302, 302, 409, 409, 409, 302),
    "POST /account/auto-renewal/off":         (401, 303, 303, 409, 409, 409, 401),
    "POST /account/auto-renewal/on":          (401, 503, 503, 409, 409, 409, 401),
    "GET /account/checks":                     (302, 200, 200, 302, 302, 302, 302),
    "GET /account/connections":                (302, 200, 200, 302, 302, 302, 302),
    "POST /account/connections/<connection_id>/end": (401, 404, 404, 404, 404, 404, 401),
    "GET /account/payments":                  (302, 200, 200, 302, 302, 302, 302),
    "GET /account/payments/<number>/withdraw":(302, 409, 404, 404, 404, 404, 302),
    "POST /account/payments/<number>/withdraw":(401, 409, 404, 404, 404, 404, 401),
    "GET /account/person":                     (302, 200, 200, 200, 200, 200, 302),
    "POST /account/person":                    (401, 404, 404, 404, 404, 404, 401),
    "GET /account/receipts/<number>.pdf":      (302, 200, 404, 404, 404, 404, 302),
    "POST /account/renewal-tier":             (401, 303, 303, 409, 409, 409, 401),
    "POST /account/sessions/<int:session_id>/end": (401, 303, 404, 404, 404, 404, 401),
    "GET /account/why":                        (302, 200, 200, 302, 302, 302, 302),
    "GET /admin":                              (302, 403, 403, 403, 403, 200, 302),
    "GET /admin/association":                  (302, 403, 403, 403, 403, 200, 302),
    "POST /admin/association":                 (401, 403, 403, 403, 403, 400, 401),
    "GET /admin/benefits":                     (302, 403, 403, 403, 403, 200, 302),
    "POST /admin/benefits":                    (401, 403, 403, 403, 403, 400, 401),
    "GET /admin/benefits/<benefit_code>":      (302, 403, 403, 403, 403, 200, 302),
    "POST /admin/benefits/<benefit_code>":     (401, 403, 403, 403, 403, 400, 401),
    "POST /admin/benefits/<benefit_code>/close": (401, 403, 403, 403, 403, 303, 401),
    "POST /admin/benefits/<benefit_code>/reopen": (401, 403, 403, 403, 403, 303, 401),
    "GET /admin/desks":                        (302, 403, 403, 403, 403, 200, 302),
    "GET /admin/desks/<desk_id>":              (302, 403, 403, 403, 403, 200, 302),
    "POST /admin/desks/<desk_id>":             (401, 403, 403, 403, 403, 400, 401),
    "POST /admin/desks/<desk_id>/devices":     (401, 403, 403, 403, 403, 400, 401),
    "POST /admin/desks/<desk_id>/devices/<device_id>/revoke": (401, 403, 403, 403, 403, 404, 401),
    "GET /admin/mails":                        (302, 403, 403, 403, 403, 200, 302),
    "GET /admin/mails/<name>":                 (302, 403, 403, 403, 403, 200, 302),
    "GET /admin/mails/<name>/letter":          (302, 403, 403, 403, 403, 200, 302),
    "GET /admin/openid":                       (302, 403, 403, 403, 403, 200, 302),
    "GET /admin/people":                       (302, 403, 403, 403, 200, 200, 302),
    "GET /admin/people/<number>":              (302, 403, 403, 403, 200, 200, 302),
    "GET /admin/people/<number>/card":         (302, 403, 403, 403, 403, 200, 302),
    "POST /admin/people/<number>/card":        (401, 403, 403, 403, 403, 400, 401),
    "POST /admin/people/<number>/document":    (401, 403, 403, 403, 403, 400, 401),
    "POST /admin/people/<number>/grant":       (401, 403, 403, 403, 403, 400, 401),
    "POST /admin/people/<number>/hold":        (401, 403, 403, 403, 403, 400, 401),
    "POST /admin/people/<number>/release":     (401, 403, 403, 403, 403, 303, 401),
    "POST /admin/people/<number>/photo/remove":(401, 403, 403, 403, 403, 400, 401),
    "GET /admin/photos":                       (302, 403, 403, 403, 403, 200, 302),
    "GET /admin/photos/<int:photo_id>.jpg":    (302, 403, 403, 403, 403, 404, 302),
    "POST /admin/photos/<int:photo_id>/approve":(401, 403, 403, 403, 403, 303, 401),
    "POST /admin/photos/<int:photo_id>/refuse":(401, 403, 403, 403, 403, 400, 401),
    "GET /admin/scans":                        (302, 403, 403, 403, 403, 200, 302),
    "GET /admin/services":                     (302, 403, 403, 403, 403, 200, 302),
    "POST /admin/services":                    (401, 403, 403, 403, 403, 400, 401),
    "GET /admin/services/<service_id>":        (302, 403, 403, 403, 403, 200, 302),
    "POST /admin/services/<service_id>":       (401, 403, 403, 403, 403, 400, 401),
    "POST /admin/services/<service_id>/keys":  (401, 403, 403, 403, 403, 200, 401),
    "POST /admin/services/<service_id>/keys/<key_id>/revoke": (401, 403, 403, 403, 403, 404, 401),
    "POST /admin/services/<service_id>/people": (401, 403, 403, 403, 403, 400, 401),
    "POST /admin/services/<service_id>/people/<account_id>/remove": (401, 403, 403, 403, 403, 404, 401),
    "GET /admin/tiers":                        (302, 403, 403, 403, 403, 200, 302),
    "POST /admin/tiers":                       (401, 403, 403, 403, 403, 400, 401),
    "GET /admin/tiers/<code>":                 (302, 403, 403, 403, 403, 200, 302),
    "POST /admin/tiers/<code>/close":          (401, 403, 403, 403, 403, 400, 401),
    "POST /admin/tiers/<code>/prices":         (401, 403, 403, 403, 403, 400, 401),
    "GET /admin/webhooks":                     (302, 403, 403, 403, 403, 200, 302),
    "POST /admin/webhooks":                    (401, 403, 403, 403, 403, 400, 401),
    "GET /admin/webhooks/<int:endpoint_id>":   (302, 403, 403, 403, 403, 404, 302),
    "POST /admin/webhooks/<int:endpoint_id>":  (401, 403, 403, 403, 403, 404, 401),
    "POST /admin/webhooks/<int:endpoint_id>/secret": (401, 403, 403, 403, 403, 404, 401),
    "POST /admin/webhooks/<int:endpoint_id>/secret/end": (401, 403, 403, 403, 403, 404, 401),
    "POST /admin/webhooks/<int:endpoint_id>/test": (401, 403, 403, 403, 403, 404, 401),
    "POST /admin/webhooks/<int:endpoint_id>/disable": (401, 403, 403, 403, 403, 404, 401),
    "POST /admin/webhooks/<int:endpoint_id>/enable": (401, 403, 403, 403, 403, 404, 401),
    "POST /admin/webhooks/<int:endpoint_id>/remove": (401, 403, 403, 403, 403, 404, 401),
    "POST /admin/webhooks/<int:endpoint_id>/deliveries/<int:delivery_id>/resend": (401, 403, 403, 403, 403, 404, 401),
    "GET /api/v1/card-status":                 ANYBODY,
    "GET /api/v1/docs":                        ANYBODY,
    "GET /api/v1/members":                     (401, 401, 401, 401, 401, 401, 403),
    "GET /api/v1/payments":                    (401, 401, 401, 401, 401, 401, 403),
    "GET /api/v1/openapi.json":                ANYBODY,
    "POST /api/v1/redemptions":                (401, 401, 401, 401, 401, 401, 403),
    "GET /api/v1/redemptions/<redemption_id>": (401, 401, 401, 401, 401, 401, 403),
    "POST /api/v1/redemptions/<redemption_id>/cancel": (401, 401, 401, 401, 401, 401, 403),
    "POST /api/v1/redemptions/<redemption_id>/confirm": (401, 401, 401, 401, 401, 401, 403),
    "POST /api/v1/verifications":              (401, 401, 401, 401, 401, 401, 200),
    "GET /auto-renewal/off/<token>":          (404,) * 7,
    "POST /auto-renewal/off/<token>":         (404,) * 7,
    "GET /benefits":                           (302, 200, 200, 302, 302, 302, 302),
    "POST /benefits/<benefit_code>/code":      (401, 400, 400, 404, 404, 404, 401),
    "GET /card":                               (302, 200, 200, 200, 200, 200, 302),
    "GET /card.pdf":                          (302, 200, 200, 404, 404, 404, 302),
    "GET /card.pkpass":                       (302, 404, 404, 404, 404, 404, 302),
    "GET /card.png":                          (302, 200, 200, 404, 404, 404, 302),
    "GET /card/print":                        (302, 200, 200, 404, 404, 404, 302),
    "POST /card/google":                      (401, 404, 404, 404, 404, 404, 401),
    "GET /card.svg":                           (302, 200, 200, 404, 404, 404, 302),
    "GET /card/kept":                          (302, 200, 200, 404, 404, 404, 302),
    "GET /card/live":                          (302, 200, 200, 404, 404, 404, 302),
    "GET /card/lost":                          (302, 200, 200, 404, 404, 404, 302),
    "POST /card/lost":                         (401, 303, 303, 404, 404, 404, 401),
    "GET /card/manifest.webmanifest":          ANYBODY,
    "GET /card/photo":                         (302, 200, 200, 404, 404, 404, 302),
    "POST /card/photo":                        (401, 400, 400, 404, 404, 404, 401),
    "GET /card/photo/<int:photo_id>.jpg":      (302, 404, 404, 404, 404, 404, 302),
    "POST /card/photo/remove":                 (401, 303, 303, 303, 303, 303, 401),
    "GET /card/worker.js":                     ANYBODY,
    "GET /gift":                              (302, 200, 200, 200, 200, 200, 302),
    "POST /gift":                             (401, 400, 400, 400, 400, 400, 401),
    "GET /gift/<token>":                      (410,) * 7,
    "POST /gift/<token>":                     (401, 410, 410, 410, 410, 410, 401),
    "GET /healthz":                            ANYBODY,
    "GET /join":                               (302, 302, 302, 200, 200, 200, 302),
    "POST /join":                              (401, 302, 302, 400, 400, 400, 401),
    "GET /oauth/authorize":                    (400,) * 7,
    "POST /oauth/authorize":                   (401, 400, 400, 400, 400, 400, 401),
    "POST /oauth/introspect":                  (401,) * 7,
    "GET /oauth/jwks":                         ANYBODY,
    "POST /oauth/revoke":                      (401,) * 7,
    "POST /oauth/token":                       (400,) * 7,
    "GET /oauth/userinfo":                     (401,) * 7,
    "POST /oauth/userinfo":                    (401,) * 7,
    "GET /payments/<number>/done":             (302, 200, 404, 404, 404, 404, 302),
    "POST /payments/<number>/cancel":         (401, 409, 404, 404, 404, 404, 401),
    "GET /payments/<number>/transfer":        (302, 302, 404, 404, 404, 404, 302),
    "GET /privacy":                            ANYBODY,
    "POST /radius/v1/accounting":             (401, 401, 401, 401, 401, 401, 403),
    "POST /radius/v1/authorize":              (401, 401, 401, 401, 401, 401, 403),
    "POST /radius/v1/post-auth":              (401, 401, 401, 401, 401, 401, 403),
    "GET /readyz":                             (503,) * 7,
    "GET /reminders/stop/<token>":             (404,) * 7,
    "POST /reminders/stop/<token>":            (404,) * 7,
    "GET /renew":                              (302, 200, 200, 302, 302, 302, 302),
    "POST /renew":                             (401, 400, 400, 302, 302, 302, 401),
    "GET /renew/link/<token>":                (404,) * 7,
    "POST /renew/link/<token>":               (404,) * 7,
    "GET /scan":                               (302, 403, 403, 302, 403, 302, 302),
    "GET /scan/manifest.webmanifest":         ANYBODY,
    "GET /scan/worker.js":                     ANYBODY,
    "GET /scan/facts":                         (401, 403, 403, 404, 403, 404, 401),
    "GET /scan/log":                           (401, 403, 403, 404, 403, 404, 401),
    "GET /scan/pair/<token>":                  (410,) * 7,
    "POST /scan/pair/<token>":                 (410,) * 7,
    "GET /scan/photo/<verification_id>":       (401, 403, 403, 404, 403, 404, 401),
    "POST /scan/redemptions":                  (401, 403, 403, 404, 403, 404, 401),
    "POST /scan/undo":                         (401, 403, 403, 404, 403, 404, 401),
    "POST /scan/uploads":                      (401, 403, 403, 200, 403, 200, 401),
    "POST /scan/verifications":                (401, 403, 403, 200, 403, 200, 401),
    "GET /service":                            (302, 403, 403, 403, 403, 403, 302),
    "GET /sign-in":                            (200, 302, 302, 302, 302, 302, 200),
    "POST /sign-in":                           (400,) * 7,
    "GET /sign-in/<token>":                    (410,) * 7,
    "POST /sign-in/<token>":                   (410,) * 7,
    "GET /sign-in/code":                       (302,) * 7,
    "POST /sign-in/code":                      (400,) * 7,
    "POST /sign-out":                          (401, 303, 303, 303, 303, 303, 401),
    "POST /stripe/webhook":                    (503,) * 7,
    "GET /treasury":                           (302, 403, 403, 403, 200, 403, 302),
    "GET /treasury/payments":                  (302, 403, 403, 403, 200, 403, 302),
    "GET /treasury/payments.csv":              (302, 403, 403, 403, 200, 403, 302),
    "GET /treasury/payments/<number>":         (302, 403, 403, 403, 200, 403, 302),
    "POST /treasury/queue/<int:entry_id>":     (401, 403, 403, 403, 404, 403, 401),
    "GET /treasury/record":                    (302, 403, 403, 403, 200, 200, 302),
    "POST /treasury/record":                   (401, 403, 403, 403, 404, 404, 401),
    "GET /treasury/receipts/<number>.pdf":     (302, 403, 403, 403, 200, 403, 302),
    "POST /treasury/payments/<number>/refund": (401, 403, 403, 403, 303, 403, 401),
    "GET /upgrade":                           (302, 200, 200, 302, 302, 302, 302),
    "POST /upgrade":                          (401, 400, 400, 302, 302, 302, 401),
    "GET /admin/wifi":                         (302, 403, 403, 403, 403, 200, 302),
    "GET /captive-portal":                     ANYBODY,
    "GET /wifi":                               (302, 200, 200, 302, 302, 302, 302),
    "POST /wifi":                              (401, 400, 400, 404, 404, 404, 401),
    "GET /wifi/<credential_id>/carnet.eap-config": (302, 200, 404, 404, 404, 404, 302),
    "GET /wifi/<credential_id>/carnet.mobileconfig": (302, 200, 404, 404, 404, 404, 302),
    "POST /wifi/<credential_id>/revoke":       (401, 303, 404, 404, 404, 404, 401),
    "GET /wifi/<credential_id>/setup/<system>": (302, 200, 404, 404, 404, 404, 302),
    "GET /wifi/authority.pem":                 ANYBODY,
    # Apple’s wallet calls these; here it is not set up. tests/cards/wallets has who may call them where it is.
    f"POST {PASSES}/<serial>":              (404,) * 7,
    f"DELETE {PASSES}/<serial>":            (404,) * 7,
    f"GET {PASSES}":                        (404,) * 7,
    "GET /wallets/apple/v1/passes/<pass_type>/<serial>": (404,) * 7,
    "POST /wallets/apple/v1/log": (404,) * 7,
}  # fmt: skip


def routes(app: Flask) -> set[str]:
    """Every route but the static files, as the matrix names it; HEAD and OPTIONS come with the others."""
    return {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }


@dataclass
class Requests:
    """Fills the addresses with alice's things, and sends what each route is for."""

    app: Flask
    cast: Cast

    def caller(self, name: str) -> Visitor:
        return Visitor(self.app, None if name in ("stranger", "key") else f"{name}@example.org")

    def path(self, route: str, alices_session: int = 0) -> str:
        number = self.cast.alice.member_number if "/admin/" in route else payments_of(self.cast.alice.id)[0].number
        if "/receipts/" in route:
            number = receipts_of(payments_of(self.cast.alice.id)[0].id)[0].number
        filled = route.partition(" ")[2]
        for name, value in (
            ("<number>", number), ("<digits>", "123"), ("<token>", "no-such-token"),
            ("<name>", "receipt"), ("<code>", "basic"), ("<benefit_code>", "wifi"),
            ("<int:entry_id>", "999"), ("<int:photo_id>", "999"),
            ("<desk_id>", str(self.cast.desk.id)), ("<service_id>", str(self.cast.desk.id)),
            ("<key_id>", "999"), ("<account_id>", "999"), ("<device_id>", "999"), ("<connection_id>", "999"),
            ("<verification_id>", "v_none"), ("<redemption_id>", "r_none"),
            ("<int:session_id>", str(alices_session)), ("<system>", "apple"),
            ("<int:endpoint_id>", "999"), ("<int:delivery_id>", "999"),
            ("<credential_id>", self._phone_of_alice() if "<credential_id>" in route else ""),
        ):  # fmt: skip
            filled = filled.replace(name, value)
        return filled

    def send(self, route: str, name: str, token: str | None = "") -> Any:
        """`token` None sends no CSRF token, "" the right one."""
        visitor = self.caller(name)
        session = self._session_of_alice(visitor, name) if "session_id" in route else 0
        headers = {"Authorization": f"Bearer {self.cast.library_key}"} if name == "key" else {}
        method, path = route.partition(" ")[0], self.path(route, session)
        if method == "POST" and route not in EXEMPT and token is not None:
            headers["X-CSRFToken"] = token or visitor.token()
        json = {
            "POST /api/v1/verifications": {"credential": "123"},
            "POST /scan/verifications": {"desk": self.cast.desk.id, "credential": "123", "nonce": name},
            "POST /scan/uploads": {"desk": self.cast.desk.id, "scans": []},
            "POST /scan/redemptions": {"desk": self.cast.desk.id, "nonce": "none"},
            "POST /scan/undo": {"desk": self.cast.desk.id, "nonce": "none", "reason": "left"},
        }.get(route)
        return visitor._send(method, path, headers=headers, **({"json": json} if json else {}))

    def _phone_of_alice(self) -> str:
        found = credentials_of(self.cast.alice.id)
        device = found[0] if found else create_credential(self.cast.alice.id, "Phone", self.cast.now)[0]
        return str(device.id)

    def _session_of_alice(self, visitor: Visitor, name: str) -> int:
        if name != "alice":
            Visitor(self.app, "alice@example.org")
        query = db.session.query(AccountSession.id).filter_by(account_id=self.cast.account("alice").id)
        newest: int = query.order_by(AccountSession.id.desc()).limit(1).scalar()
        return newest
