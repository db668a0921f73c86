"""A desk at a door: the real application on a real socket, a browser with a camera, and cards to hold before it."""

from __future__ import annotations

import base64
import io
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import qrcode
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect
from werkzeug.serving import WSGIRequestHandler, make_server

from app.extensions import db
from tests.visitor import Visitor

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PHONE = {"width": 390, "height": 844}

# Stands in for the camera: a canvas of 640 x 480 on which window.showCard(address of a picture) draws.
CAMERA = """(() => {
  const canvas = document.createElement("canvas"), paper = canvas.getContext("2d");
  [canvas.width, canvas.height] = [640, 480];
  let card = null;
  const draw = () => {
    paper.fillStyle = "#777";
    paper.fillRect(0, 0, 640, 480);
    if (card) paper.drawImage(card, 150, 70, 340, 340);
  };
  draw();
  setInterval(draw, 50);
  window.showCard = async (address) => {
    const picture = new Image();
    picture.src = address;
    await picture.decode();
    card = picture;
  };
  window.holdCard = (picture) => { card = picture; };
  window.hideCard = () => { card = null; };
  navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(20);
})()"""
# A device whose clock is `ms` away from the truth.
CLOCK = "(() => { const now = Date.now; Date.now = () => now() + %d; })()"
# A device whose storage is full, as soon as window.storageIsFull is set.
STORAGE = """(() => {
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (...what) {
    if (window.storageIsFull) throw new DOMException("no room", "QuotaExceededError");
    return put.apply(this, what);
  };
})()"""
# What the page needs to work without signal: itself and its list.
IS_READY = """async () => {
  if (!await caches.match(location.href)) return false;
  const database = await new Promise((done) => {
    const opening = indexedDB.open("carnet-scanner");
    opening.onsuccess = () => done(opening.result);
  });
  const kept = await new Promise((done) => {
    const asking = database.transaction("desks").objectStore("desks").getAll();
    asking.onsuccess = () => done(asking.result);
  });
  database.close();
  return kept.some((desk) => desk.token);
}"""


@dataclass
class Signal:
    """What becomes of requests to some paths on their way: `before` they reach us, or our answer `after` that."""

    app: Callable[..., Any]
    broken: dict[str, str] = field(default_factory=dict)  # path -> "before" | "after" | "hang"
    spared: int = 0  # how many of them come through all the same, before
    replaced: dict[bytes, bytes] = field(default_factory=dict)  # words of our answers under /scan, as of a new version
    arrived: threading.Event = field(default_factory=threading.Event)
    goes_on: threading.Event = field(default_factory=threading.Event)

    def wait_for(self, path: str) -> None:
        """Until something to `path` has been cut off, or hangs."""
        if not self.arrived.wait(20):
            raise AssertionError(f"nothing was sent to {path}")
        self.arrived.clear()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        how = self.broken.get(path)
        if how and self.spared:
            self.spared, how = self.spared - 1, None
        if how == "before":
            self._cut(environ)
        if how == "hang":
            self.arrived.set()
            self.goes_on.wait(20)
        answer = self.app(environ, start_response)
        if how == "after":
            for _part in answer:
                pass
            self._cut(environ)
        return self._new_words(answer) if self.replaced and path.startswith("/scan") else answer

    def _new_words(self, answer: Iterable[bytes]) -> list[bytes]:
        whole = b"".join(answer)
        for old, new in self.replaced.items():
            whole = whole.replace(old, new)
        return [whole]

    def _cut(self, environ: dict[str, Any]) -> None:
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        self.arrived.set()
        raise ConnectionResetError


class Quiet(WSGIRequestHandler):
    def log(self, *_args: Any) -> None:
        pass


@contextmanager
def serve(app: Flask) -> Iterator[tuple[str, Signal]]:
    """The application on a free port of this machine; its address, and the signal on the way to it."""
    signal = Signal(app.wsgi_app)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = make_server("127.0.0.1", port, signal, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}", signal
    finally:
        signal.goes_on.set()
        server.shutdown()
        thread.join(10)
        server.server_close()


def picture_of(text: str) -> str:
    """A code as the address of a picture, drawn as our own pages draw it."""
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=4, box_size=8)
    code.add_data(text, optimize=20)
    written = io.BytesIO()
    code.make_image().save(written, "PNG")
    return "data:image/png;base64," + base64.b64encode(written.getvalue()).decode()


def film(text: str, path: Path) -> Path:
    """What a camera sees that looks at a code: pictures one after another (MJPEG), for Chromium's own fake camera."""
    code = Image.open(io.BytesIO(base64.b64decode(picture_of(text).partition(",")[2]))).convert("RGB")
    frame = Image.new("RGB", (640, 480), "#777")
    frame.paste(code.resize((340, 340)), (150, 70))
    written = io.BytesIO()
    frame.save(written, "JPEG", quality=92, subsampling=2)
    path.write_bytes(written.getvalue() * 60)
    return path


class Door:
    """One scanner page and whoever stands before it."""

    def __init__(self, context: BrowserContext, site: str, desk: int) -> None:
        db.session.commit()  # what the test prepared is there, and its lock is gone
        self.context = context
        self.address = f"{site}/scan?desk={desk}"
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self._listen()

    def _listen(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: dialog.accept())

    def open(self, clock_off_ms: int = 0) -> Door:
        if clock_off_ms:
            self.page.add_init_script(CLOCK % clock_off_ms)
        self.page.goto(self.address)
        expect(self.page.locator("#hint")).to_have_text("Hold the card’s code in the frame", timeout=15_000)
        return self

    def open_ready(self, clock_off_ms: int = 0) -> Door:
        """Opened with signal, until the page could do without."""
        self.open(clock_off_ms)
        self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        for _ in range(150):
            if self.page.evaluate(IS_READY):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError("the page did not get ready to work without signal")

    def reopen(self, clock_off_ms: int = 0) -> Door:
        """Close the page and open it anew on the same device."""
        self.page.close(run_before_unload=False)
        self.page = self.context.new_page()
        self._listen()
        return self.open(clock_off_ms)

    def lose_signal(self) -> None:
        self.context.set_offline(True)
        expect(self.page.locator("#offline")).to_be_visible()

    def find_signal(self) -> None:
        self.context.set_offline(False)

    def show(self, text: str) -> tuple[str, str]:
        """Hold a code before the camera: the reason and the panel of the verdict, which stays."""
        self.page.evaluate("showCard", picture_of(text))
        verdict = self.page.locator("#verdict .verdict")
        expect(verdict).to_be_visible(timeout=15_000)
        panel = (verdict.get_attribute("class") or "").rpartition("v-")[2]
        return verdict.get_attribute("data-reason") or "", panel

    def next(self) -> None:
        self.page.evaluate("hideCard()")
        self.page.locator("#verdict [data-do=next]").click()
        expect(self.page.locator("#idle")).to_be_visible()

    def judge(self, text: str) -> tuple[str, str]:
        answer = self.show(text)
        self.next()
        return answer

    def waiting(self) -> int:
        """How many scans the page says it still has to send."""
        return int(self.page.locator("#waiting").get_attribute("data-count") or 0)

    def wait_until_sent(self) -> None:
        expect(self.page.locator("#waiting")).to_have_attribute("data-count", "0", timeout=20_000)


def launch(playwright: Playwright, *more: str) -> Browser:
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *more])


@contextmanager
def door(browser: Browser, app: Flask, site: str, desk: int, viewport: dict[str, int] | None = None) -> Iterator[Door]:
    """A device of its own for somebody on the desk's staff."""
    visitor = Visitor(app, "scanner@example.org")
    cookie = visitor.client.get_cookie("carnet", domain="127.0.0.1")
    if cookie is None:
        raise AssertionError("no session's cookie")
    context = browser.new_context(viewport=viewport or PHONE, permissions=["camera"])
    context.add_cookies([{"name": "carnet", "value": cookie.value, "url": site}])
    for script in (CAMERA, STORAGE):
        context.add_init_script(script)
    try:
        yield Door(context, site, desk)
    finally:
        context.close()


@contextmanager
def device_door(browser: Browser, site: str, desk: int, link: str) -> Iterator[Door]:
    """A tablet that nobody is signed in on, paired by a link."""
    context = browser.new_context(viewport=PHONE, permissions=["camera"])
    for script in (CAMERA, STORAGE):
        context.add_init_script(script)
    try:
        at_door = Door(context, site, desk)
        at_door.page.goto(f"{site}/scan/pair/{link}")
        at_door.page.locator("main form button").click()
        expect(at_door.page).to_have_url(at_door.address)
        yield at_door
    finally:
        context.close()


def kept_scans(page: Page) -> list[dict[str, Any]]:
    """What the device keeps of scans the server does not have."""
    text = page.evaluate(
        """async () => {
          const {all} = await import("/static/scanner/store.js");
          return JSON.stringify(await all("scans"));
        }"""
    )
    found: list[dict[str, Any]] = json.loads(text)
    return found
