"""Every page, as each kind of visitor comes to see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Flask

from app import clock
from app.accounts import rules
from app.accounts.service import _new_sign_in
from app.association import get_association
from app.benefits.codes import draw_code
from app.benefits.redeeming import redeem, reserve
from app.benefits.service import add_benefit, change_benefit, close_benefit, set_partner
from app.cards.photos import upload_photo
from app.extensions import db
from app.memberships import renewal_links
from app.memberships.models import Suspension
from app.memberships.service import add_tier, close_tier, set_price, terms_of
from app.payments.checkouts import send_refund
from app.payments.discrepancies import note_discrepancy
from app.payments.refunds import request_refund
from app.payments.renewing import switch_on
from app.payments.service import GiftTo, Wanted, outcome_path, payments_of
from app.payments.transfers import order_transfer
from app.people.models import Person
from app.people.service import add_person
from app.services.at_desk import AtDesk
from app.services.delivering import Outcome
from app.services.desks import add_device, pair_device
from app.services.hook_log import claim, note
from app.services.hook_messages import News, tell
from app.services.hooks import EVENTS, add_endpoint, rotate_secret
from app.services.models import Service
from app.services.service import add_service
from app.treasury.words import reasons
from app.verification.rules import OFFLINE
from app.verification.service import verify
from app.verification.undoing import undo_scan
from app.verification.uploads import take_scans
from tests.cards.pictures import a_picture
from tests.cast import Cast, pay
from tests.payments.bought import pay as pay_online
from tests.security.routes import MATRIX, Requests
from tests.verification.asking import live, static
from tests.verification.desk import alone
from tests.visitor import Visitor

WHO = (None, "alice", "bob", "carol", "dan", "mallory", "held", "gone", "family", "scanner", "treasurer", "admin")
PEOPLE = [
    ("Alice", "Soler"), ("Bob", "Vidal"), ("Carol", "Prats"), ("Dan", "Riera"), ("Mallory", "Camps"),
    ("Ella", "Pons"), ("Hanna", "Serra"), ("Pau", "Mas"), ("Pol", "Mas"),
]  # fmt: skip


REASONS = ("gone", "timeout", "no_such_name", "tls", "unreachable", "forbidden", "bad_answer")  # of a webhook not taken


@dataclass(frozen=True)
class Page:
    who: str
    path: str
    html: str


def crawl(app: Flask, cast: Cast, accept_language: str = "en") -> Iterator[Page]:
    """All pages made of HTML, errors and refused forms too; run with rate limits off."""
    made = make_pages(app, cast)
    headers = {"Accept-Language": accept_language}
    for who in WHO:
        visitor = Visitor(app, f"{who}@example.org" if who else None)
        for path in made.addresses:
            yield from _page(who, path, visitor.get(path, headers=headers))
        token = {"csrf_token": visitor.token()}
        for path, form in made.refused:
            response = visitor.post_without_token(path, {**token, **form}, headers=headers)
            yield from _page(who, f"POST {path} {form}", response)
        for path, form in made.refused_by_the_office if who == "admin" else []:
            response = visitor.post_without_token(path, {**token, **form}, headers=headers)
            assert response.status_code // 100 == 4, (path, form)
            yield from _page(who, f"POST {path} {form}", response)
        yield from _page(who, "after asking", visitor.get("/sign-in/code", headers=headers))
        yield from _page(who, "without a token", visitor.post_without_token("/account", headers=headers))


@dataclass(frozen=True)
class Pages:
    """Addresses to open, and forms that are refused: (address, fields)."""

    addresses: list[str]
    refused: list[tuple[str, dict[str, str]]]
    refused_by_the_office: list[tuple[str, dict[str, str]]]


def make_pages(app: Flask, cast: Cast) -> Pages:
    """Something to see on every page: people in each state, a full queue, gifts, orders, tiers old and new."""
    gone = add_person("Ella", "Pons", "gone@example.org", cast.now)
    refund = request_refund(pay(gone, cast.basic, cast.today), 3000, "test", cast.now)
    db.session.flush()
    send_refund(refund.id)
    held = add_person("Hanna", "Serra", "held@example.org", cast.now)
    pay(held, cast.basic, cast.today)
    db.session.add(Suspension(person_id=held.id, cause="test", from_at=clock.now()))
    for reason in reasons():
        payment = None if reason == "unknown_payment" else payments_of(held.id)[0]
        note_discrepancy(reason, "P-2026-000001", payment, 3000, "EUR", clock.now())
    more_of_members = _members_pages(cast)
    refused_by_the_office = _refused_by_the_office(cast, held)
    family = [add_person(name, "Mas", "family@example.org", cast.now) for name in ("Pau", "Pol")]
    gym, _key = add_service("Gym", ["scan"], cast.sports, cast.now)
    more_of_members += _desk_pages(cast, gym)
    more_of_members += _webhook_pages(cast)
    more_of_members += _benefit_pages(cast, gym)
    codes = [live(cast.alice), static(cast.alice), live(cast.carol), live(cast.alice).replace("1", "2")]
    _row, link = _new_sign_in("mallory@example.org", "/", "en", clock.now(), rules.LINK_LIFE)
    for _shown_and_waiting in range(2):
        upload_photo(cast.bob.id, a_picture(), 50, cast.now)
    db.session.commit()
    requests = Requests(app, cast)
    get = sorted(requests.path(route) for route in MATRIX if route.startswith("GET"))
    get = [path for path in get if not path.endswith("/letter")]  # a mail styles itself: see tests/portal
    more = [
        *(f"/C/{code.rpartition('/')[2]}" for code in codes), "/join?tier=plus", f"/sign-in/{link}", "/nothing",
        f"/scan?desk={gym.id}", f"/scan?desk={cast.desk.id}", "/scan?desk=999", "/treasury/payments?from=x",
        "/treasury/payments?text=alice&state=refunded", "/treasury/payments?page=99", "/admin/people?text=a",
        *(f"/treasury/payments/{payments_of(p.id)[0].number}" for p in (cast.dan, cast.bob, gone)),
        *(f"/admin/people/{p.member_number}" for p in (cast.bob, cast.carol, cast.dan, cast.mallory)),
        *(f"/admin/people/{p.member_number}" for p in (held, gone, *family)),
        *(f"/admin/people/{p.member_number}/card" for p in (cast.bob, cast.mallory)),
        f"/treasury/payments/{payments_of(held.id)[0].number}", "/treasury/record?text=a", "/treasury/record?text=RF1",
        f"/treasury/record?person={held.member_number}", "/treasury?needs=mismatch", "/treasury/payments?state=open",
        f"/admin/people/{cast.alice.member_number}?as_of=2020-01-01", f"/admin/people/{cast.bob.member_number}?as_of=x",
        *(f"/payments/{payments_of(p.id)[0].number}/done" for p in (cast.bob, cast.carol, cast.dan)),
        *more_of_members,
    ]  # fmt: skip
    refused = [
        ("/join", {}), ("/join", {"given_name": "", "tier": "gold"}), ("/renew", {}), ("/sign-in", {"email": "x"}),
        ("/account/person", {"person": "0"}), ("/sign-in", {"email": "somebody@example.org"}),
        ("/benefits/question/code", {}), ("/benefits/answer/code", {}),
        ("/sign-in/code", {"code": ""}), ("/sign-in/code", {"code": "12345678"}),
        (f"/treasury/payments/{payments_of(cast.dan.id)[0].number}/refund", {}),
        (f"/treasury/record?person={held.member_number}", {}), ("/treasury/queue/1", {"resolution": "noted"}),
        (f"/admin/people/{held.member_number}/hold", {}), (f"/admin/people/{held.member_number}/grant", {}),
        ("/admin/association", {}), ("/admin/association", {"iban": "x"}), ("/admin/tiers", {}),
        ("/admin/tiers/basic/prices", {}), ("/admin/tiers/basic/close", {}),
        ("/gift", {}), ("/gift", {"tier": "gold", "recipient_email": "x"}), ("/upgrade", {"tier": "gold"}),
        ("/join", {"tier": "basic", "method": "transfer", "auto_renewal": "y"}),
    ]  # fmt: skip
    return Pages([*get, *more], refused, refused_by_the_office)


def _members_pages(cast: Cast) -> list[str]:
    """Carol gives Bob a year, Mallory has ordered a transfer, Alice renews by itself: the addresses of what follows."""
    get_association().iban = "ES9121000418450200051332"
    given = pay_online(cast.carol, Wanted(cast.basic.id, gift=GiftTo("bob@example.org", "Bob Vidal", "Answer")))
    order = order_transfer(cast.mallory, Wanted(cast.basic.id), "test", "en", cast.now, cast.today)
    switch_on(cast.alice.id, "cus_1", "pm_1", "en", None, cast.now)
    links = {who: renewal_links.make("renew", who.id, cast.now) for who in (cast.alice, cast.bob, cast.carol, cast.dan)}
    return [
        f"/gift/{renewal_links.make('gift', given.id, cast.now)}", f"/payments/{order.number}/transfer",
        *(f"/renew/link/{link}" for link in links.values()), outcome_path(given), outcome_path(order),
        outcome_path(payments_of(cast.bob.id)[0]), outcome_path(payments_of(cast.dan.id)[0]),
        f"/auto-renewal/off/{renewal_links.make('off', cast.alice.id, cast.now)}",
        f"/auto-renewal/off/{renewal_links.make('off', cast.bob.id, cast.now)}", "/gift?tier=plus",
        "/account/why?as_of=2020-01-01", "/account/why?as_of=x", f"/account/payments/{given.number}/withdraw",
    ]  # fmt: skip


def _refused_by_the_office(cast: Cast, held: Person) -> list[tuple[str, dict[str, str]]]:
    """What the administrator may type that the rules refuse: every sentence of theirs that a page can show."""
    today, day = cast.today, timedelta(days=1)
    veteran = add_tier("veteran", "Veteran", 2000, cast.now, needs_document=True)
    junior = add_tier("junior", "Junior", 1000, cast.now)
    set_price(veteran, 2500, today, cast.now, today)
    close_tier(veteran, today, None, cast.now, today)
    close_tier(junior, today + 10 * day, cast.basic, cast.now, today)
    tier = {
        "code": "new", "name": "New", "fee": "10.00", "months": "12", "grace_days": "30", "fixed_start": "",
        "bonus_days": "0", "condition": "", "graduated_within": "", "reminders": "", "vat_code": "exempt",
    }  # fmt: skip
    wrong: list[dict[str, str]] = [
        {"code": "x!"}, {"code": "basic"}, {"name": "\0"}, {"fee": "0"}, {"fee": "x"}, {"fixed_start": "02-29"},
        {"bonus_days": "5"}, {"condition": "graduated_within"}, {"reminders": "x"}, {"reminders": "-400"},
    ]  # fmt: skip
    price = {"fee": "10.00", "from_on": today.isoformat()}
    grant = {
        "grant-tier": "basic", "grant-length": "until", "grant-because": "x",
        "grant-seen": str(terms_of(held.id)[-1].id),
    }  # fmt: skip
    record = f"/admin/people/{held.member_number}"
    return [
        *(("/admin/tiers", {**tier, **it}) for it in wrong), *_refused_benefits(today),
        ("/admin/tiers/veteran/prices", price), ("/admin/tiers/basic/prices", {**price, "fee": "0"}),
        ("/admin/tiers/basic/prices", {**price, "from_on": (today - day).isoformat()}),
        ("/admin/tiers/basic/close", {"on": (today - day).isoformat(), "successor": ""}),
        ("/admin/tiers/basic/close", {"on": (today + 20 * day).isoformat(), "successor": "junior"}),
        ("/admin/tiers/plus/close", {"on": (today + 20 * day).isoformat(), "successor": "junior"}),
        ("/admin/tiers/veteran/close", {"on": (today + day).isoformat(), "successor": ""}),
        ("/admin/tiers/x/close", {}), (f"{record}/grant", {**grant, "grant-until": today.isoformat()}),
        (f"{record}/grant", {**grant, "grant-until": "9000-01-01"}), (f"{record}/grant", {**grant, "grant-seen": "0"}),
        (f"{record}/grant", {**grant, "grant-length": "months"}),
        (f"{record}/document", {"document-tier": "veteran", "document-until": (today - day).isoformat()}),
    ]  # fmt: skip


def _webhook_pages(cast: Cast) -> list[str]:
    """One that fails with every reason there is, one that is disabled and waits, each with two secrets or one."""
    now, paths = clock.now(), []
    for because in ("failing", "gone", "administrator", None):
        endpoint, _secret = add_endpoint(cast.library.id, "http://127.0.0.1:9/", EVENTS, now)
        for sequence, kind in enumerate(EVENTS):
            tell([News(cast.library.id, cast.alice.id, 10 * endpoint.id + sequence, kind, {})], now)
        claimed = claim(endpoint.id, now)
        assert claimed is not None
        for reason, status in (*((reason, None) for reason in REASONS), ("status", 500), ("redirect", 307)):
            note(claimed, Outcome(reason, status, 12, "1234"), now)
        if because is None:
            rotate_secret(endpoint, now)
            endpoint.disabled_at = endpoint.disabled_because = None
        else:
            endpoint.disabled_at, endpoint.disabled_because = now, because
        paths += [f"/admin/webhooks/{endpoint.id}", f"/admin/webhooks/{endpoint.id}?state=failed"]
    return paths


def _desk_pages(cast: Cast, gym: Service) -> list[str]:
    """A tablet to be paired, one that scans, scans to look at for every cause, one code at two desks."""
    _waiting, link = add_device(gym, "Answer", clock.now())
    _paired, token = add_device(gym, "Question", clock.now())
    device, _kept = pair_device(token, clock.now())
    late = {"at": clock.now().isoformat(), "reason": "left"}
    long_ago = clock.now() - timedelta(days=2)
    scans = [
        alone(static(cast.alice), "a"), alone(static(cast.alice), "b", reason="revoked"),
        alone("x", "c", clock.now() + timedelta(days=1), reason="forged", list_issued_at=None),
        alone("x", "d", long_ago, reason="forged", undone=late, clock_skew_ms=9000),
        *(alone(live(cast.alice), reason, reason=reason) for reason in OFFLINE),
    ]  # fmt: skip
    for ended in (None, "expired", "revoked"):
        take_scans(AtDesk(gym, None, device, ended), scans, clock.now())
        scans = [{**scan, "nonce": f"{scan['nonce']} {ended}"} for scan in scans[:2]]
    verify(cast.desk, live(cast.alice), None, "online", None, clock.now(), clock.today())
    undo_scan(AtDesk(cast.desk, None, device, None), "online", "wrong_person", clock.now())
    return [f"/scan/pair/{link}", f"/admin/desks/{gym.id}", "/admin/scans?page=1", "/account/checks?page=1"]


def _refused_benefits(today: date) -> list[tuple[str, dict[str, str]]]:
    benefit = {"code": "new", "name": "Answer", "kind": "campus", "limit_period": "day", "in_grace": "y"}
    soon = (today + timedelta(days=9)).isoformat()
    wrong: list[dict[str, str]] = [
        {"name": ""}, {"code": "x!"}, {"code": "x"}, {"value": "x"}, {"cost": "0"}, {"limit_count": "0"},
        {"discount_percent": "101"}, {"discount_percent": "5", "discount": "5"},
        {"available_from": soon, "available_until": today.isoformat()},
    ]  # fmt: skip
    changes = (("/admin/benefits/sports", {**benefit, "value": "x"}), ("/admin/benefits/sports", {}))
    return [*(("/admin/benefits", {**benefit, **it}) for it in wrong), *changes]


def _benefit_pages(cast: Cast, gym: Service) -> list[str]:
    """Benefits with every kind of limit: used, used up, put aside, with a code drawn, to come and closed."""
    now, today, both = clock.now(), clock.today(), [cast.basic, cast.plus]
    change_benefit(cast.sports, now, limit_count=1, limit_period="day", value_cents=600, cost_cents=100)
    answer = add_benefit(
        "answer", "Answer", both, True, now, limit_count=3, limit_period="month", discount_percent=20, by_code=True,
        kind="partner", description="Question",
    )  # fmt: skip
    set_partner(answer, gym.id, now)
    question = add_benefit(
        "question", "Question", both, False, now, limit_count=1, limit_period="term", discount_cents=6000, by_code=True
    )
    add_benefit("problem", "Problem", both, True, now, available_from=today + timedelta(days=9))
    close_benefit(add_benefit("x", "Library", both, True, now), now)
    draw_code(answer, cast.alice.id, now, today)
    reserve(answer, cast.alice.id, gym.id, now, today)
    for used in (cast.sports, question):
        redeem(used, cast.alice.id, gym.id, now, today, verification_id=used.code)
    return ["/admin/benefits?days=30", *(f"/admin/benefits/{code}" for code in ("sports", "answer", "x"))]


def _page(who: str | None, path: str, response: object) -> Iterator[Page]:
    if response.mimetype == "text/html" and response.status_code // 100 != 3:
        yield Page(who or "stranger", path, response.get_data(as_text=True))
