"""Our own files travel packed: the smallest form that the browser takes and that belongs to the file."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import brotli
import pytest
from flask import Flask

from app.static_files import serve_static_files
from make import assets

TEXT = b"body{color:black}" * 100


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A static folder as `make assets` leaves it."""
    (tmp_path / "one.css").write_bytes(TEXT)
    (tmp_path / "one.wasm").write_bytes(b"\0asm" + TEXT)
    (tmp_path / "one.woff2").write_bytes(TEXT)
    monkeypatch.setattr(assets, "STATIC", tmp_path)
    for file, ending in list(assets.stale()):
        assets.compress(file, ending)
    return tmp_path


@pytest.fixture
def site(folder: Path) -> Flask:
    app = Flask(__name__, static_folder=str(folder), static_url_path="/static")
    serve_static_files(app)
    return app


@pytest.mark.parametrize(
    ("taken", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"), ("br", "br"), ("gzip", "gzip"), ("gzip;q=1.0, br;q=0", "gzip"),
        ("*", "br"), ("identity", None), ("", None), ("gzip;q=0, br;q=0", None), ("zstd", None),
    ],
)  # fmt: skip
def test_a_browser_gets_the_smallest_form_it_takes(site: Flask, taken: str, coding: str | None) -> None:
    response = site.test_client().get("/static/one.css", headers={"Accept-Encoding": taken}, buffered=True)
    assert response.headers.get("Content-Encoding") == coding
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.mimetype == "text/css"
    unpacked = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[coding]
    assert unpacked(response.data) == TEXT


def test_webassembly_stays_webassembly_when_packed(site: Flask) -> None:
    response = site.test_client().get("/static/one.wasm", headers={"Accept-Encoding": "br"}, buffered=True)
    assert (response.mimetype, response.headers["Content-Encoding"]) == ("application/wasm", "br")


def test_a_font_is_packed_already(site: Flask) -> None:
    response = site.test_client().get("/static/one.woff2", headers={"Accept-Encoding": "br, gzip"}, buffered=True)
    assert "Content-Encoding" not in response.headers
    assert response.data == TEXT


@pytest.mark.parametrize(("ending", "then"), [(".br", "gzip"), (".gz", "br")])
def test_a_packed_file_of_another_version_is_never_sent(site: Flask, folder: Path, ending: str, then: str) -> None:
    os.utime(folder / f"one.css{ending}", (1, 1))
    response = site.test_client().get("/static/one.css", headers={"Accept-Encoding": "br, gzip"}, buffered=True)
    assert response.headers["Content-Encoding"] == then


def test_only_what_changed_is_packed_again(folder: Path) -> None:
    assert list(assets.stale()) == []
    os.utime(folder / "one.css", (1, 1))
    assert sorted(assets.stale()) == [(folder / "one.css", ".br"), (folder / "one.css", ".gz")]
    (folder / "one.wasm.br").unlink()
    assert (folder / "one.wasm", ".br") in set(assets.stale())
