"""Calls to others go over https to public addresses, follow nobody elsewhere and wait for nobody for long."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import httpx
import pytest
from flask import Flask

from app import outgoing
from app.outgoing import ForbiddenTarget, addresses_of, is_public, refuse_url

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PUBLIC, INSIDE = "93.184.216.34", "10.0.0.1"


def leads_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Have every name lead to these addresses, look-up by look-up; answers the names that were asked for."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[tuple[object, ...]]:
        asked.append(host)
        now = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in now]

    monkeypatch.setattr(outgoing, "getaddrinfo", resolve)
    return asked


@pytest.mark.parametrize(
    "url",
    [
        "http://198.51.100.7/", "https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3/", "https://192.168.1.1:8443/",
        "https://169.254.169.254/latest", "https://[fe80::1]/", "https://[::ffff:10.0.0.1]/", "https://0.0.0.0/",
        "https://100.64.0.1/", "https://localhost/", "ftp://93.184.216.34/", "https:///path", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_in_production_no_address_of_the_inner_network_is_called(app: Flask, url: str) -> None:
    with pytest.raises(ForbiddenTarget):
        refuse_url(url, is_production=True)


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:100.64.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "2002:a00:1::", "fec0::1", "224.0.0.1",
        "ff02::1", "240.0.0.1", "::", "fd00::1", "2001:0:4136:e378:8000:63bf:f5ff:fffe",
    ],
)  # fmt: skip
def test_an_inner_address_in_another_dress_is_an_inner_address(app: Flask, address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_an_address_of_the_open_internet_is_public(app: Flask, address: str) -> None:
    assert is_public(ip_address(address))


def test_a_public_address_over_https_is_called(app: Flask) -> None:
    refuse_url("https://93.184.216.34/", is_production=True)


@pytest.mark.parametrize("is_production", [True, False])
def test_a_name_of_which_one_address_is_inside_is_refused(
    app: Flask, monkeypatch: pytest.MonkeyPatch, is_production: bool
) -> None:
    leads_to(monkeypatch, [PUBLIC, INSIDE])
    with pytest.raises(ForbiddenTarget):
        addresses_of("two-faced.example.org", 443, is_production)
    assert addresses_of("two-faced.example.org", 443, is_production, {"two-faced.example.org"}) == [PUBLIC, INSIDE]


def test_at_home_only_this_machine_is_called_without_tls(app: Flask) -> None:
    refuse_url("http://127.0.0.1:9/", is_production=False)
    with pytest.raises(ForbiddenTarget):
        refuse_url("http://alumni.example.org/", is_production=False)
    with outgoing.client() as client:
        assert client.follow_redirects is False and client.timeout == httpx.Timeout(10)
        with pytest.raises(ForbiddenTarget):
            client.get("http://alumni.example.org/")


def test_a_name_that_changes_its_mind_is_called_where_it_was_judged(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = leads_to(monkeypatch, [PUBLIC], [INSIDE])
    called: list[str] = []

    def connect(address: tuple[str, int], *_rest: object, **_more: object) -> socket.socket:
        called.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    with outgoing.client() as client, pytest.raises(httpx.ConnectError):
        client.get("https://rebinding.example.org/")
    assert (asked, called) == (["rebinding.example.org"], [PUBLIC])
    with outgoing.client() as client, pytest.raises(ForbiddenTarget):
        client.get("https://rebinding.example.org/")
    assert called == [PUBLIC]


@contextmanager
def trickling(first: bytes) -> Iterator[str]:
    """A server that says `first` and then a letter now and again; its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            connection, _address = server.accept()
            with connection:
                connection.recv(65536)
                try:
                    connection.sendall(first)
                    for _letter in range(200):
                        connection.sendall(b"x")
                        time.sleep(0.05)
                except OSError:
                    pass  # they have had enough

        threading.Thread(target=speak, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"])
def test_who_answers_a_letter_at_a_time_is_left_after_the_time_for_all_of_it(app: Flask, first: bytes) -> None:
    with trickling(first) as url, outgoing.client(within=0.4) as client:
        began = time.monotonic()
        with pytest.raises(httpx.TimeoutException):
            client.get(url)
        assert time.monotonic() - began < 1.5
