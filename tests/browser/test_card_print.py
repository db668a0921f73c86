"""The print page, printed by a real browser: the card alone, of its right size, with a code that reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Page, Route, sync_playwright

from tests.cards.printed import rasterise, read
from tests.cards.test_card_pdf import millimetres, text_of
from tests.cast import Cast
from tests.journeys.conftest import CHROMIUM, QUIET
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def page() -> Iterator[Page]:
    """Without script, as anybody may have it, and with a dark device."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser.new_context(java_script_enabled=False, color_scheme="dark").new_page()
        browser.close()


def test_the_printed_page_is_the_card_and_its_code_reads(app: Flask, cast: Cast, page: Page) -> None:
    visitor = Visitor(app, "alice@example.org")
    html, code = visitor.get("/card/print").get_data(as_text=True), read_code(visitor)
    static = Path(app.static_folder or "")

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path.startswith("/static/"):
            route.fulfill(path=static / path.removeprefix("/static/"))
        else:
            route.fulfill(body=html, content_type="text/html; charset=utf-8")

    page.route("**/*", answer)
    page.goto(app.config["BASE_URL"] + "/card/print")
    page.locator(".paper-card").wait_for()
    printed = page.pdf(format="A4", prefer_css_page_size=True, print_background=False)
    for dots in (300, 150):
        seen = read(rasterise(printed, dots))
        assert (seen.text, seen.version, seen.level, seen.quiet) == (code, "6", "M", True)
        assert millimetres(seen.side, dots) == pytest.approx(28.7, abs=0.5)
    text = text_of(printed)
    for said in ("Alice Soler", cast.alice.member_number, "Valid until", "check a photo or ID"):
        assert said in text
    for left_out in ("Print this page", "Home", "Save as PDF"):
        assert left_out not in text


def read_code(visitor: Visitor) -> str:
    return read(rasterise(visitor.get("/card.pdf").data, 150)).text
