"""A page in Chromium that imports our scripts and nothing else: no application, no network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.door import CHROMIUM, QUIET

STATIC = Path(__file__).parents[2] / "app" / "static"


class _StaticFiles(SimpleHTTPRequestHandler):
    """app/static, and an empty page at /."""

    def do_GET(self) -> None:
        if self.path != "/":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>test</title>")

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def empty_page() -> Iterator[Page]:
    """Scripts are imported from it by their path under app/static: import("/scanner/verifier.js")."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_StaticFiles, directory=str(STATIC)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        yield page
        browser.close()
    server.shutdown()
    server.server_close()
