"""Calls to other people's servers: over https, to public addresses, with time limits, following no redirect.

A name is looked up once, every address it has is judged, and the connection goes to one of those very addresses: what
the name leads to a moment later does not matter. TLS and the Host header keep the name.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from socket import gaierror, getaddrinfo
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx
from flask import current_app

from config import LOOPBACK

TIMEOUT = 10.0  # seconds for each of connecting, sending and waiting
NAT64 = IPv6Network("64:ff9b::/96")


class ForbiddenTarget(OSError):
    """An address that this server must not call: not https, or inside its own network. For callers like no answer."""


def tls() -> ssl.SSLContext:
    """Verifies against the certificates httpx ships, or those of SSL_CERT_FILE."""
    return httpx.create_ssl_context()


def client(
    context: ssl.SSLContext | None = None, http2: bool = False, private_hosts: Collection[str] = (),
    within: float | None = None,
) -> httpx.Client:  # fmt: skip
    """A client for one task; close it. `context` may carry a certificate of our own.

    `private_hosts` are names the administrator lets lead inside; `within` seconds all of the task has to be done, an
    answer that trickles included.
    """
    is_production: bool = current_app.config["PRODUCTION"]

    def check(request: httpx.Request) -> None:
        refuse_url(str(request.url), is_production, private_hosts)

    transport = _Transport(context or tls(), http2, _Guard(is_production, private_hosts, within))
    return httpx.Client(
        transport=transport, follow_redirects=False, timeout=TIMEOUT, trust_env=False, event_hooks={"request": [check]}
    )


def refuse_url(url: str, is_production: bool, private_hosts: Collection[str] = ()) -> None:
    """Raises ForbiddenTarget for what an address says by itself; where its name leads is judged when it is called.

    Outside production a server on this machine may be called, over http too.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not is_production and host in LOOPBACK:
        return
    if parts.scheme != "https" or not host:
        raise ForbiddenTarget(f"not https: {host}")
    if host in LOOPBACK - set(private_hosts):
        raise ForbiddenTarget(f"not a public address: {host}")
    try:
        literal = ip_address(host)
    except ValueError:
        return
    if host not in private_hosts and not is_public(literal):
        raise ForbiddenTarget(f"not a public address: {host}")


def addresses_of(host: str, port: int, is_production: bool, private_hosts: Collection[str] = ()) -> list[str]:
    """Where a name leads. Raises ForbiddenTarget when any of it is inside, gaierror when it leads nowhere."""
    found = list(dict.fromkeys(str(entry[4][0]) for entry in getaddrinfo(host, port)))
    if host in private_hosts or (not is_production and host in LOOPBACK):
        return found
    if not all(is_public(ip_address(address.partition("%")[0])) for address in found):
        raise ForbiddenTarget(f"not a public address: {host}")
    return found


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Of the open internet; an IPv6 address that stands for an IPv4 one is judged as that."""
    if isinstance(address, IPv6Address):
        within = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in NAT64:
            within = IPv4Address(int(address) & 0xFFFFFFFF)
        if within is not None:
            return is_public(within)
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class _Transport(httpx.HTTPTransport):
    """httpx's own, over connections that the guard makes."""

    def __init__(self, context: ssl.SSLContext, http2: bool, guard: _Guard) -> None:
        super().__init__(verify=context, http2=http2, trust_env=False)
        self._pool = httpcore.ConnectionPool(ssl_context=context, http2=http2, network_backend=guard)


class _Guard(httpcore.NetworkBackend):
    """Connects to the addresses that were judged, and to no others."""

    def __init__(self, is_production: bool, private_hosts: Collection[str], within: float | None) -> None:
        self._is_production, self._private_hosts = is_production, private_hosts
        self._ends = None if within is None else time.monotonic() + within
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        try:
            addresses = addresses_of(host, port, self._is_production, self._private_hosts)
        except (gaierror, UnicodeError) as error:
            raise httpcore.ConnectError("no such name") from error
        trouble: httpcore.NetworkError | httpcore.TimeoutException = httpcore.ConnectError("no address")
        for address in addresses:
            left = _left(self._ends, timeout)
            try:
                stream = self._sockets.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
            else:
                return _Bounded(stream, self._ends)
        raise trouble


class _Bounded(httpcore.NetworkStream):
    """A connection that nobody can hold open beyond the end of the task, however slowly they speak."""

    def __init__(self, stream: httpcore.NetworkStream, ends: float | None) -> None:
        self._stream, self._ends = stream, ends

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._ends, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._ends, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Bounded(self._stream.start_tls(ssl_context, server_hostname, _left(self._ends, timeout)), self._ends)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(ends: float | None, timeout: float | None) -> float | None:
    """Seconds that one more step may take."""
    if ends is None:
        return timeout
    left = ends - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("out of time")
    return left if timeout is None else min(left, timeout)
