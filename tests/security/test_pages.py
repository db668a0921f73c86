"""What every page is made of: nothing inline, nothing from elsewhere, every sentence translatable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from flask import Flask

import config as settings
from app import create_app
from app.association import get_association
from app.extensions import db
from tests.cast import Cast
from tests.databases import configuration
from tests.security.crawling import PEOPLE, Page, crawl

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
APP = Path(__file__).resolve().parent.parent.parent / "app"
MADE_UP = "eo"
URLS = {"href", "src", "action", "formaction", "srcset", "poster", "data", "content", "xlink:href"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
READ_OUT = {"aria-label", "title", "alt", "placeholder", "aria-description", "label"}


class Elements(HTMLParser):
    """Collects what a page may not have, and the texts that a person reads."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.texts: list[str] = []
        self.open: list[tuple[str, bool]] = []  # tag, and whether its text is no language of the page's

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        for name, value in attributes.items():
            address = value.strip().lower()
            if name == "style" or name.startswith("on"):
                self.faults.append(f"<{tag} {name}>")
            if name in URLS and re.match(r"(https?:|//|javascript:|ftp:)", address) and tag not in ("meta",):
                self.faults.append(f"<{tag} {name}={value}>")
            if name in READ_OUT or name.startswith("data-") and " " in value.strip():
                self.texts.append(value)
        if tag == "style" or tag == "script" and not attributes.get("src"):
            if attributes.get("type") != "application/json":
                self.faults.append(f"<{tag}> inline")
        if tag == "input" and attributes.get("type") in ("submit", "button"):
            self.texts.append(attributes.get("value", ""))
        if tag not in VOID:
            silent = tag in ("script", "style", "code", "time") or ("lang" in attributes and tag != "html")
            self.open.append((tag, silent or any(quiet for _tag, quiet in self.open)))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not (self.open and self.open[-1][1]):
            self.texts.append(data)


def elements(html: str) -> Elements:
    parser = Elements()
    parser.feed(html)
    return parser


def test_no_page_has_anything_inline_or_from_elsewhere(app: Flask, cast: Cast, unlimited: None) -> None:
    faults = set()
    for page in crawl(app, cast):
        faults |= {(page.path, fault) for fault in elements(page.html).faults}
        shown = re.sub(r"<template.*?</template>", "", page.html, flags=re.DOTALL)
        if '<html lang="en"' not in shown or shown.count("<h1") != 1 or shown.count("<title>") != 1:
            faults.add((page.path, "not one language, one heading, one title"))
    assert faults == set()


def made_up_catalogue() -> Catalog:
    """Every text of the application in brackets, extracted the way translators get them."""
    catalogue = Catalog(locale=MADE_UP)
    found = extract_from_dir(
        APP, [("**.py", "python"), ("templates/**.html", "jinja2"), ("templates/**.txt", "jinja2")],
        keywords={"_": None, "gettext": None, "_l": None, "lazy_gettext": None, "ngettext": (1, 2)},
    )  # fmt: skip
    for _file, _line, message, _comments, _context in found:
        if isinstance(message, tuple):
            catalogue.add(message, tuple(bracketed(form) for form in message))
        else:
            catalogue.add(message, bracketed(message))
    return catalogue


def bracketed(message: str) -> str:
    """⟦Ended on ⟧%(day)s: what is filled in stays outside, so that it must be data or translated itself."""
    parts = re.split(r"(%\(\w+\)[sd])", message)
    return "".join(part if part.startswith("%(") or not part.strip() else f"⟦{part}⟧" for part in parts)


@pytest.fixture
def made_up_app(database_url: str, instance: Path, tmp_path: Path) -> Iterator[Flask]:
    """The application with one more language, in which every translated text stands in ⟦brackets⟧."""
    folder = tmp_path / "translations" / MADE_UP / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "messages.mo").open("wb") as file:
        write_mo(file, made_up_catalogue())

    class MadeUp(settings.Config):
        BABEL_TRANSLATION_DIRECTORIES = str(tmp_path / "translations")

    config = configuration(database_url, instance, MAIL_URL=(tmp_path / "mail").as_uri())
    app = create_app(MadeUp(**{field.name: getattr(config, field.name) for field in fields(config)}))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def untranslated(page: Page, data: re.Pattern[str]) -> Iterator[str]:
    whole = elements(page.html)
    for text in whole.texts:
        left = data.sub(" ", re.sub(r"⟦[^⟦⟧]*⟧", "|", text))
        if re.search(r"[^\W\d_]", left):
            yield " ".join(text.split())


def data_of() -> re.Pattern[str]:
    """What is nobody's to translate: names, addresses, numbers, codes, days and money as the language writes them."""
    association = get_association()
    words = [
        association.name, association.kind, "Campus Wi-Fi", "Sports hall", "Basic", "Plus", "Veteran", "Junior",
        "Alumni-trial", "Carnet Wi-Fi, for trying out", "radius.wifi.example.org", "wifi.example.org", "Phone",
        "Main desk", "Gym", "Library", "English", "Esperanto", "Question", "Answer", "Problem",
        *(name for one in PEOPLE for name in (*one, " ".join(one))),
    ]  # fmt: skip
    patterns = [
        *(re.escape(word) for word in sorted(words, key=len, reverse=True)),
        r"[\w.+-]+@[\w.-]+", r"[MPR]-[\d-]+", r"[A-Z]{1,2}-?\d{4}-\d+", r"EUR", r"\b[0-9A-F]{8}\b", r"refund-\d+",
        r"\b\w+o 20\d\d\b",  # a month
        r"\b[2-9A-Z]{4}(?:-[2-9A-Z]{4}){2}\b", r"\|[2-9A-Z]{4}\|",  # codes for shops, and how one ends
        r"\d{4}-\w+-\d{2}",  # days as the made-up language writes them
        r"\b(?:RF|ES)\d\d\b", r"\bP\d{3}\b",  # a reference and an account in fours
        r"RF\d\dP\d+", r"\btest\b",  # a transfer's reference, and who entered what the tests made
        r"(?:GET|POST) /api/v1/\S+", r"\A(?:query|header)\Z", r"\b(?:curl|Python)\b",  # what a program asks
        r"(?<=\|)(?:members|payments|redeem)(?=\|)", r"\A\s*scan\s*\Z",  # scopes
        r"verify", r"“alice”", r"'x!?'",  # a scope, what was searched for, what was typed
        r"\b(?:basic|plus|veteran|junior)\b",  # codes of tiers
        r"Browser", r"Not a valid choice\.",  # named by the browser; WTForms translates its own
    ]  # fmt: skip
    return re.compile("|".join(patterns))


def test_whatever_a_person_reads_can_be_translated(made_up_app: Flask, unlimited: None) -> None:
    cast = Cast.assemble()
    data = data_of()
    left: dict[str, str] = {}
    pages = 0
    for page in crawl(made_up_app, cast, MADE_UP):
        pages += 1
        assert f'<html lang="{MADE_UP}"' in page.html, page.path
        for text in untranslated(page, data):
            left.setdefault(text, f"{page.who} {page.path}")
    assert pages > 200
    assert not left, "\n".join(f"{text!r} on {where}" for text, where in left.items())
