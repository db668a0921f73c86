"""An access controller that takes Disconnect-Requests (RFC 5176) on a real UDP port."""

from __future__ import annotations

import socket
import struct
import threading
from dataclasses import dataclass

from pyrad import packet

SECRET = b"a-secret-of-twenty-letters"


@dataclass(frozen=True)
class Asked:
    """What a request said. `is_genuine`: its authenticator and its Message-Authenticator are made with our secret."""

    user: str
    session: str | None
    at: int
    is_genuine: bool


class Controller:
    """Answers ACK for the users in `online`, who then are not, else NAK "no such session"; nothing while `is_deaf`."""

    def __init__(self, *online: str, error_cause: int = 503) -> None:
        self.online, self.error_cause, self.is_deaf = set(online), error_cause, False
        self.asked: list[Asked] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.name = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def setting(self) -> str:
        return f"{self.name} {SECRET.decode()}"

    def stop(self) -> None:
        here = self._socket.getsockname()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", here)
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            content, sender = self._socket.recvfrom(4096)
            if not content:
                return
            if not self.is_deaf:
                self._socket.sendto(self._answer(content), sender)

    def _answer(self, content: bytes) -> bytes:
        request = packet.CoAPacket(packet=content, secret=SECRET)
        user, session = request[1][0].decode(), request.get(44, [None])[0]
        genuine = request.VerifyCoARequest() and request.verify_message_authenticator()
        (at,) = struct.unpack("!I", request[55][0])
        self.asked.append(Asked(user, session.decode() if session else None, at, genuine))
        reply = request.CreateReply()
        if user not in self.online:
            reply.code = packet.DisconnectNAK
            reply[101] = [struct.pack("!I", self.error_cause)]
        self.online.discard(user)
        return reply.ReplyPacket()
