"""From a stranger to a paid member whose card is scanned, whose payment is exported and given back."""

from __future__ import annotations

import csv
import io
import re
import urllib.request
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from tests.journeys.conftest import CHROMIUM, QUIET, Demo

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
CAMERA = {"width": 640, "height": 480}


def person(browser: Browser, phone: bool = True) -> Page:
    """Somebody with a device of their own: a phone in the dark, a desktop in the light."""
    context = browser.new_context(viewport=PHONE if phone else DESKTOP, color_scheme="dark" if phone else "light")
    return context.new_page()


def check(page: Page) -> None:
    """Nothing axe finds, and nothing that scrolls sideways."""
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url


def newest_letter_to(demo: Demo, address: str) -> str:
    """The plain text of the newest mail to an address, read in the demo's mailbox as a person would."""
    index = urllib.request.urlopen(demo.mailbox, timeout=5).read().decode()
    for name in re.findall(r'href="/([0-9a-f]{32})"', index):
        letter = urllib.request.urlopen(f"{demo.mailbox}/{name}", timeout=5).read().decode()
        if f"To {address}" in letter:
            return letter
    return ""


def wait_for_letter(page: Page, demo: Demo, address: str, words: str) -> str:
    """What matches `words` in the newest mail to an address, once the worker has sent it."""
    for _ in range(100):
        found = re.search(words, newest_letter_to(demo, address))
        if found:
            return found[0]
        page.wait_for_timeout(100)
    raise AssertionError(f"no mail with {words} came to {address} within ten seconds")


def sign_in_by_code(page: Page, demo: Demo, address: str) -> None:
    page.get_by_label("Email").or_(page.get_by_label("E-mail")).fill(address)
    check(page)
    page.locator("main form button").click()
    expect(page.get_by_label("Code")).to_be_visible()
    check(page)
    code = wait_for_letter(page, demo, address, r"\b\d{4} \d{4}\b")
    page.get_by_label("Code").fill(code)
    page.locator("main form button").first.click()


def join(page: Page, demo: Demo, address: str, tier: str) -> None:
    """Landing, sign-in, names, tier: up to the payment page."""
    page.goto(demo.site)
    check(page)
    page.get_by_role("link", name="Become a member").first.click()
    sign_in_by_code(page, demo, address)
    page.get_by_label("Given name").fill("Roser")
    page.get_by_label("Family name").fill("=Planas")
    page.locator(f"input[name=tier][value={tier}]").check()
    check(page)
    page.get_by_role("button", name=re.compile("Pay €")).locator("visible=true").click()
    page.wait_for_url(re.compile(r"/pay/cs_"))


def film(picture: bytes, path: Path) -> Path:
    """What a camera sees when it looks at `picture`: frames one after another (MJPEG)."""
    code = Image.open(io.BytesIO(picture)).convert("RGB")
    code.thumbnail((400, 400))
    frame = Image.new("RGB", (CAMERA["width"], CAMERA["height"]), "#888")
    frame.paste(code, ((frame.width - code.width) // 2, (frame.height - code.height) // 2))
    written = io.BytesIO()
    frame.save(written, "JPEG", quality=92, subsampling=2)
    path.write_bytes(written.getvalue() * 60)
    return path


def desk_with_camera(playwright: Playwright, seen: Path) -> tuple[Browser, BrowserContext]:
    """A desk's device whose camera sees the film."""
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            *QUIET, "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={seen}",
        ],
    )  # fmt: skip
    return browser, browser.new_context(viewport=PHONE, permissions=["camera"])


def open_link(page: Page, link: str) -> None:
    """The button behind a mailed link."""
    page.goto(link)
    check(page)
    page.locator("main form button").first.click()


def test_an_alumna_joins_pays_shows_her_card_is_scanned_and_the_treasurer_exports_it(
    demo: Demo, browser: Browser, playwright: Playwright, tmp_path: Path
) -> None:
    alumna = person(browser)
    join(alumna, demo, "roser@example.org", "basic")
    alumna.get_by_role("button", name="Pay €30.00 by card").click()
    expect(alumna.get_by_role("heading", level=1)).to_contain_text("member until", timeout=15_000)
    check(alumna)
    assert wait_for_letter(alumna, demo, "roser@example.org", "A member until") == "A member until"
    alumna.get_by_role("link", name="Show my card").click()
    expect(alumna.locator("#card-code svg.qr")).to_be_visible()
    expect(alumna.locator("#clock")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    check(alumna)

    seen = film(alumna.locator("#card-code svg.qr").screenshot(), tmp_path / "card.mjpeg")
    desk_browser, desk_context = desk_with_camera(playwright, seen)
    desk = desk_context.new_page()
    open_link(desk, demo.links["desk"])
    desk.goto(f"{demo.site}/scan")
    check(desk)
    desk.get_by_role("link", name="Main desk", exact=True).click()
    verdict = desk.locator("#verdict .verdict")
    expect(verdict).to_have_class(re.compile("v-ok"), timeout=30_000)
    expect(desk.locator("#verdict h1")).to_have_text("Valid")
    expect(verdict).to_contain_text("Basic")
    check(desk)
    desk_browser.close()

    treasurer = person(browser, phone=False)
    open_link(treasurer, demo.links["treasurer"])
    check(treasurer)
    treasurer.goto(f"{demo.site}/treasury/payments?text=roser")
    check(treasurer)
    with treasurer.expect_download() as download:
        treasurer.get_by_role("link", name=re.compile("Export")).click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text(encoding="utf-8").splitlines()))
    assert [(row["name"], row["gross"], row["method"], row["tier"]) for row in rows] == [
        ("Roser =Planas", "30.00", "online", "basic")
    ]
    assert re.fullmatch(r"\d{4}-\d{6}", rows[0]["receipt_number"])

    treasurer.get_by_role("link", name=rows[0]["receipt_number"]).click()
    check(treasurer)
    treasurer.locator("details.confirm summary").click()
    treasurer.locator("details.confirm button").click()
    expect(treasurer.get_by_text("Refunded", exact=True).first).to_be_visible()
    check(treasurer)

    alumna.reload()
    expect(alumna.locator("#card-code")).to_have_count(0)
    check(alumna)


def test_a_declined_card_takes_nothing_and_the_offer_can_be_taken_up_again(demo: Demo, browser: Browser) -> None:
    page = person(browser)
    join(page, demo, "declined@example.org", "plus")
    page.get_by_role("button", name="Use a card that is declined").click()
    expect(page.get_by_text(re.compile("declined", re.IGNORECASE)).first).to_be_visible()
    page.get_by_role("link", name="Close the tab without paying").click()
    page.goto(f"{demo.site}/join")
    page.get_by_role("button", name=re.compile("Pay €")).locator("visible=true").click()
    page.wait_for_url(re.compile(r"/pay/cs_"))
    page.get_by_role("button", name="Pay €50.00 by card").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("member until", timeout=15_000)


def test_a_member_finds_home_card_and_account_and_can_sign_out(demo: Demo, browser: Browser) -> None:
    page = person(browser, phone=False)
    open_link(page, demo.links["alumna"])
    expect(page.get_by_role("heading", level=1)).to_contain_text("25 days left")
    check(page)
    for path in ("/card", "/account", "/account/why", "/renew", "/privacy", "/accessibility"):
        page.goto(demo.site + path)
        check(page)
    page.goto(f"{demo.site}/account")
    page.get_by_role("button", name="Sign out", exact=True).first.click()
    page.wait_for_url(f"{demo.site}/")
    page.goto(f"{demo.site}/card")
    expect(page).to_have_url(re.compile("/sign-in"))


def test_the_administrator_sees_that_everything_runs(demo: Demo, browser: Browser) -> None:
    page = person(browser, phone=False)
    open_link(page, demo.links["administrator"])
    page.goto(f"{demo.site}/admin")
    expect(page.get_by_text("The worker was seen")).to_be_visible()
    check(page)
