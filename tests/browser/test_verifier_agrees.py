"""The scanner's own verifier and drawing, in Chromium, against Python's."""

import json
import re
import runpy
import threading
from datetime import date, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import sync_playwright

from app.cards.codes import live_code, static_code
from app.cards.reading import read_code

TESTS = Path(__file__).parent.parent
STATIC = TESTS.parent / "app" / "static"
VECTORS = TESTS / "cards" / "vectors"
CHROMIUM = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip

READ_ALL = """async ({shared, engine}) => {
  const {loadKeys, readCode} = await import("/scanner/verifier.js");
  const keys = await loadKeys(shared.jwks, engine);
  const how = {cardBaseUrl: shared.card_base_url, keys, now: Date.parse(shared.now), today: shared.today};
  const answers = [];
  for (const line of shared.vectors) answers.push(await readCode(line.text, how));
  return answers;
}"""
DRAW = """async ({prefix, digits}) => {
  const {drawCode} = await import("/card/qr.js");
  return drawCode(prefix, digits, "Member code").outerHTML;
}"""


class StaticFiles(SimpleHTTPRequestHandler):
    """app/static, and an empty page at /."""

    def do_GET(self):
        if self.path != "/":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>test</title>")

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def page():
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(StaticFiles, directory=STATIC))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        yield page
        browser.close()
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def shared():
    return json.loads((VECTORS / "codes.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def made():
    """The names of the program that makes the shared vectors."""
    return runpy.run_path(str(VECTORS / "generate.py"))


def in_python(shared, keys):
    """Python's reading of every line, in the words of verifier.js."""
    now, today = datetime.fromisoformat(shared["now"]), date.fromisoformat(shared["today"])
    for line in shared["vectors"]:
        reading = read_code(line["text"], shared["card_base_url"], keys, now, today)
        contents = None
        if c := reading.contents:
            expires_on = c.expires_on.isoformat() if c.expires_on else None
            contents = {"keyId": c.key_id, "statusIndex": c.status_index, "cardId": c.card_id, "tier": c.tier,
                        "expiresOn": expires_on, "window": c.window}  # fmt: skip
        yield {"reason": reading.reason, "contents": contents}


@pytest.mark.parametrize("engine", ["webcrypto", "noble"])
def test_browser_and_python_give_every_line_the_same_verdict(page, shared, made, engine):
    browser = page.evaluate(READ_ALL, {"shared": shared, "engine": engine})
    python = list(in_python(shared, made["KEYS"]))
    names = [line["name"] for line in shared["vectors"]]
    assert len(browser) == len(python) > 500
    assert [n for n, b, p in zip(names, browser, python, strict=True) if b != p] == []
    wrong = [n for n, b, line in zip(names, browser, shared["vectors"], strict=True) if b["reason"] != line["reason"]]
    assert wrong == []


@pytest.mark.parametrize("host", ["https://card.example.org", "https://" + "a" * 21 + ".org", "http://127.0.0.1:8000"])
@pytest.mark.parametrize("kind", ["static", "live"])
def test_the_code_the_page_draws_has_41_modules_and_reads_back(page, made, host, kind):
    facts = made["CARD"] | {"card_base_url": host, "today": made["TODAY"]}
    if kind == "live":
        text = live_code(made["KEYS"], window=59_847_600, **facts)
    else:
        text = static_code(made["KEYS"], expires_on=made["TODAY"], **facts)
    prefix, digits = re.fullmatch(r"(.*/)(\d+)", text).groups()
    svg = page.evaluate(DRAW, {"prefix": prefix, "digits": digits})
    assert 'viewBox="0 0 49 49"' in svg
    picture = Image.new("L", (49 * 4, 49 * 4), 255)
    for run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", svg):
        x, y, width = map(int, run)
        picture.paste(0, (x * 4, y * 4, (x + width) * 4, (y + 1) * 4))
    (found,) = zxingcpp.read_barcodes(picture)
    assert (found.text, found.extra["Version"], found.extra["ECLevel"]) == (text, "6", "M")
