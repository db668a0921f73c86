"""The scanner as an installed page: what its worker keeps, and what its manifest says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from flask import Flask

from app.verification.install_views import asset_names, version
from app.verification.page_words import page_words
from tests.cast import Cast
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MOST_BYTES = 450_000


def version_of(app: Flask) -> str:
    with app.test_request_context():
        return version()


def test_the_worker_may_serve_the_scanner_alone_and_keeps_all_that_its_page_loads(app: Flask, cast: Cast) -> None:
    visitor = Visitor(app, "scanner@example.org")
    worker = visitor.get("/scan/worker.js")
    assert worker.mimetype == "text/javascript"
    assert worker.headers["Service-Worker-Allowed"] == "/scan"
    text = worker.get_data(as_text=True)
    page = visitor.get(f"/scan?desk={cast.desk.id}").get_data(as_text=True)
    assert text.startswith(f'const VERSION = "{version_of(app)}";\n')
    assert version_of(app) in page
    kept = re.findall(r'"(/static/[^"?]+)', text)
    loaded = set(re.findall(r'(?:src|href)="(/static/[^"?#]+)', page))
    assert loaded <= set(kept)
    scripts = {f"/static/scanner/{file.name}" for file in Path(app.static_folder or "", "scanner").glob("*.js")}
    assert scripts - set(kept) == {"/static/scanner/worker.js"}
    for address in kept:
        assert visitor.get(address).status_code == 200, address


def test_what_a_scanner_loads_is_at_most_450_kilobytes_as_sent(app: Flask) -> None:
    visitor = Visitor(app)
    sent = 0
    with app.test_request_context():
        names = asset_names()
    for name in names:
        response = visitor.get(f"/static/{name}", headers={"Accept-Encoding": "br"})
        assert response.headers.get("Content-Encoding", "br") == "br", name
        sent += len(response.data)
    assert 300_000 < sent <= MOST_BYTES


def test_another_version_of_a_file_is_another_version_of_the_scanner(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = version_of(app)
    monkeypatch.setattr(app, "static_folder", str(tmp_path))
    for name in ("scanner/worker.js", "scanner/a.js"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("one")
    second = version_of(app)
    (tmp_path / "scanner/a.js").write_text("two")
    third = version_of(app)
    assert len({first, second, third}) == 3
    os.utime(tmp_path / "scanner/a.js", (1, 1))
    assert version_of(app) == third  # what counts is what is in it


def test_an_installed_scanner_starts_at_its_desk_and_its_manifest_names_none(app: Flask, cast: Cast) -> None:
    stranger = Visitor(app)
    manifest = stranger.get(f"/scan/manifest.webmanifest?desk={cast.desk.id}")
    assert manifest.mimetype == "application/manifest+json"
    assert manifest.get_json(force=True)["start_url"] == f"/scan?desk={cast.desk.id}"
    facts = stranger.get("/scan/manifest.webmanifest?desk=x").get_json(force=True)
    assert (facts["start_url"], facts["scope"], facts["display"]) == ("/scan", "/scan", "standalone")
    assert cast.desk.name not in manifest.get_data(as_text=True)
    for icon in facts["icons"]:
        assert stranger.get(icon["src"]).status_code == 200


def test_a_count_is_said_for_each_of_the_numbers_the_page_knows_its_forms_by(app: Flask) -> None:
    with app.test_request_context():
        for name, words in page_words().items():
            if isinstance(words, list):
                assert [re.findall(r"\d+", form) for form in words] == [["1"], ["2"], ["5"]], name
            else:
                assert words and "%(" not in words, name
