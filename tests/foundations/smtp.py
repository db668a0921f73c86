"""A mail server on a port of its own: keeps what it is given, or refuses everybody it is told to refuse."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class MailServer:
    """`url` for MAIL_URL; `messages` as received; `refusing` answers 550 and quotes the address."""

    def __init__(self) -> None:
        self.refusing = False
        self.messages: list[bytes] = []
        self.tries = 0
        self.on_message: Callable[[], None] = lambda: None
        mail_server = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 mail.example.org\r\n")
                for line in self.rfile:
                    if not mail_server.answer(line.strip(), self):
                        return

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
        self.server.daemon_threads = True
        self.url = f"smtp://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, line: bytes, session: socketserver.StreamRequestHandler) -> bool:
        verb = line[:4].upper()
        said = b"250 good"
        if verb == b"RCPT":
            self.tries += 1
            if self.refusing:
                said = b"550 nobody here is " + line[8:]
        elif verb == b"DATA":
            session.wfile.write(b"354 go on\r\n")
            lines = list(iter(session.rfile.readline, b".\r\n"))
            self.on_message()
            self.messages.append(b"".join(lines))
        elif verb == b"QUIT":
            said = b"221 bye"
        session.wfile.write(said + b"\r\n")
        return verb != b"QUIT"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
