"""FreeRADIUS as we ship its configuration lets in whom the books say, with the web application or without.

One server, one site and one PostgreSQL for all tests here; each test has people of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app import create_app
from app.extensions import db
from app.memberships.service import hold_person, release_person
from app.payments.models import Payment
from app.services.service import add_service
from app.wifi import rules
from app.wifi.models import WifiCredential, WifiRefusal, WifiSession
from app.wifi.reading_role import grant_role
from app.wifi.service import create_credential, revoke_credential
from tests.cast import Cast, pay
from tests.databases import PROCESS, Databases, configuration
from tests.visitor import Visitor
from tests.wifi.radius import SECRET, Radius, WebApp, at_once

ROLE = f"freeradius_{PROCESS}"
BAIT = "%{User-Password}"
GIVEN = {"Session-Timeout", "Acct-Interim-Interval"}


@dataclass
class Network:
    """What runs, and each person's device: user name and secret."""

    app: Flask
    web: WebApp
    database: tuple[str, str]
    radius: Radius
    devices: dict[str, tuple[str, str]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def network(
    databases: Databases, instance: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:  # fmt: skip
    url = databases.fresh("postgresql", "radius", with_cast=True)
    app = create_app(configuration(url, instance))
    with app.app_context():
        cast = Cast.find("")
        password = "a-password-for-the-views"  # noqa: S105
        grant_role(ROLE, password)
        _service, key = add_service("Campus Wi-Fi", ["radius"], None, cast.now)
        people = {"alice": cast.alice, "bob": cast.bob, "carol": cast.carol, "dan": cast.dan, "mallory": cast.mallory}
        devices = {}
        for name, person in people.items():
            credential, secret = create_credential(person.id, f"{BAIT} of {name}", cast.now)
            devices[name] = (credential.username, secret)
        lost, secret = create_credential(cast.alice.id, "Lost phone", cast.now)
        devices["alice's lost phone"] = (lost.username, secret)
        revoke_credential(cast.alice.id, lost.id, cast.now, "member")
        db.session.commit()
        server = db.engine.url
        folder = tmp_path_factory.mktemp("radius")
        database = f"host={server.host} port={server.port} dbname={server.database} user={ROLE}"
        views = (f"{database} connect_timeout=2", password)
        web = WebApp(url, instance)
        radius = Radius(folder, web.url, key, *views)
    yield Network(app, web, views, radius, devices)
    radius.stop()
    web.stop()
    with app.app_context():
        db.session.remove()
        db.session.execute(sa.text(f"DROP OWNED BY {ROLE}"))
        db.session.execute(sa.text(f"DROP ROLE {ROLE}"))
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def books(network: Network) -> Iterator[Cast]:
    """The association's books, open."""
    with network.app.app_context():
        yield Cast.find("")
        db.session.remove()


LET_IN = {
    "alice": True, "bob": True, "carol": False, "dan": False, "mallory": False, "alice's lost phone": False,
}  # fmt: skip


def codes(network: Network, method: str, secret: str | None = None) -> dict[str, bool]:
    """Who is let in, all asked at once."""
    ask = getattr(network.radius, method)
    answers = at_once([(ask, name, secret or own) for name, own in network.devices.values()])
    assert {it.code for it in answers} <= {"Access-Accept", "Access-Reject"}
    return {who: it.code == "Access-Accept" for who, it in zip(network.devices, answers, strict=True)}


def test_active_and_grace_are_let_in_lapsed_refunded_strangers_and_revoked_are_not(network: Network) -> None:
    assert codes(network, "pap") == LET_IN


def test_the_same_within_the_tunnel_of_eap_ttls(network: Network) -> None:
    assert codes(network, "ttls") == LET_IN


def test_a_wrong_secret_opens_nothing(network: Network) -> None:
    assert not any(codes(network, "pap", "wrong-secret").values())
    assert network.radius.ttls(network.devices["alice"][0], "wrong-secret").code == "Access-Reject"


def test_a_phone_talks_to_no_server_of_another_authority_or_name(network: Network) -> None:
    name, secret = network.devices["alice"]
    ask = network.radius.ttls
    answers = at_once(
        [(ask, name, secret, "other_ca.pem"), (ask, name, secret, "ca.pem", "radius.somewhere-else.test")]
    )
    assert "Access-Accept" not in {it.code for it in answers}


def test_other_ways_than_pap_within_ttls_are_refused(network: Network) -> None:
    name, secret = network.devices["alice"]
    ask, authority, server = network.radius.ttls, "ca.pem", "radius.alumni.test"
    answers = at_once(
        [
            (ask, name, secret, authority, server, "auth=MSCHAPV2", "PEAP"),
            (ask, name, secret, authority, server, "auth=MSCHAPV2"),
            (ask, name, secret, authority, server, "autheap=MD5"),
            (ask, name, secret, authority, server, "autheap=GTC"),
        ]
    )
    assert {it.code for it in answers} <= {"Access-Reject", "none"}


def test_an_acceptance_says_how_long_and_whose_and_a_refusal_says_nothing(network: Network) -> None:
    (name, secret), (lapsed, other) = network.devices["alice"], network.devices["carol"]
    ask = network.radius
    bare, tunnelled, refused = at_once(
        [(ask.pap, name, secret), (ask.ttls, f"{name}@alumni.test", secret), (ask.pap, lapsed, other)]
    )
    assert set(bare.attributes) == GIVEN and bare.attributes["Session-Timeout"] == "28800"
    assert tunnelled.attributes["User-Name"] == f"{name}@alumni.test"
    assert tunnelled.attributes["Session-Timeout"] == "28800"
    assert refused.attributes == {}


def test_what_a_member_controls_is_never_expanded(network: Network, books: Cast) -> None:
    """The labels of all devices here are bait as well, and the family name of this member."""
    secret = "fish-on-the-hook"  # noqa: S105
    books.alice.family_name = BAIT
    baited = WifiCredential(
        person_id=books.alice.id, slot=5, label=BAIT, username=BAIT.lower(), created_at=books.now,
        ssha2_256=rules.ssha2_256(secret, bytes(16)),
    )  # fmt: skip
    db.session.add(baited)
    db.session.commit()
    ask = network.radius
    inside, bare, *others = at_once(
        [
            (ask.ttls, BAIT, secret), (ask.pap, BAIT, secret), (ask.ttls, BAIT, "another-fish"),
            (ask.pap, f"x{BAIT}", secret), (ask.pap, f"{BAIT}@{BAIT}", "another-fish"),
            (ask.ttls, f"%{{sql:SELECT 1}}{BAIT}", secret), (ask.pap, "`id`'\\\\", secret),
        ]
    )  # fmt: skip
    assert (inside.code, inside.attributes["User-Name"]) == ("Access-Accept", BAIT)
    assert bare.code == "Access-Accept" and set(bare.attributes) == GIVEN
    assert {it.code for it in others} == {"Access-Reject"}
    for it in (inside, bare, *others):
        assert not any("fish" in value for value in it.attributes.values())
    ask.account(Acct_Status_Type="Start", User_Name=BAIT, Acct_Session_Id=BAIT, NAS_Identifier=BAIT)
    (session,) = db.session.scalars(sa.select(WifiSession).where(WifiSession.credential_id == baited.id))
    assert session.session_ref == BAIT
    assert "fish" not in network.radius.log.read_text(encoding="utf-8")
    db.session.delete(session)
    db.session.execute(sa.delete(WifiRefusal).where(WifiRefusal.credential_id == baited.id))
    db.session.delete(baited)
    db.session.commit()


def test_a_refund_in_the_web_application_is_a_refusal_at_the_next_sign_in(network: Network, books: Cast) -> None:
    payment = pay(books.mallory, books.basic, books.today)
    db.session.commit()
    name, secret = network.devices["mallory"]
    assert network.radius.ttls(name, secret).code == "Access-Accept"
    treasurer = Visitor(network.app, "treasurer@example.org")
    number = db.session.get_one(Payment, payment.id).number
    assert treasurer.post(f"/treasury/payments/{number}/refund").status_code == 303
    assert network.radius.ttls(name, secret).code == "Access-Reject"


def test_with_the_web_application_stopped_the_same_members_are_let_in(network: Network, books: Cast) -> None:
    hold_person(books.bob, "test", "test", books.now)
    db.session.commit()
    assert network.radius.pap(*network.devices["bob"]).code == "Access-Reject"
    with network.web.stopped():
        assert codes(network, "pap") == LET_IN | {"bob": False}
        release_person(books.bob, "test", books.now)
        db.session.commit()
        assert codes(network, "ttls") == LET_IN
        ask = network.radius
        alice, bait = at_once([(ask.ttls, *network.devices["alice"]), (ask.pap, BAIT, "fish")])
        assert alice.attributes["Session-Timeout"] == "28800"
        assert bait.code == "Access-Reject" and bait.attributes == {}


@pytest.mark.parametrize("key", ["withdrawn", "of another service"])
def test_a_key_that_is_not_ours_any_more_keeps_nobody_out(
    network: Network, databases: Databases, tmp_path: Path, key: str
) -> None:
    other = databases.library_key("postgresql") if key == "of another service" else "carnet_withdrawn"
    radius = Radius(tmp_path, network.web.url, other, *network.database)
    try:
        answers = at_once([(radius.pap, *network.devices[who]) for who in ("alice", "carol")])
        assert [it.code for it in answers] == ["Access-Accept", "Access-Reject"]
    finally:
        radius.stop()


def test_no_secret_stands_in_the_servers_log(network: Network) -> None:
    name, secret = network.devices["alice"]
    network.radius.pap(name, secret)
    log = network.radius.log.read_text(encoding="utf-8")
    settings = (network.radius.folder / "settings.conf").read_text(encoding="utf-8")
    assert "Ready to process requests" in log
    for hidden in (secret, SECRET, network.database[1], settings.split('carnet_key = "')[1].split('"')[0]):
        assert len(hidden) > 10 and hidden not in log


def test_a_session_told_of_twice_is_one_session(network: Network, books: Cast) -> None:
    name, _secret = network.devices["alice"]
    about = {"User_Name": f"{name}@alumni.test", "Acct_Session_Id": "0af3", "NAS_IP_Address": "192.0.2.10"}
    counted = {"Acct_Session_Time": "60", "Acct_Input_Octets": "1000", "Acct_Output_Octets": "5",
               "Acct_Output_Gigawords": "1"}  # fmt: skip
    for _ in range(2):
        assert network.radius.account(Acct_Status_Type="Start", **about).code == "Accounting-Response"
    (session,) = db.session.scalars(sa.select(WifiSession))
    assert (session.controller, session.session_ref, session.stopped_at) == ("192.0.2.10", "0af3", None)
    db.session.rollback()
    for _ in range(2):
        stop = network.radius.account(
            Acct_Status_Type="Stop", Acct_Terminate_Cause="User-Request", Calling_Station_Id="02-00-00-00-00-01",
            **about, **counted,
        )  # fmt: skip
        assert stop.code == "Accounting-Response"
    (session,) = db.session.scalars(sa.select(WifiSession))
    db.session.refresh(session)
    assert (session.octets_sent, session.octets_received, session.cause) == (1000, 2**32 + 5, "User-Request")
    assert session.stopped_at is not None and session.controller is None
    assert network.radius.account(Acct_Status_Type="Start", User_Name="anonymous").code == "Accounting-Response"
    assert db.session.scalar(sa.select(sa.func.count()).select_from(WifiSession)) == 1


def test_refusals_are_written_down_with_their_reason(network: Network, books: Cast) -> None:
    db.session.execute(sa.delete(WifiRefusal))
    db.session.commit()
    name, _secret = network.devices["alice"]
    ask = network.radius
    at_once([(ask.pap, name, "wrong"), (ask.ttls, *network.devices["carol"]), (ask.ttls, "nobody", "wrong")])
    found = db.session.scalars(sa.select(WifiRefusal.reason)).all()
    assert sorted(found) == ["lapsed", "unknown_device", "wrong_secret"]
