"""Every page of members, treasurer and administrator in a real browser: what axe finds, and what lies under what.

`make test` asks a member's own pages and every fourteenth of the others, at a phone's width; with LONG=1
(`make test-long`) all of them, at every width in both lights.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from app import clock
from app.accounts import rules
from app.accounts.service import _new_sign_in
from app.extensions import db
from tests.cast import Cast
from tests.journeys.conftest import CHROMIUM, QUIET
from tests.security.crawling import make_pages

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
Look = tuple[Literal["light", "dark"], int]
EVERYWHERE: list[Look] = [(light, width) for width in (320, 390, 1280) for light in ("light", "dark")]
USUALLY: list[Look] = [("light", 390)]
IS_LONG = os.environ.get("LONG") == "1"
OFFICE = {"/treasury": "treasurer", "/admin": "admin"}
ELSEWHERE = ("/scan", "/card/", "/nothing")  # the scanner and the card's own files have tests of their own
MEMBERS = ("alice", "bob", "carol", "dan", "mallory", "held", "gone")
OWN = (
    "/", "/card", "/benefits", "/wifi", "/account", "/account/why", "/account/payments", "/renew", "/join", "/upgrade",
    "/gift",
)  # fmt: skip
ASK = """async (rules) => {
  const how = { runOnly: { type: "tag", values: rules }, resultTypes: ["violations"] };
  const { violations } = await axe.run(document, how);
  return violations.flatMap((it) => it.nodes.map((node) => `${it.id}: ${node.target} ${node.html.slice(0, 120)}`));
}"""
# Brought into view by the keyboard, is the middle of it there to be seen, or does something lie upon it?
COVERED = """() => {
  const it = document.activeElement, box = it.getBoundingClientRect();
  if (it === document.body || !box.width) return null;
  const seen = (y) => {
    const top = document.elementFromPoint(box.left + box.width / 2, y);
    return top && (it.contains(top) || top.contains(it) || (it.labels && [...it.labels].some((l) => l.contains(top))));
  };
  return seen(box.top + box.height / 2) && (box.height > innerHeight / 2 || (seen(box.top + 2) && seen(box.bottom - 2)))
    ? null : it.outerHTML.slice(0, 120);
}"""


# A page that waits for the bank loads itself again: not while it is looked at here.
STAND_STILL = "{ const wait = setTimeout; window.setTimeout = (what, ms) => ms > 1500 ? 0 : wait(what, ms); }"


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        pass


@pytest.fixture
def site(make_app: Callable[..., Flask], unlimited: None) -> Iterator[tuple[Flask, str]]:
    """The application behind a web server of its own, with the cast in it."""
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True, request_handler=Quiet)
    url = f"http://127.0.0.1:{server.server_port}"
    app = server.app = make_app(BASE_URL=url)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield app, url
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


def signed_in(app: Flask, url: str, browser: Browser, who: str, **look: object) -> Page:
    with app.app_context():
        _row, token = _new_sign_in(f"{who}@example.org", "/", "en", clock.now(), rules.LINK_LIFE)
        db.session.commit()
    page = browser.new_context(reduced_motion="reduce", **look).new_page()  # no colour half way to another
    page.add_init_script(STAND_STILL)
    page.goto(f"{url}/sign-in/{token}")
    page.locator("main form button").first.click()
    page.wait_for_load_state()
    return page


def faults_of(page: Page, where: str) -> list[str]:
    """What axe finds in each light at each width, and what makes the page scroll sideways.

    The window is as tall as the page: what the bar of tabs covers for a moment is not what a finger meets.
    """
    found = []
    page.evaluate(Axe().axe_script)
    for light, width in EVERYWHERE if IS_LONG else USUALLY:
        page.emulate_media(color_scheme=light)
        page.set_viewport_size({"width": width, "height": 800})
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": min(height + 100, 12_000)})
        found += [f"{where} {light} {width}: {it}" for it in page.evaluate(ASK, RULES)]
        if not page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"):
            found.append(f"{where} {width}: scrolls sideways")
    return found


def test_axe_finds_nothing_on_any_page_in_any_light_at_any_width(site: tuple[Flask, str], browser: Browser) -> None:
    app, url = site
    with app.app_context():
        cast = Cast.assemble()
        paths = list(dict.fromkeys(make_pages(app, cast).addresses))[:: 1 if IS_LONG else 14]
    to_see = [(who, path) for who in MEMBERS for path in (OWN if IS_LONG or who == "alice" else OWN[:1])]
    to_see += [
        (next((who for start, who in OFFICE.items() if path.startswith(start)), "alice"), path)
        for path in paths
        if path not in OWN and not path.startswith(ELSEWHERE)
    ]
    faults, seen = [], set()
    for who in dict.fromkeys(who for who, _path in to_see):
        page = signed_in(app, url, browser, who)
        for path in [path for one, path in to_see if one == who]:
            if "text/html" not in page.request.head(url + path).headers.get("content-type", ""):
                continue
            page.goto(url + path)
            if (who, page.url) not in seen:
                seen.add((who, page.url))
                faults += faults_of(page, f"{who} {path}")
        page.context.close()
    assert len(seen) > (80 if IS_LONG else 12)
    assert faults == [], "\n".join(faults)


@pytest.mark.parametrize("width", [320, 390])
def test_what_the_keyboard_reaches_is_not_under_the_bar_of_tabs(
    site: tuple[Flask, str], browser: Browser, width: int
) -> None:
    app, url = site
    with app.app_context():
        Cast.assemble()
    page = signed_in(app, url, browser, "alice", viewport={"width": width, "height": 568})
    covered = []
    for path in ("/", "/account", "/account/why", "/account/payments"):
        page.goto(url + path)
        for _ in range(60):
            page.keyboard.press("Tab")
            covered += [f"{path}: {it}" for it in [page.evaluate(COVERED)] if it]
            if page.evaluate("document.activeElement === document.body"):
                break
    assert covered == [], "\n".join(dict.fromkeys(covered))
