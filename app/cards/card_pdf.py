"""The card on paper: alone at the size of a bank card, or on A4 with marks to cut and fold along.

A code on paper does not change, so whoever reads it is told to look at a photo or ID.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import get_locale
from flask_babel import gettext as _
from fpdf import FPDF, ViewerPreferences

from app.association import Association, get_association
from app.cards.facts import CardFacts, until_words
from app.cards.pdf_drawing import (
    FACE,
    INK,
    MODULE,
    draw_arches,
    draw_code,
    draw_line,
    draw_name,
    draw_paragraph,
    height_of,
)
from app.cards.qr import QUIET_ZONE

SOFT, LINE, WHITE = (74, 85, 96), (190, 190, 184), (255, 255, 255)
BASIC, PLUS, FOIL = (20, 73, 127), (15, 34, 56), (236, 217, 164)
WIDTH, HEIGHT = 85.6, 54.0  # millimetres: ISO/IEC 7810 ID-1
BAND = 11.5
LEFT, GAP = 5.0, 2.0
A4_WIDTH = 210.0
SHEET_TOP = 84.0


def card_pdf(facts: CardFacts, is_sheet: bool, now: datetime) -> bytes:
    """One page in the reader's language; `facts` are those of a valid card."""
    association = get_association()
    page = FPDF(format="A4" if is_sheet else (HEIGHT, WIDTH), orientation="P" if is_sheet else "L")
    _prepare(page, now)
    if is_sheet:
        left = (A4_WIDTH - 2 * WIDTH) / 2
        _print_how_to(page, left)
        _draw_front(page, left, SHEET_TOP, facts, association)
        _draw_back(page, left + WIDTH, SHEET_TOP, association)
        _draw_marks(page, left, SHEET_TOP)
    else:
        _draw_front(page, 0, 0, facts, association)
    return bytes(page.output())


def _prepare(page: FPDF, now: datetime) -> None:
    fonts = Path(current_app.static_folder or "") / "vendor" / "fonts"
    page.add_font(FACE, "", fonts / "commissioner-regular.ttf")
    page.add_font(FACE, "B", fonts / "commissioner-semibold.ttf")
    page.set_creation_date(now)
    page.set_lang(str(get_locale() or "en"))
    page.set_title(_("Member card"))
    page.viewer_preferences = ViewerPreferences(display_doc_title=True)
    page.set_margins(0, 0)
    page.set_auto_page_break(False)
    page.c_margin = 0
    page.add_page()


def _draw_front(page: FPDF, x: float, y: float, facts: CardFacts, association: Association) -> None:
    ground, name_of_tier = (PLUS, FOIL) if facts.tier_code == "plus" else (BASIC, WHITE)
    page.set_fill_color(*ground)
    page.rect(x, y, WIDTH, BAND, style="F")
    draw_arches(page, x + LEFT, y + 2, 7.5, ground, name_of_tier)
    page.set_font(FACE, "B", 12)
    tier_width = min(page.get_string_width(facts.tier_name), 30)
    room = WIDTH - 2 * LEFT - 10 - tier_width - GAP
    draw_line(page, x + LEFT + 10, y + 1.9, room, association.name, 8.5, "B", WHITE)
    draw_line(page, x + LEFT + 10, y + 5.6, room, association.kind, 7, "", WHITE)
    draw_line(page, x + WIDTH - LEFT - tier_width, y + 2.9, tier_width + 0.1, facts.tier_name, 12, "B", name_of_tier)

    side = (41 + 2 * QUIET_ZONE) * MODULE
    draw_code(page, x + WIDTH - side - GAP, y + BAND + (HEIGHT - BAND - side) / 2, facts.code or "")

    width = WIDTH - side - LEFT - 2 * GAP
    top = draw_name(page, x + LEFT, y + BAND + 3, width, facts.holder)
    draw_line(page, x + LEFT, top + 0.4, width, facts.member_number, 8.5, "", SOFT)
    label, day = until_words(facts)
    bottom = y + HEIGHT - 4.2
    words = _("A printed code can be copied: check a photo or ID.")
    words_top = bottom - height_of(page, width, words, 7, "")
    draw_line(page, x + LEFT, words_top - 10, width, label, 7, "", SOFT)
    draw_line(page, x + LEFT, words_top - 7.2, width, day, 10, "B", INK)
    draw_paragraph(page, x + LEFT, words_top, width, words, 7, "", INK)


def _draw_back(page: FPDF, x: float, y: float, association: Association) -> None:
    page_of_card = f"{urlsplit(current_app.config['BASE_URL']).netloc}/card"
    texts = (
        _("The card on a phone renews its code every half minute and needs no second look: %(address)s",
          address=page_of_card),
        _("Lost it? Ask for a new card on that page. This one then stops working at once."),
        _("Found it? Write to %(address)s", address=association.contact_email),
    )  # fmt: skip
    top = y + 5
    top = (
        draw_paragraph(page, x + LEFT, top, WIDTH - 2 * LEFT, f"{association.name} {association.kind}", 9, "B", INK)
        + 1.5
    )
    for text in texts:
        top = draw_paragraph(page, x + LEFT, top, WIDTH - 2 * LEFT, text, 8, "", INK) + 1.5


def _print_how_to(page: FPDF, left: float) -> None:
    top = draw_paragraph(page, left, 30, 2 * WIDTH, _("Your card on paper"), 20, "B", INK) + 3
    for text in (
        _("Print it at actual size, not fitted to the page."),
        _("Cut along the marks at the corners, fold at the marks in the middle, glue the halves together."),
        _("Print it again after you renew: the code ends with the days it was printed for."),
    ):
        top = draw_paragraph(page, left, top, 2 * WIDTH, text, 10.5, "", SOFT) + 1.2


def _draw_marks(page: FPDF, x: float, y: float) -> None:
    """Cut marks outside the corners, and the fold, dashed, above and below the middle."""
    page.set_draw_color(*INK)
    page.set_line_width(0.2)
    for across in (x, x + 2 * WIDTH):
        for start, end in ((y - 7, y - 2), (y + HEIGHT + 2, y + HEIGHT + 7)):
            page.line(across, start, across, end)
    for down in (y, y + HEIGHT):
        for start, end in ((x - 7, x - 2), (x + 2 * WIDTH + 2, x + 2 * WIDTH + 7)):
            page.line(start, down, end, down)
    with page.local_context():
        page.set_dash_pattern(dash=1, gap=1)
        for start, end in ((y - 7, y - 2), (y + HEIGHT + 2, y + HEIGHT + 7)):
            page.line(x + WIDTH, start, x + WIDTH, end)
    page.set_draw_color(*LINE)
    page.set_line_width(0.1)
    page.rect(x, y, 2 * WIDTH, HEIGHT)
