"""The provider before programs that nobody here wrote: Apache's mod_auth_openidc, and requests-oauthlib."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from flask import Flask
from oauthlib.oauth2 import InvalidGrantError
from requests_oauthlib import OAuth2Session

from app.extensions import db
from app.payments.checkouts import send_refund
from app.payments.refunds import request_refund
from app.payments.service import payments_of
from tests.cast import Cast
from tests.discounts.browser import SECONDS, Browser
from tests.discounts.shop import Shop

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MODULES = Path("/usr/lib/apache2/modules")
CONF = Path(__file__).with_name("apache.conf")


@dataclass
class Apache:
    """A partner's web server with three areas: /members (active), /alumni (grace too), /sports (a benefit)."""

    url: str
    folder: Path
    shop: Shop

    def log(self) -> str:
        return (self.folder / "error.log").read_text(encoding="utf-8")


@pytest.fixture
def apache(live: Flask) -> Iterator[Apache]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    shop = Shop(live, scopes=("membership",), redirect_uris=(f"{url}/members/callback",))
    folder = Path(tempfile.mkdtemp(prefix="carnet-apache-"))  # not in pytest's, which only root may enter
    for area in ("members", "alumni", "sports"):
        (folder / "www" / area).mkdir(parents=True)
        (folder / "www" / area / "index.html").write_text(f"Welcome to {area}", encoding="utf-8")
    user = ""
    if os.geteuid() == 0:
        user = "User www-data\nGroup www-data"
        folder.chmod(0o755)
    conf = folder / "apache.conf"
    filled = CONF.read_text(encoding="utf-8").format(
        folder=folder, port=port, user=user, modules=MODULES, issuer=live.config["BASE_URL"],
        client_id=shop.client_id, secret=shop.secret, passphrase=secrets.token_urlsafe(24),
    )  # fmt: skip
    conf.write_text(filled, encoding="utf-8")
    server = subprocess.Popen(["/usr/sbin/apache2", "-f", str(conf), "-DFOREGROUND"])
    try:
        wait_for(port)
        yield Apache(url, folder, shop)
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(folder)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("Apache did not start")


def test_apache_lets_members_in_and_sends_everybody_else_away(live: Flask, apache: Apache) -> None:
    stranger = requests.get(f"{apache.url}/members/", allow_redirects=False, timeout=SECONDS)
    assert stranger.status_code == 302
    assert stranger.headers["Location"].startswith(f"{live.config['BASE_URL']}/oauth/authorize?")
    assert "code_challenge_method=S256" in stranger.headers["Location"]

    alice = Browser(live, "alice@example.org")
    answer = alice.open(f"{apache.url}/members/")
    assert (answer.status_code, answer.text) == (200, "Welcome to members"), apache.log()
    assert alice.open(f"{apache.url}/sports/").text == "Welcome to sports"

    bob = Browser(live, "bob@example.org")  # in grace
    assert bob.open(f"{apache.url}/members/").status_code == 401
    assert bob.open(f"{apache.url}/alumni/").text == "Welcome to alumni"
    assert bob.open(f"{apache.url}/sports/").status_code == 401  # not in grace

    for who in ("carol", "dan", "mallory"):  # lapsed, refunded, never a member
        browser = Browser(live, f"{who}@example.org")
        assert [browser.open(f"{apache.url}/{area}/").status_code for area in ("members", "alumni")] == [401, 401]


def test_a_refund_closes_the_partners_page_to_who_is_signed_in_there(live: Flask, apache: Apache) -> None:
    alice = Browser(live, "alice@example.org")
    assert alice.open(f"{apache.url}/members/").status_code == 200, apache.log()
    cast = Cast.find("")
    refund = request_refund(payments_of(cast.alice.id)[0], 5000, "test", cast.now)
    db.session.flush()
    send_refund(refund.id)
    db.session.commit()
    deadline = time.monotonic() + 10
    while alice.open(f"{apache.url}/members/").status_code != 401:  # it asks again once a second
        assert time.monotonic() < deadline
        time.sleep(0.3)


def test_a_member_who_does_not_allow_it_stays_outside(live: Flask, apache: Apache) -> None:
    alice = Browser(live, "alice@example.org")
    alice.sign_in()
    page = alice.session.get(f"{apache.url}/members/", timeout=SECONDS)
    assert "What Courses learns" in page.text
    answer = alice.press(page, "reject")
    assert answer.url.startswith(apache.url) and "Welcome" not in answer.text
    assert "access_denied" in answer.url + answer.text


def test_requests_oauthlib_signs_in_with_pkce_and_never_twice_with_one_code(
    live: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # it would rather not talk to loopback
    shop = Shop(live, redirect_uris=("http://127.0.0.1:1/cb",))
    at = requests.get(f"{live.config['BASE_URL']}/.well-known/openid-configuration", timeout=SECONDS).json()
    alice = Browser(live, "alice@example.org")
    alice.sign_in()
    with OAuth2Session(
        shop.client_id, redirect_uri=shop.redirect_uris[0], scope=["openid", "membership"], pkce="S256"
    ) as partner:
        address, _state = partner.authorization_url(at["authorization_endpoint"])
        page = alice.session.get(address, timeout=SECONDS)
        alice.session.max_redirects = 0
        with pytest.raises(requests.TooManyRedirects) as sent_back:
            alice.press(page, "allow")
        response = sent_back.value.response
        assert response is not None
        back = response.headers["Location"]
        assert back.startswith("http://127.0.0.1:1/cb?")
        token = partner.fetch_token(at["token_endpoint"], authorization_response=back, client_secret=shop.secret)
        assert token["expires_in"] == 3600 and token["id_token"]
        said = partner.get(at["userinfo_endpoint"], timeout=SECONDS).json()
        assert (said["membership_status"], said["tier"]) == ("active", "plus")
        with pytest.raises(InvalidGrantError):
            partner.fetch_token(at["token_endpoint"], authorization_response=back, client_secret=shop.secret)
        partner.token = token
        assert partner.get(at["userinfo_endpoint"], timeout=SECONDS).status_code == 401
