"""The card on a phone without signal, in a real browser: what it keeps, until when, and for whom alone."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from app import clock, create_app
from app.accounts import rules
from app.accounts.service import _new_sign_in
from app.cards import service as cards
from app.cards.models import Card
from app.cards.photos import photo_of, upload_photo
from app.extensions import db, limiter
from tests.browser.door import CHROMIUM, PHONE, QUIET, Signal, serve
from tests.cards.pictures import a_picture
from tests.cards.test_qr import draw
from tests.cast import Cast
from tests.databases import Databases, configuration

MADRID = ZoneInfo("Europe/Madrid")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SIZES: tuple[tuple[int, int, Literal["light", "dark"]], ...] = (
    (360, 740, "dark"), (390, 844, "light"), (820, 1180, "dark"),
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("site")


@dataclass
class Site:
    """The application behind a socket, and the people on it."""

    app: Flask
    url: str
    ids: dict[str, int]
    signal: Signal

    def number(self, who: str) -> str:
        return f"M-{self.ids[who]:06d}"


@pytest.fixture(scope="module")
def site(databases: Databases, instance: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    address, mail = databases.fresh("sqlite", "card", with_cast=True), tmp_path_factory.mktemp("mail").as_uri()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limiter, "enabled", False)
        app = create_app(configuration(address, instance, MAIL_URL=mail))
        with app.app_context():
            cast = Cast.find(databases.library_key("sqlite"))
            ids = {who: getattr(cast, who).id for who in ("alice", "bob")}
        with serve(app) as (url, signal):
            yield Site(app, url, ids, signal)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        expect.set_options(timeout=15_000)  # a machine that does other things meanwhile
        yield browser
        expect.set_options(timeout=5_000)
        browser.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=PHONE, timezone_id="Europe/Madrid", reduced_motion="reduce")
    yield context
    context.close()


@contextmanager
def on(site: Site) -> Iterator[None]:
    """Beside the site's own requests, in the same database."""
    with site.app.app_context():
        yield
        db.session.remove()


def sign_in(site: Site, page: Page, who: str, then: str = "/card") -> None:
    with on(site):
        _row, token = _new_sign_in(f"{who}@example.org", then, "en", clock.now(), rules.LINK_LIFE)
        db.session.commit()
    page.goto(f"{site.url}/sign-in/{token}")
    page.locator("main form button").first.click()


def sign_in_page(site: Site, page: Page, who: str) -> None:
    """Signed in, and on a page that keeps no card."""
    sign_in(site, page, who, "/privacy")
    expect(page).to_have_url(f"{site.url}/privacy")


def card_page(site: Site, context: BrowserContext, who: str = "alice") -> Page:
    """Somebody's card, opened with signal, and everything kept that is to be kept."""
    page = context.new_page()
    sign_in(site, page, who)
    expect(page.locator("#kept-until")).not_to_be_empty()
    wait_until_kept(page)
    return page


def wait_until_kept(page: Page) -> None:
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    for _ in range(100):
        if page.evaluate("caches.match('/card/kept').then((page) => Boolean(page))"):
            return
        page.wait_for_timeout(50)
    raise AssertionError("the page was not kept")


def without_signal(context: BrowserContext) -> Page:
    """The phone opened anew where there is no signal."""
    context.set_offline(True)
    for page in context.pages:
        page.close()
    return context.new_page()


def code_on(page: Page) -> str:
    """What a scanner reads from the screen."""
    svg = page.locator("#card-code svg.qr").evaluate("svg => svg.outerHTML").replace("></path>", "/>")
    (found,) = zxingcpp.read_barcodes(draw(svg)[0])
    text: str = found.text
    return text


def judge(site: Site, code: str, at: datetime) -> tuple[str, str | None]:
    """What a desk with signal would say at an instant, and of whom."""
    with on(site):
        read = cards.read_card(code, at, clock.day_of(at))
        return read.reason, read.card.person.given_name if read.card else None


def in_madrid(instant: datetime) -> str:
    return f"{instant.astimezone(MADRID):%H:%M}"


def about(instant: datetime) -> list[str]:
    """The end of a batch is that of a half minute."""
    return [in_madrid(instant - timedelta(seconds=seconds)) for seconds in range(0, 121, 30)]


def what_is_kept(page: Page) -> dict[str, object]:
    return page.evaluate(
        """async () => ({
          databases: (await indexedDB.databases()).map((one) => one.name),
          page: Boolean(await caches.match("/card/kept")),
          mark: localStorage.getItem("card-holder"),
        })"""
    )


NOTHING = {"databases": [], "page": False, "mark": None}


def check(page: Page) -> None:
    page.evaluate("scrollTo(0, document.body.scrollHeight)")  # above the tabs, which stick to the screen's edge
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url


def until(page: Page, expression: str) -> None:
    """Wait for a value; the page's policy lets no text be evaluated again and again within it."""
    end = time.monotonic() + 10
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never {expression}"
        page.wait_for_timeout(50)


def test_an_open_card_goes_on_without_signal_and_says_until_when(site: Site, phone: BrowserContext) -> None:
    page = card_page(site, phone)
    assert page.locator("#kept-until").inner_text() in about(datetime.now(UTC) + timedelta(minutes=10))
    phone.set_offline(True)
    assert judge(site, code_on(page), datetime.now(UTC)) == ("ok", "Alice")
    expect(page.locator("#card-stale")).to_be_hidden()
    expect(page.locator("#card-doubt")).to_be_hidden()


def test_a_card_opened_anew_without_signal_is_all_there(site: Site, phone: BrowserContext) -> None:
    with on(site):
        upload_photo(site.ids["alice"], a_picture(), 50, clock.now())
        db.session.commit()
    card_page(site, phone)
    page = without_signal(phone)
    page.goto(f"{site.url}/card")
    expect(page.locator("#card-code svg.qr")).to_be_visible()
    assert judge(site, code_on(page), datetime.now(UTC)) == ("ok", "Alice")
    for words in ("Alice Soler", site.number("alice"), "Plus", "Valid until", "No signal"):
        expect(page.locator("body")).to_contain_text(words)
    photo = page.get_by_role("img", name="Photo of Alice Soler")
    assert photo.evaluate("photo => photo.complete && photo.naturalWidth") == 480
    assert page.locator("#kept-until").inner_text() in about(datetime.now(UTC) + timedelta(minutes=10))
    expect(page.locator("#card-doubt")).to_contain_text("counted by this device’s clock")
    check(page)
    phone.set_offline(False)
    page.get_by_role("link", name="Load again").click()
    expect(page.get_by_role("button", name="Keep for a day without signal")).to_be_visible()
    expect(page.locator("#card-doubt")).to_be_hidden()


def test_one_bar_of_signal_is_no_signal(site: Site, phone: BrowserContext) -> None:
    card_page(site, phone).close()
    site.signal.broken["/card"] = "hang"
    try:
        page = phone.new_page()
        page.goto(f"{site.url}/card")
        expect(page.locator("#card-code svg.qr")).to_be_visible()
        expect(page.locator("body")).to_contain_text("No signal")
    finally:
        site.signal.broken.clear()
        site.signal.goes_on.set()


def test_a_day_of_codes_lasts_a_day_and_no_longer(site: Site, phone: BrowserContext) -> None:
    phone.clock.install()
    page = card_page(site, phone)
    page.get_by_role("button", name="Keep for a day without signal").click()
    expect(page.locator("#keep-said")).to_contain_text("Kept on this device")
    tomorrow = datetime.now(UTC) + DAY
    said = page.locator("#kept-until").inner_text()
    assert said.rpartition(" ")[2] in about(tomorrow)
    assert said.startswith(f"{tomorrow.astimezone(MADRID).day} ")
    phone.set_offline(True)
    page.clock.fast_forward("23:50:00")
    page.wait_for_timeout(1100)
    assert judge(site, code_on(page), datetime.now(UTC) + DAY - timedelta(minutes=10)) == ("ok", "Alice")
    page.clock.fast_forward("00:10:00")
    expect(page.locator("#card-stale")).to_contain_text(f"lasted until {said.rpartition(' ')[2]}")
    expect(page.locator("#card-code")).to_be_hidden()
    expect(page.locator("#kept")).to_be_hidden()


def test_a_day_of_codes_outlives_the_page(site: Site, phone: BrowserContext) -> None:
    page = card_page(site, phone)
    page.get_by_role("button", name="Keep for a day without signal").click()
    expect(page.locator("#keep-said")).to_contain_text("Kept on this device")
    page.reload()  # ten minutes of codes come again: they do not take the place of a day's
    expect(page.locator("#kept-until")).to_contain_text(" ")
    later = without_signal(phone)
    later.clock.install(time=datetime.now(UTC) + 23 * HOUR)
    later.goto(f"{site.url}/card")
    expect(later.locator("#card-code svg.qr")).to_be_visible()
    assert judge(site, code_on(later), datetime.now(UTC) + 23 * HOUR) == ("ok", "Alice")
    later.close()
    too_late = phone.new_page()
    too_late.clock.install(time=datetime.now(UTC) + 25 * HOUR)
    too_late.goto(f"{site.url}/card")
    expect(too_late.locator("#card-stale")).to_contain_text("lasted until")
    expect(too_late.locator("body")).to_contain_text("Alice Soler")
    check(too_late)


@pytest.mark.parametrize("wrong", [HOUR, -400 * DAY])
def test_a_wrong_clock_does_no_harm_to_an_honest_member(site: Site, phone: BrowserContext, wrong: timedelta) -> None:
    phone.clock.install(time=datetime.now(UTC) + wrong)
    page = card_page(site, phone)
    assert judge(site, code_on(page), datetime.now(UTC)) == ("ok", "Alice")
    anew = without_signal(phone)
    anew.clock.set_system_time(datetime.now(UTC) + wrong)
    anew.goto(f"{site.url}/card")
    expect(anew.locator("#card-code svg.qr")).to_be_visible()
    assert judge(site, code_on(anew), datetime.now(UTC)) == ("ok", "Alice")


def test_a_clock_put_back_without_signal_is_said(site: Site, phone: BrowserContext) -> None:
    card_page(site, phone)
    page = without_signal(phone)
    page.clock.install(time=datetime.now(UTC) - HOUR)
    page.goto(f"{site.url}/card")
    expect(page.locator("#card-doubt")).to_contain_text("clock was changed")
    check(page)


def test_a_clock_changed_while_the_card_is_in_sight_changes_nothing(site: Site, phone: BrowserContext) -> None:
    phone.clock.install()
    page = card_page(site, phone)
    phone.set_offline(True)
    page.clock.set_system_time(datetime.now(UTC) + HOUR)
    expect(page.locator("#card-doubt")).to_contain_text("clock was changed", timeout=10_000)
    assert judge(site, code_on(page), datetime.now(UTC)) == ("ok", "Alice")


def test_signing_out_leaves_nothing_on_the_phone(site: Site, phone: BrowserContext) -> None:
    page = card_page(site, phone)
    page.goto(f"{site.url}/account")
    page.get_by_role("button", name="Sign out", exact=True).first.click()
    expect(page).to_have_url(f"{site.url}/")
    assert what_is_kept(page) == NOTHING
    later = without_signal(phone)
    with pytest.raises(Error, match="ERR_"):
        later.goto(f"{site.url}/card")


def test_who_signs_in_next_never_sees_the_card_of_the_one_before(site: Site, phone: BrowserContext) -> None:
    alices = card_page(site, phone).evaluate("document.documentElement.dataset.holder")
    phone.clear_cookies()  # her session is over, and nobody signed out
    page = phone.new_page()
    sign_in_page(site, page, "bob")
    page.goto(f"{site.url}/account")
    until(page, "localStorage.getItem('card-holder') === null")
    assert what_is_kept(page) == NOTHING
    page = without_signal(phone)
    with pytest.raises(Error, match="ERR_"):
        page.goto(f"{site.url}/card")
    phone.set_offline(False)
    page.goto(f"{site.url}/card")
    wait_until_kept(page)
    assert judge(site, code_on(page), datetime.now(UTC)) == ("ok", "Bob")
    assert page.evaluate("localStorage.getItem('card-holder')") != alices
    page = without_signal(phone)
    page.goto(f"{site.url}/card")
    expect(page.locator("body")).to_contain_text("Bob Vidal")
    assert judge(site, code_on(page), datetime.now(UTC)) == ("ok", "Bob")


def test_a_card_open_in_another_tab_goes_when_somebody_else_signs_in(site: Site, phone: BrowserContext) -> None:
    alices = card_page(site, phone)
    phone.clear_cookies()
    bobs = phone.new_page()
    sign_in_page(site, bobs, "bob")
    alices.evaluate("dispatchEvent(new Event('online'))")
    expect(alices.locator("body")).to_contain_text("Bob Vidal")
    expect(alices.locator("body")).not_to_contain_text("Alice Soler")


def test_a_session_ended_from_elsewhere_takes_the_kept_card_along(site: Site, phone: BrowserContext) -> None:
    page = card_page(site, phone)
    phone.clear_cookies()
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#card-stale")).to_contain_text("no longer shown here")
    expect(page.locator("#card-code")).to_be_hidden()
    assert what_is_kept(page) == NOTHING


def test_who_is_no_longer_signed_in_and_opens_the_card_has_none_kept(site: Site, phone: BrowserContext) -> None:
    card_page(site, phone).close()
    phone.clear_cookies()
    page = phone.new_page()
    page.goto(f"{site.url}/card")
    expect(page).to_have_url(re.compile("/sign-in"))
    until(page, "localStorage.getItem('card-holder') === null")
    assert what_is_kept(page) == NOTHING


def test_a_broken_server_takes_nothing_away(site: Site, phone: BrowserContext) -> None:
    page = card_page(site, phone)
    phone.route("**/card/live", lambda route: route.fulfill(status=503, body="{}"))
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_timeout(300)
    assert judge(site, code_on(page), datetime.now(UTC)) == ("ok", "Alice")
    assert what_is_kept(page)["page"] is True


def test_a_new_card_takes_the_place_of_a_day_of_codes_of_the_lost_one(site: Site, phone: BrowserContext) -> None:
    page = card_page(site, phone, "bob")
    page.get_by_role("button", name="Keep for a day without signal").click()
    expect(page.locator("#keep-said")).to_contain_text("Kept on this device")
    old = code_on(page)
    page.get_by_role("link", name="Lost your phone or card?").click()
    check(page)
    page.get_by_role("button", name="Replace my card").dblclick()
    expect(page.locator("body")).to_contain_text("This is your new card.")
    expect(page.locator("#kept-until")).not_to_be_empty()
    now = datetime.now(UTC)
    assert judge(site, old, now)[0] == "replaced"
    assert judge(site, code_on(page), now) == ("ok", "Bob")
    assert page.locator("#kept-until").inner_text() in about(now + timedelta(minutes=10))
    with on(site):
        assert db.session.query(Card).filter_by(person_id=site.ids["bob"]).count() == 2


def test_the_screen_stays_on_while_a_code_is_shown(site: Site, phone: BrowserContext) -> None:
    phone.add_init_script(WAKE_LOCK)
    phone.clock.install()
    page = card_page(site, phone)
    until(page, "window.awake === 1")
    phone.set_offline(True)
    page.clock.fast_forward("00:15:00")
    expect(page.locator("#card-stale")).to_be_visible()
    until(page, "window.awake === 0")


WAKE_LOCK = """
window.awake = 0;
Object.defineProperty(navigator, "wakeLock", { value: { request: async () => {
  window.awake += 1;
  const lock = new EventTarget();
  lock.release = async () => { window.awake -= 1; lock.dispatchEvent(new Event("release")); };
  return lock;
} } });
"""


def test_a_tap_makes_the_code_as_large_as_the_screen_on_white(site: Site, phone: BrowserContext) -> None:
    page = card_page(site, phone)
    page.emulate_media(color_scheme="dark")
    before = page.locator("#card-code svg").bounding_box()["width"]
    page.get_by_role("button", name="Show the code large").press("Enter")
    large = page.locator("#card-large")
    expect(large).to_be_visible()
    assert large.bounding_box() == {"x": 0, "y": 0, **PHONE}
    assert large.evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("#card-large-code svg").bounding_box()["width"] >= 1.2 * before
    check(page)
    page.keyboard.press("Escape")
    expect(large).to_be_hidden()
    page.locator("#card-code").click()
    expect(large).to_be_visible()


def test_the_card_can_be_put_on_a_home_screen(site: Site, phone: BrowserContext) -> None:
    page = card_page(site, phone)
    manifest = page.request.get(site.url + page.locator("link[rel=manifest]").get_attribute("href")).json()
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/card", "/card", "standalone")
    for icon in manifest["icons"]:
        found = Image.open(io.BytesIO(page.request.get(site.url + icon["src"]).body()))
        assert f"{found.width}x{found.height}" == icon["sizes"]
    session = phone.new_cdp_session(page)
    assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] in (
        [],
        [{"errorId": "in-incognito", "errorArguments": []}],
    )


def test_the_members_pages_have_nothing_that_axe_finds(site: Site, phone: BrowserContext) -> None:
    page = card_page(site, phone)
    for path in ("/card", "/card/photo", "/card/lost"):
        page.goto(site.url + path)
        for width, height, scheme in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)
            check(page)


def test_a_photo_is_chosen_seen_as_a_square_and_approved_by_staff(site: Site, browser: Browser, tmp_path: Path) -> None:
    picture = tmp_path / "me.jpg"
    picture.write_bytes(a_picture((600, 900)))
    member, office = browser.new_context(viewport=PHONE), browser.new_context()
    page = card_page(site, member, "bob")
    for words in ("Your photo is on your card.", "Your photo waits for the association to look at it."):
        page.goto(f"{site.url}/card/photo")
        page.get_by_label("Photo", exact=True).set_input_files(picture)
        expect(page.get_by_role("img", name="The square as your card will show it")).to_be_visible()
        page.get_by_label("Which part of it").fill("0")
        check(page)
        page.get_by_role("button", name="Use this photo").click()
        expect(page.get_by_text(words)).to_be_visible()
    check(page)
    staff = office.new_page()
    sign_in_page(site, staff, "admin")
    staff.goto(f"{site.url}/admin")
    staff.get_by_role("link", name="Photos 1 waiting").click()
    check(staff)
    staff.set_viewport_size(PHONE)
    staff.locator("summary", has_text="Refuse").click()
    check(staff)
    staff.get_by_role("button", name="Approve Bob Vidal").click()
    expect(staff.get_by_text("The new photo is on the card.")).to_be_visible()
    staff.goto(f"{site.url}/admin/people/{site.number('bob')}/card")
    check(staff)
    with on(site):
        assert photo_of(site.ids["bob"]) is not None
    member.close()
    office.close()
