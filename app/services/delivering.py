"""Sending one webhook: signed after the Standard Webhooks specification, bounded in time, its answer judged."""

from __future__ import annotations

import base64
import hmac
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from socket import gaierror

import httpx
from flask import current_app

from app import outgoing

TIME_LIMIT = 10.0  # seconds for everything: looking up, connecting, sending, the whole answer
ANSWER_READ = 2000  # bytes
ANSWER_KEPT = 200  # characters


@dataclass(frozen=True)
class Outcome:
    """`reason`: delivered, status, redirect, gone, timeout, no_such_name, tls, unreachable, forbidden or bad_answer.

    `answer` is the beginning of what was said with a refusal.
    """

    reason: str
    status: int | None
    milliseconds: int
    answer: str | None = None


def send(url: str, secrets: Sequence[str], message_id: str, body: str, at: datetime) -> Outcome:
    """POST a message, signed with each of the secrets. Never called inside a transaction; follows nobody elsewhere.

    `at` is the true time, which the receiver compares with its own.
    """
    seconds, content = int(at.timestamp()), body.encode()
    headers = {
        "content-type": "application/json",
        "user-agent": "Carnet",
        "accept-encoding": "identity",
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(sign(secret, message_id, seconds, content) for secret in secrets),
    }
    private_hosts, began = current_app.config["WEBHOOK_PRIVATE_HOSTS"], time.monotonic()
    status, answer = None, None
    try:
        with (
            outgoing.client(tls(), private_hosts=private_hosts, within=TIME_LIMIT) as client,
            client.stream("POST", url, content=content, headers=headers) as response,
        ):
            status = response.status_code
            reason = _judged(status)
            if reason != "delivered":  # what is said with a yes is not read
                answer = _beginning(response)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        reason = _trouble(error)
    return Outcome(reason, status, round((time.monotonic() - began) * 1000), answer)


@cache
def tls() -> ssl.SSLContext:
    """One for all messages of a process: making it reads the certificates of every authority."""
    return outgoing.tls()


def sign(secret: str, message_id: str, seconds: int, body: bytes) -> str:
    """ "v1,…": HMAC-SHA256 over id, time and body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.digest(key, f"{message_id}.{seconds}.".encode() + body, "sha256")).decode()


def _judged(status: int) -> str:
    if 200 <= status < 300:
        return "delivered"
    if 300 <= status < 400:
        return "redirect"
    return "gone" if status == 410 else "status"


def _beginning(response: httpx.Response) -> str | None:
    read = b""
    with suppress(httpx.HTTPError):
        for chunk in response.iter_raw():
            read += chunk
            if len(read) >= ANSWER_READ:
                break
    text = "".join(sign if sign.isprintable() else " " for sign in read[:ANSWER_READ].decode("utf-8", "replace"))
    return " ".join(text.split())[:ANSWER_KEPT] or None


def _trouble(error: Exception) -> str:
    if isinstance(error, outgoing.ForbiddenTarget):
        return "forbidden"
    if isinstance(error, httpx.TimeoutException):
        return "timeout"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, gaierror | UnicodeError):
            return "no_such_name"
        if isinstance(cause, ssl.SSLError):
            return "tls"
        cause = cause.__cause__ or cause.__context__
    return "bad_answer" if isinstance(error, httpx.ProtocolError) else "unreachable"
