"""Calls to others go over https to public addresses, follow nobody elsewhere and wait for nobody for long."""

from __future__ import annotations

import socket

import httpx
import pytest
from flask import Flask

from app import outgoing
from app.outgoing import ForbiddenTarget, refuse_target

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://198.51.100.7/", "https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3/", "https://192.168.1.1:8443/",
        "https://169.254.169.254/latest", "https://[fe80::1]/", "https://[::ffff:10.0.0.1]/", "https://0.0.0.0/",
        "https://100.64.0.1/", "ftp://93.184.216.34/", "https:///path", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_in_production_no_address_of_the_inner_network_is_called(app: Flask, url: str) -> None:
    with pytest.raises(ForbiddenTarget):
        refuse_target(url, is_production=True)


def test_a_public_address_over_https_is_called(app: Flask) -> None:
    refuse_target("https://93.184.216.34/", is_production=True)


def test_a_name_that_leads_inside_is_refused(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(_host: str, _port: int) -> list[tuple[object, ...]]:
        public, private = ("93.184.216.34", 443), ("10.0.0.1", 443)
        return [(socket.AF_INET, 0, 0, "", address) for address in (public, private)]

    monkeypatch.setattr(outgoing, "getaddrinfo", resolve)
    with pytest.raises(ForbiddenTarget):
        refuse_target("https://two-faced.example.org/", is_production=True)


def test_at_home_only_this_machine_is_called_without_tls(app: Flask) -> None:
    refuse_target("http://127.0.0.1:9/", is_production=False)
    with pytest.raises(ForbiddenTarget):
        refuse_target("http://alumni.example.org/", is_production=False)
    with outgoing.client() as client:
        assert client.follow_redirects is False and client.timeout == httpx.Timeout(10)
        with pytest.raises(ForbiddenTarget):
            client.get("http://alumni.example.org/")
