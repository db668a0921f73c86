"""Apple's push service (HTTP/2 over TLS, asking for our certificate) and Google's wallet API, on this machine."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded


@dataclass
class Push:
    path: str
    headers: dict[str, str]
    body: bytes
    subject: dict[str, str]


@dataclass
class PushServer:
    """`answers` gives a token another answer than 200: status and reason. `on_push` runs before each answer."""

    folder: Path
    pushes: list[Push] = field(default_factory=list)
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    on_push: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}"
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(self.folder / "server.pem")
        self.tls.load_verify_locations(self.folder / "chain.pem")
        self.tls.verify_mode = ssl.CERT_REQUIRED
        self.tls.set_alpn_protocols(["h2"])
        threading.Thread(target=self._listen, daemon=True).start()

    def tokens(self) -> list[str]:
        return sorted(push.path.rpartition("/")[2] for push in self.pushes)

    def stop(self) -> None:
        self.listener.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _address = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    with self.tls.wrap_socket(connection, server_side=True) as secure:
                        self._talk(secure)
                except (OSError, ssl.SSLError):
                    continue

    def _talk(self, secure: ssl.SSLSocket) -> None:
        if secure.selected_alpn_protocol() != "h2":
            return
        certificate = secure.getpeercert() or {}
        subject = {name: value for part in certificate["subject"] for name, value in part}
        protocol = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        protocol.initiate_connection()
        secure.sendall(protocol.data_to_send())
        open_streams: dict[int, Push] = {}
        while data := secure.recv(65535):
            for event in protocol.receive_data(data):
                if isinstance(event, RequestReceived):
                    headers = {str(name): str(value) for name, value in event.headers}
                    open_streams[event.stream_id] = Push(headers[":path"], headers, b"", subject)
                elif isinstance(event, DataReceived):
                    open_streams[event.stream_id].body += event.data
                elif isinstance(event, StreamEnded):
                    self._answer(protocol, event.stream_id, open_streams.pop(event.stream_id))
            secure.sendall(protocol.data_to_send())

    def _answer(self, protocol: H2Connection, stream: int, push: Push) -> None:
        self.on_push()
        self.pushes.append(push)
        status, reason = self.answers.get(push.path.rpartition("/")[2], (200, ""))
        protocol.send_headers(stream, [(":status", str(status)), ("content-type", "application/json")])
        protocol.send_data(stream, json.dumps({"reason": reason}).encode() if reason else b"", end_stream=True)


@dataclass
class GoogleServer:
    """Keeps objects and classes; `status` makes every wallet call answer that instead. `on_call` runs before each."""

    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    classes: set[str] = field(default_factory=set)
    assertions: list[str] = field(default_factory=list)
    status: int = 0
    on_call: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        google = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def _handle(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, answer = google.handle(self.command, self.path, dict(self.headers), body)
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_PATCH = _handle

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def handle(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        self.on_call()
        if path == "/token":
            form = parse_qs(body.decode())
            if form["grant_type"] != ["urn:ietf:params:oauth:grant-type:jwt-bearer"]:
                return 400, {"error": "unsupported_grant_type"}
            self.assertions.append(form["assertion"][0])
            return 200, {"access_token": "leave-to-change", "expires_in": 3599, "token_type": "Bearer"}
        if headers.get("Authorization") != "Bearer leave-to-change":
            return 401, {}
        document = json.loads(body)
        self.calls.append((method, path.removeprefix("/walletobjects/v1"), document))
        if self.status:
            return self.status, {}
        return self._keep(method, path, document)

    def _keep(self, method: str, path: str, document: dict[str, Any]) -> tuple[int, Any]:
        name = document["id"]
        if path == "/walletobjects/v1/genericClass" and method == "POST":
            status = 409 if name in self.classes else 200
            self.classes.add(name)
            return status, document
        if method == "PATCH" and path == f"/walletobjects/v1/genericObject/{name}":
            if name not in self.objects:
                return 404, {}
            self.objects[name].update(document)
            return 200, self.objects[name]
        if path != "/walletobjects/v1/genericObject" or document["classId"] not in self.classes:
            return 400, {}
        if name in self.objects:
            return 409, {}
        self.objects[name] = document
        return 200, document
