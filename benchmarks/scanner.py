"""The desk's scanner in Chromium: how soon a verdict stands there, how far a code is read, how much travels.

python -m benchmarks.scanner prints the figures by itself.
"""

from __future__ import annotations

import base64
import gzip
import math
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import brotli
from flask import Flask
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

from app import create_app
from app.extensions import db
from app.verification.install_views import asset_names
from benchmarks.figures import Figure, compare
from benchmarks.noisy_shots import drawn, shot
from tests.browser.cards_shown import code
from tests.browser.door import CHROMIUM, PHONE, QUIET, Door, door, film, launch, picture_of, serve
from tests.cast import Cast
from tests.databases import configuration, migrate
from tests.verification.asking import card_of, live, static
from tests.visitor import Visitor

MOST_WARM_MS, MOST_COLD_MS, MOST_KB = 150, 1500, 450
WARM_SCANS, COLD_STARTS = 30, 8
WIDTHS, SHOTS = (100, 115, 130, 145), 40
FAKE_CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")

# Milliseconds from the moment a card is held before the camera until its verdict is drawn.
SHOWN_TO_VERDICT = """async (address) => {
  const picture = new Image(), place = document.getElementById("verdict");
  picture.src = address;
  await picture.decode();
  const drawn = new Promise((done) => new MutationObserver((_, observer) => {
    if (!place.querySelector("h1")?.textContent) return;
    observer.disconnect();
    requestAnimationFrame(() => done(performance.now()));
  }).observe(place, { childList: true, subtree: true, characterData: true }));
  const began = performance.now();
  window.holdCard(picture);
  return await drawn - began;
}"""
# The same way with nothing on it: until a picture of the camera has arrived, its pixels been fetched and a frame drawn.
EMPTY_LOOP = """async (colour) => {
  window.hideCard();
  const video = document.createElement("video"), canvas = document.createElement("canvas");
  [canvas.width, canvas.height, video.width, video.height] = [640, 480, 64, 48];
  const pixels = canvas.getContext("2d", { willReadFrequently: true });
  video.muted = true;
  document.body.append(video);
  video.srcObject = await navigator.mediaDevices.getUserMedia();
  await video.play();
  const frame = () => new Promise((done) => video.requestVideoFrameCallback(done));
  for (let n = 0; n < 5; n += 1) await frame();
  const sheet = new OffscreenCanvas(340, 340), paint = sheet.getContext("2d");
  paint.fillStyle = colour;
  paint.fillRect(0, 0, 340, 340);
  const began = performance.now();
  window.holdCard(sheet);
  for (;;) {
    await frame();
    pixels.drawImage(video, 0, 0);
    if (pixels.getImageData(0, 0, 640, 480).data[(240 * 640 + 320) * 4] > 200) break;
  }
  await new Promise(requestAnimationFrame);
  const took = performance.now() - began;
  video.srcObject.getTracks().forEach((track) => track.stop());
  video.remove();
  return took;
}"""
# From the start of a page until the camera's first picture, and until the verdict is drawn.
MARKS = """(() => {
  window.marks = {};
  const look = () => {
    const video = document.getElementById("video"), word = document.querySelector("#verdict h1");
    if (!window.marks.picture && video?.readyState >= 2) window.marks.picture = performance.now();
    if (word?.textContent) window.marks.verdict = performance.now(); else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()"""
HOW_MANY_READ = """async ({shots, wasm}) => {
  const {Decoder} = await import("/static/scanner/decoder.js");
  const decoder = new Decoder(wasm);
  await decoder.isReady;
  let read = 0;
  for (const {picture, text} of shots) {
    const blob = new Blob([Uint8Array.from(atob(picture), (char) => char.charCodeAt(0))]);
    const image = await createImageBitmap(blob);
    const canvas = new OffscreenCanvas(image.width, image.height), paper = canvas.getContext("2d");
    paper.drawImage(image, 0, 0);
    read += await decoder.read(paper.getImageData(0, 0, image.width, image.height)) === text;
  }
  return read;
}"""


def run() -> list[Figure]:
    """All figures of the scanner; some three minutes."""
    with tempfile.TemporaryDirectory(prefix="carnet-bench-") as folder, sync_playwright() as playwright:
        with application(Path(folder)) as (app, cast), serve(app) as (site, _signal):
            return [
                *warm(playwright, app, cast, site),
                *cold(playwright, app, cast, site, Path(folder)),
                *reading(playwright, app, cast, site),
                *sizes(app),
            ]


@contextmanager
def application(folder: Path) -> Iterator[tuple[Flask, Cast]]:
    """The application on a database of its own, with the tests' cast."""
    url = f"sqlite:///{folder}/bench.sqlite"
    migrate(url, folder)
    app = create_app(configuration(url, folder, MAIL_URL=(folder / "mail").as_uri()))
    with app.app_context():
        yield app, Cast.assemble()
        db.session.remove()
        db.engine.dispose()


def warm(playwright: Playwright, app: Flask, cast: Cast, site: str) -> list[Figure]:
    """Card shown until verdict drawn, asked and alone, each in turn with an empty frame loop."""
    browser = launch(playwright)
    took: dict[str, list[float]] = {"asked": [], "alone": [], "empty": []}
    with door(browser, app, site, cast.desk.id) as at_door:
        at_door.open_ready()
        for way in ("asked", "alone"):
            if way == "alone":
                at_door.lose_signal()
            at_door.page.wait_for_timeout(1700)  # a card held on, and just read, is not read again
            for count in range(WARM_SCANS + 3):
                text = live(cast.bob) if count % 2 else static(cast.alice)
                db.session.commit()
                ms = at_door.page.evaluate(SHOWN_TO_VERDICT, picture_of(text))
                empty = at_door.page.evaluate(EMPTY_LOOP, "#fff")  # while a verdict stands there nothing is read
                at_door.next()
                if count >= 3:
                    took[way].append(ms)
                    took["empty"].append(empty)
    browser.close()
    loop = "empty loop over the camera's pictures, p95"
    slowest = max(p95(took["asked"]), p95(took["alone"]))
    return [
        compare("card shown to verdict, p95", "limit", slowest, MOST_WARM_MS, "ms"),
        compare("card shown to verdict, with signal, p95", loop, p95(took["asked"]), p95(took["empty"]), "ms"),
        compare("card shown to verdict, without signal, p95", loop, p95(took["alone"]), p95(took["empty"]), "ms"),
    ]


def cold(playwright: Playwright, app: Flask, cast: Cast, site: str, folder: Path) -> list[Figure]:
    """A browser started without signal, its camera on a card: opening the page until the verdict is drawn."""
    seen = film(static(cast.alice), folder / "card.mjpeg")
    db.session.commit()
    camera = (*FAKE_CAMERA, f"--use-file-for-fake-video-capture={seen}")

    def device() -> BrowserContext:
        return playwright.chromium.launch_persistent_context(
            folder / "device", executable_path=CHROMIUM, args=[*QUIET, *camera], viewport=PHONE, permissions=["camera"]
        )

    context = device()
    visitor = Visitor(app, "scanner@example.org")
    cookie = visitor.client.get_cookie("carnet", domain="127.0.0.1")
    if cookie is None:
        raise RuntimeError("the desk's staff could not sign in")
    context.add_cookies([{"name": "carnet", "value": cookie.value, "url": site, "expires": 4_000_000_000}])
    at_door = Door(context, site, cast.desk.id)
    at_door.page.goto(at_door.address)
    at_door.wait_until_ready()
    context.close()
    marks = [_cold_start(device(), at_door.address) for _start in range(COLD_STARTS)]
    return [
        compare(
            "start without signal to verdict, slowest", "limit",
            max(it["verdict"] for it in marks), MOST_COLD_MS, "ms",
        ),
        compare(
            "start without signal to verdict, slowest", "to the camera's first picture, slowest",
            max(it["verdict"] for it in marks), max(it["picture"] for it in marks), "ms",
        ),
        compare(
            "start without signal to verdict, median", "to the camera's first picture, median",
            median([it["verdict"] for it in marks]), median([it["picture"] for it in marks]), "ms",
        ),
    ]  # fmt: skip


def _cold_start(context: BrowserContext, address: str) -> dict[str, float]:
    context.set_offline(True)
    page = context.new_page()
    page.add_init_script(MARKS)
    page.goto(address)
    page.locator("#verdict .verdict").wait_for(timeout=20_000)
    page.wait_for_timeout(100)
    marks: dict[str, float] = page.evaluate("window.marks")
    context.close()
    return marks


def reading(playwright: Playwright, app: Flask, cast: Cast, site: str) -> list[Figure]:
    """How many of the same noisy shots are read, of our codes and of smaller and larger ones."""
    ours = live(cast.alice)
    prefix = "HTTPS://CARD.EXAMPLE.ORG/C/"  # as long as a host of 17 letters makes it
    digits = ours.rpartition("/")[2]
    texts = {
        "printed card": (prefix + code(card_of(cast.alice), days=300).rpartition("/")[2], None),
        "card on a phone": (prefix + digits, None),
        "29 modules": (prefix + digits[:30], 3),
        "45 modules": (prefix + digits, 7),
        "65 modules": (prefix + digits, 12),
    }
    db.session.commit()
    read: dict[str, float] = {}
    sides: dict[str, int] = {}
    browser = launch(playwright)
    with door(browser, app, site, cast.desk.id) as at_door:
        page = at_door.open().page
        for name, (text, size) in texts.items():
            picture, sides[name] = drawn(text, size)
            found = sum(_read(page, [shot(picture, width, n) for n in range(SHOTS)], text) for width in WIDTHS)
            read[name] = 100 * found / (SHOTS * len(WIDTHS))
    browser.close()
    return [
        compare(f"{ours} ({sides[ours]} modules) read in noisy shots", other, read[ours], read[other], "%")
        for ours in ("printed card", "card on a phone")
        for other in ("29 modules", "45 modules", "65 modules")
    ]


def _read(page: Page, shots: list[bytes], text: str) -> int:
    given: list[dict[str, Any]] = [{"picture": base64.b64encode(it).decode(), "text": text} for it in shots]
    found: int = page.evaluate(HOW_MANY_READ, {"shots": given, "wasm": "/static/vendor/zxing_reader.wasm"})
    return found


def sizes(app: Flask) -> list[Figure]:
    """What a new device loads: everything its worker keeps."""
    folder = Path(app.static_folder or "")
    with app.test_request_context():
        contents = {name: (folder / name).read_bytes() for name in asset_names()}
    packed = {name: it for name, it in contents.items() if not name.endswith(".woff2")}
    fonts = sum(len(it) for name, it in contents.items() if name not in packed)
    sent = fonts + sum(len(brotli.compress(it, quality=11)) for it in packed.values())
    zipped = fonts + sum(len(gzip.compress(it, 9)) for it in packed.values())
    whole = sum(len(it) for it in contents.values())
    return [
        compare("the scanner's files as sent (brotli)", "limit", sent / 1000, MOST_KB, "KB"),
        compare("the scanner's files as sent (brotli)", "packed with gzip", sent / 1000, zipped / 1000, "KB"),
        compare("the scanner's files as sent (brotli)", "not packed", sent / 1000, whole / 1000, "KB"),
    ]


def p95(values: list[float]) -> float:
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


if __name__ == "__main__":
    sys.stdout.writelines(f"{figure}\n" for figure in run())
