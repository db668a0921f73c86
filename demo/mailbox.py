"""A page that shows every mail the demo sent: what people would find in their inboxes."""

from __future__ import annotations

import email
import email.policy
import logging
import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import cast

from flask import Flask, Response, abort, render_template
from werkzeug.serving import WSGIRequestHandler, make_server

HOST = "127.0.0.1"
SHOWN = 100
# A letter may style itself; it may load nothing and run nothing.
LETTER_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-popups"
LINK = re.compile(r"https?://[^\s<>\"]+")


@dataclass(frozen=True)
class Letter:
    name: str
    at: datetime
    to: str
    subject: str
    text: str
    html: str


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        logging.getLogger("demo.mailbox").debug(message, *args)


class Mailbox:
    """A running mailbox page at `url`."""

    def __init__(self, port: int, folder: Path) -> None:
        self._server = make_server(HOST, port, make_app(folder), threaded=True, request_handler=_Quiet)
        self.url = f"http://{HOST}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def start(port: int, folder: Path) -> Mailbox:
    return Mailbox(port, folder)


def make_app(folder: Path) -> Flask:
    app = Flask(__name__, static_folder="simulator/static", template_folder="templates")

    @app.get("/")
    def index() -> str:
        newest = sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime, reverse=True)[:SHOWN]
        return render_template("mailbox.html", letters=[read(path) for path in newest])

    @app.get("/<name>")
    def letter(name: str) -> str:
        found = read(_path(folder, name))
        return render_template("letter.html", letter=found, links=LINK.findall(found.text))

    @app.get("/<name>/html")
    def letter_html(name: str) -> Response:
        response = Response(read(_path(folder, name)).html, mimetype="text/html")
        response.headers["Content-Security-Policy"] = LETTER_POLICY
        return response

    return app


def _path(folder: Path, name: str) -> Path:
    path = folder / f"{name}.eml"
    if not re.fullmatch(r"[0-9a-f]{32}", name) or not path.is_file():
        abort(404)
    return path


def read(path: Path) -> Letter:
    message = cast(EmailMessage, email.message_from_bytes(path.read_bytes(), policy=email.policy.default))
    bodies = {}
    for kind in ("plain", "html"):
        part = message.get_body((kind,))
        bodies[kind] = str(part.get_content()) if part is not None else ""
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return Letter(path.stem, at, str(message["To"]), str(message["Subject"]), bodies["plain"], bodies["html"])
