"""The card on paper: of its right size, with a code that reads at 25 millimetres, and words for whoever holds it."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from PIL import Image, ImageFilter
from pypdf import PdfReader

from app.association import get_association
from app.cards.card_pdf import card_pdf
from app.cards.codes import static_code
from app.cards.facts import CardFacts
from app.cards.keys import CardKeys, generate
from app.memberships.service import FOR_LIFE
from tests.cards.printed import rasterise, read
from tests.cast import Cast
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TODAY, NOW = date(2026, 11, 23), datetime(2026, 11, 23, 10, tzinfo=UTC)
CODE = static_code(
    CardKeys([generate(1, TODAY)]), card_id=2**40 - 1, status_index=131_071, tier=2, expires_on=date(2028, 1, 17),
    card_base_url="https://" + "a" * 21 + ".org", today=TODAY,
)  # fmt: skip
FACTS = CardFacts(
    serial="1", state="valid", holder="Alice Soler", member_number="M-000123", language=None, tier_code="plus",
    tier_name="Plus", valid_until=date(2027, 12, 18), grace_until=date(2028, 1, 17), is_in_grace=False, code=CODE,
)  # fmt: skip
CHECK = "A printed code can be copied: check a photo or ID."


def text_of(content: bytes) -> str:
    [page] = PdfReader(io.BytesIO(content)).pages
    return " ".join(page.extract_text().replace("\u00a0", " ").split())


def millimetres(pixels: float, dots_per_inch: float) -> float:
    return pixels * 25.4 / dots_per_inch


def test_the_code_on_paper_reads_at_300_and_150_dots_and_at_25_millimetres(app: Flask) -> None:
    for is_sheet in (False, True):
        content = card_pdf(FACTS, is_sheet, NOW)
        for dots in (300, 150):
            seen = read(rasterise(content, dots))
            assert (seen.text, seen.version, seen.level, seen.quiet) == (CODE, "6", "M", True)
            size = millimetres(seen.side, dots)
            assert 25 <= size == pytest.approx(28.7, abs=0.5)
            smaller = rasterise(content, dots * 25 / 28.7)  # as if the code were 25 mm wide
            assert read(smaller).text == CODE
        shot = rasterise(content, 150 * 25 / 28.7).rotate(4, Image.Resampling.BICUBIC, fillcolor=255)
        assert read(shot.filter(ImageFilter.GaussianBlur(1))).text == CODE


def test_the_page_is_a_bank_card_or_a_sheet_to_cut_and_fold(app: Flask) -> None:
    card, sheet = (PdfReader(io.BytesIO(card_pdf(FACTS, is_sheet, NOW))) for is_sheet in (False, True))
    sizes = [[round(float(side) * 25.4 / 72, 1) for side in reader.pages[0].mediabox[2:]] for reader in (card, sheet)]
    assert sizes == [[85.6, 54.0], [210.0, 297.0]]
    assert sheet.metadata is not None and sheet.metadata.title == "Member card"
    assert sheet.trailer["/Root"]["/Lang"] == "en"  # type: ignore[index]
    picture = rasterise(card_pdf(FACTS, True, NOW), 254)  # ten dots a millimetre
    left, top, right, bottom, middle = 194, 840, 1906, 1380, 1050

    def is_marked(box: tuple[int, int, int, int]) -> float:
        """How much of the length of a thin line is dark."""
        area = picture.crop(box)
        tall = area.height > area.width
        lines = [area.crop((0, n, area.width, n + 1) if tall else (n, 0, n + 1, area.height))
                 for n in range(max(area.size))]  # fmt: skip
        return sum(min(line.get_flattened_data()) < 150 for line in lines) / len(lines)

    for across in (left, right):
        for down in (top - 65, bottom + 25):
            assert is_marked((across - 3, down, across + 4, down + 40)) == 1  # cut here
    for down in (top, bottom):
        for across in (left - 65, right + 25):
            assert is_marked((across, down - 3, across + 40, down + 4)) == 1
    for down in (top - 65, bottom + 25):
        assert 0.3 < is_marked((middle - 3, down, middle + 4, down + 40)) < 0.7  # fold here: dashed


def test_a_card_says_who_what_until_when_and_that_it_can_be_copied(app: Flask) -> None:
    get_association().contact_email = "alumni@example.org"
    for is_sheet in (False, True):
        text = text_of(card_pdf(FACTS, is_sheet, NOW))
        for said in ("Alice Soler", "M-000123", "Plus", "Valid until 18 December 2027", CHECK):
            assert said in text, (said, text)
    for said in ("Cut along the marks", "Write to alumni@example.org", "127.0.0.1:8000/card", "Lost it?"):
        assert said in text


@pytest.mark.parametrize(
    ("holder", "shown"),
    [
        ("Núria Col·lell i Muñoz", "Núria Col·lell i Muñoz"),
        ("Łucja Źdźbło", "Łucja Źdźbło"),
        ("Константин Константинопольский-Преображенский", "Константин Константинопольский- Преображенский"),
        ("María del Carmen Fernández de los Ángeles y Rodríguez de Guzmán",
         "María del Carmen Fernández de los Ángeles y Rodríguez de Guzmán"),
        ("Ab" * 100, "…"),
    ],
)  # fmt: skip
def test_every_name_is_whole_or_says_that_it_goes_on(
    app: Flask, holder: str, shown: str, caplog: pytest.LogCaptureFixture
) -> None:
    content = card_pdf(replace(FACTS, holder=holder), False, NOW)
    text = text_of(content)
    assert shown in text and "M-000123 Valid until" in text
    assert "missing" not in caplog.text
    assert read(rasterise(content, 150)).text == CODE


def test_in_grace_and_for_life_the_card_says_so(app: Flask) -> None:
    life = text_of(card_pdf(replace(FACTS, valid_until=FOR_LIFE, grace_until=FOR_LIFE), False, NOW))
    assert "Valid for life" in life and "9999" not in life
    grace = text_of(card_pdf(replace(FACTS, is_in_grace=True), False, NOW))
    assert "In grace until 17 January 2028" in grace and "Valid until" not in grace


def test_the_same_card_at_the_same_time_is_the_same_file(app: Flask) -> None:
    assert card_pdf(FACTS, True, NOW) == card_pdf(FACTS, True, NOW)


def test_a_member_takes_their_own_card_along_and_nobody_elses(app: Flask, cast: Cast) -> None:
    alice = Visitor(app, "alice@example.org")
    sheet, card = alice.get("/card.pdf"), alice.get("/card.pdf?size=card")
    assert {sheet.mimetype, card.mimetype} == {"application/pdf"}
    assert sheet.headers["Content-Disposition"] == 'inline; filename="card.pdf"'
    assert sheet.headers["Cache-Control"] == "no-store"
    code = read(rasterise(sheet.data, 150)).text
    assert code == read(rasterise(card.data, 150)).text
    assert "Alice Soler" in text_of(sheet.data)

    png = alice.get("/card.png")
    assert png.headers["Content-Disposition"] == 'attachment; filename="card.png"'
    picture = Image.open(io.BytesIO(png.data))
    assert (picture.size, picture.mode) == ((980, 980), "1")
    seen = read(picture.convert("L"))
    assert (seen.text, seen.version, seen.level, seen.quiet) == (code, "6", "M", True)
    assert millimetres(980, float(picture.info["dpi"][0])) > 25
    small = picture.resize((49, 49), Image.Resampling.NEAREST).resize((980, 980), Image.Resampling.NEAREST)
    assert small.tobytes() == picture.tobytes()  # whole pixels: nothing was smoothed

    page = alice.get("/card/print").get_data(as_text=True)
    assert "Alice Soler" in page and CHECK in page and re.search(r'<svg class="qr"', page)
    for who in ("carol", "dan", "mallory", "scanner"):
        visitor = Visitor(app, f"{who}@example.org")
        for path in ("/card.pdf", "/card.png", "/card/print"):
            assert visitor.get(path).status_code == 404
