"""The administrator sees every letter before anybody gets it, as it will be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from app import clock, mail
from app.portal.mail_samples import Sample, samples
from tests.cast import Cast
from tests.security.test_pages import made_up_app  # noqa: F401 -- a fixture: a second language
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
LETTERS = Path(__file__).resolve().parent.parent.parent / "app" / "templates" / "mail"
# What is nobody's to translate, as the made-up facts have it.
DATA = re.compile(
    r"https?://\S+|[\w.+-]+@[\w.-]+|Universitat de Montjuïc|Alumni|Alice|Soler|Bob|Plus|[MPR]-?\d[\d-]+|EUR|"
    r"For your exam, at last\.|\b(?:ES|RF)\d\d [\dP ]+|\d{4}-\w+-\d{2}"
)


def found() -> dict[str, Sample]:
    return samples(clock.now(), clock.today())


def test_every_letter_there_is_has_a_preview(app: Flask) -> None:
    assert {sample.letter for sample in found().values()} == {file.stem for file in LETTERS.glob("*.txt")}
    assert [file for file in LETTERS.iterdir() if file.suffix != ".txt" and file.name != "frames"] == []


def test_every_letter_is_small_whole_and_the_same_twice(app: Flask) -> None:
    for name, sample in found().items():
        letter = mail.write(sample.letter, "en", **sample.facts)
        assert len(letter.html.encode()) < 5000, name
        assert letter.subject and "\n" not in letter.subject and len(letter.subject) < 78, name
        assert letter.html.count("<h1") == 1 and len(re.findall(r'class="e-btn"', letter.html)) <= 1, name
        assert len(re.findall('<tr><td class="e-soft e-line"', letter.html)) <= 3, name
        assert not re.search(r"<img|<script|url\(|@import|\bsrc=", letter.html), name
        assert "None" not in letter.text and "{" not in letter.text, name
        for link in re.findall(r'href="([^"]+)"', letter.html):  # what can be pressed can be copied
            assert link in letter.text, (name, link)


def test_every_letter_is_written_in_every_language(made_up_app: Flask) -> None:  # noqa: F811
    assert {"en", "eo"} <= set(made_up_app.extensions["languages"])
    for language in made_up_app.extensions["languages"]:
        for name, sample in found().items():
            letter = mail.write(sample.letter, language, **sample.facts)
            assert f'<html lang="{language}">' in letter.html
            if language == "eo":
                said = re.sub(r"⟦[^⟦⟧]*⟧", " ", f"{letter.subject}\n{letter.text}")
                left = DATA.sub(" ", said)
                assert not re.search(r"[^\W\d_]", left), (name, " ".join(left.split()))


def test_the_administrator_reads_them_all(app: Flask, cast: Cast, unlimited: None) -> None:
    admin = Visitor(app, "admin@example.org")
    listed = admin.get("/admin/mails").get_data(as_text=True)
    for name, sample in found().items():
        subject = mail.write(sample.letter, "en", **sample.facts).subject
        page = admin.get(f"/admin/mails/{name}").get_data(as_text=True)
        assert f'href="/admin/mails/{name}"' in listed
        assert subject in " ".join(page.replace("\u00a0", " ").split()), name
        assert f'src="/admin/mails/{name}/letter?language=en"' in page and "sandbox" in page


def test_a_letter_styles_itself_and_can_do_nothing_else(app: Flask, cast: Cast) -> None:
    admin = Visitor(app, "admin@example.org")
    response = admin.get("/admin/mails/receipt/letter?language=en")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy and "script-src" not in policy
    assert "style-src 'unsafe-inline'" in policy and "frame-ancestors 'self'" in policy
    assert "<h1" in response.get_data(as_text=True)
    for page in ("/admin/mails", "/admin/mails/receipt"):
        assert "unsafe" not in admin.get(page).headers["Content-Security-Policy"]


def test_a_letter_that_is_not_there_and_a_language_nobody_speaks(app: Flask, cast: Cast) -> None:
    admin = Visitor(app, "admin@example.org")
    for path in ("/admin/mails/nothing", "/admin/mails/nothing/letter", "/admin/mails/..%2Freceipt"):
        assert admin.get(path).status_code == 404
    assert admin.get("/admin/mails/receipt?language=xx").status_code == 200
