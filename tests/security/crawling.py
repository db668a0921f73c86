"""Every page, as each kind of visitor comes to see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask

from app import clock
from app.accounts import rules
from app.accounts.service import _new_sign_in
from app.extensions import db
from app.memberships.models import Suspension
from app.payments.checkouts import send_refund
from app.payments.service import payments_of, request_refund
from app.people.service import add_person
from app.services.service import add_service
from tests.cast import Cast, pay
from tests.security.routes import MATRIX, Requests
from tests.verification.asking import live, static
from tests.visitor import Visitor

WHO = (None, "alice", "bob", "carol", "dan", "mallory", "held", "gone", "family", "scanner", "treasurer", "admin")
PEOPLE = [
    ("Alice", "Soler"), ("Bob", "Vidal"), ("Carol", "Prats"), ("Dan", "Riera"), ("Mallory", "Camps"),
    ("Ella", "Pons"), ("Hanna", "Serra"), ("Pau", "Mas"), ("Pol", "Mas"),
]  # fmt: skip


@dataclass(frozen=True)
class Page:
    who: str
    path: str
    html: str


def crawl(app: Flask, cast: Cast, accept_language: str = "en") -> Iterator[Page]:
    """All pages made of HTML, errors and refused forms too; run with rate limits off."""
    gone = add_person("Ella", "Pons", "gone@example.org", cast.now)
    refund = request_refund(pay(gone, cast.basic, cast.today), 3000, "test", cast.now)
    db.session.flush()
    send_refund(refund.id)
    held = add_person("Hanna", "Serra", "held@example.org", cast.now)
    pay(held, cast.basic, cast.today)
    db.session.add(Suspension(person_id=held.id, cause="dispute", from_at=clock.now()))
    family = [add_person(name, "Mas", "family@example.org", cast.now) for name in ("Pau", "Pol")]
    gym, _key = add_service("Gym", ["scan"], cast.sports, cast.now)
    codes = [live(cast.alice), static(cast.alice), live(cast.carol), live(cast.alice).replace("1", "2")]
    _row, link = _new_sign_in("mallory@example.org", "/", "en", clock.now(), rules.LINK_LIFE)
    db.session.commit()
    requests = Requests(app, cast)
    headers = {"Accept-Language": accept_language}
    get = sorted(requests.path(route) for route in MATRIX if route.startswith("GET"))
    more = [
        *(f"/C/{code.rpartition('/')[2]}" for code in codes), "/join?tier=plus", f"/sign-in/{link}", "/nothing",
        f"/scan?desk={gym.id}", f"/scan?desk={cast.desk.id}", "/scan?desk=999", "/treasury/payments?from=x",
        "/treasury/payments?text=alice&state=refunded", "/treasury/payments?page=99", "/admin/people?text=a",
        *(f"/treasury/payments/{payments_of(p.id)[0].number}" for p in (cast.dan, cast.bob, gone)),
        *(f"/admin/people/{p.member_number}" for p in (cast.bob, cast.carol, cast.dan, cast.mallory)),
        *(f"/admin/people/{p.member_number}" for p in (held, gone, *family)),
        *(f"/payments/{payments_of(p.id)[0].number}/done" for p in (cast.bob, cast.carol, cast.dan)),
    ]  # fmt: skip
    for who in WHO:
        visitor = Visitor(app, f"{who}@example.org" if who else None)
        for path in (*get, *more):
            yield from _page(who, path, visitor.get(path, headers=headers))
        token = {"csrf_token": visitor.token()}
        for path, form in (
            ("/join", {}), ("/join", {"given_name": "", "tier": "gold"}), ("/renew", {}), ("/sign-in", {"email": "x"}),
            ("/account/person", {"person": "0"}), ("/sign-in", {"email": "somebody@example.org"}),
            ("/sign-in/code", {"code": ""}), ("/sign-in/code", {"code": "12345678"}),
            (f"/treasury/payments/{payments_of(cast.dan.id)[0].number}/refund", {}),
        ):  # fmt: skip
            response = visitor.post_without_token(path, {**token, **form}, headers=headers)
            yield from _page(who, f"POST {path} {form}", response)
        yield from _page(who, "after asking", visitor.get("/sign-in/code", headers=headers))
        yield from _page(who, "without a token", visitor.post_without_token("/account", headers=headers))


def _page(who: str | None, path: str, response: object) -> Iterator[Page]:
    if response.mimetype == "text/html" and response.status_code // 100 != 3:
        yield Page(who or "stranger", path, response.get_data(as_text=True))
