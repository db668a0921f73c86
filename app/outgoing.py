"""Calls to other people's servers: over https, to public addresses, with time limits, following no redirect."""

from __future__ import annotations

import ssl
from ipaddress import ip_address
from socket import getaddrinfo
from urllib.parse import urlsplit

import httpx
from flask import current_app

from config import is_loopback

TIMEOUT = 10.0  # seconds for each of connecting, sending and waiting


class ForbiddenTarget(OSError):
    """An address that this server must not call: not https, or inside its own network. For callers like no answer."""


def tls() -> ssl.SSLContext:
    """Verifies against the certificates httpx ships, or those of SSL_CERT_FILE."""
    return httpx.create_ssl_context()


def client(context: ssl.SSLContext | None = None, http2: bool = False) -> httpx.Client:
    """A client for one task; close it. `context` may carry a certificate of our own."""
    return httpx.Client(
        verify=context or tls(), http2=http2, follow_redirects=False, timeout=TIMEOUT, trust_env=False,
        event_hooks={"request": [_check]},
    )  # fmt: skip


def refuse_target(url: str, is_production: bool) -> None:
    """Raises ForbiddenTarget. Outside production a server on this machine may be called, over http too."""
    parts = urlsplit(url)
    if not is_production and is_loopback(url):
        return
    if parts.scheme != "https" or not parts.hostname:
        raise ForbiddenTarget(f"not https: {parts.hostname}")
    if is_production:
        found = {str(entry[4][0]) for entry in getaddrinfo(parts.hostname, parts.port or 443)}
        if not all(ip_address(address.partition("%")[0]).is_global for address in found):
            raise ForbiddenTarget(f"not a public address: {parts.hostname}")


def _check(request: httpx.Request) -> None:
    refuse_target(str(request.url), current_app.config["PRODUCTION"])
