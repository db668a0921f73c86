"""A receipt on one page of A4, in its payer's language and, where that is another, the association's own.

The same receipt makes the same bytes whenever it is asked for.
"""

from __future__ import annotations

from pathlib import Path

from flask import current_app
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _
from fpdf import FPDF, ViewerPreferences
from fpdf.enums import XPos, YPos

from app.extensions import db
from app.formats import NO_BREAK, day_long, format_money
from app.mail import language_of
from app.payments.models import Payment, Receipt
from app.payments.receipt_facts import ReceiptFacts, facts_of
from app.payments.vat import split_vat

FACE = "Commissioner"
INK, SOFT, LINE, ACCENT = (23, 33, 44), (74, 85, 96), (218, 218, 211), (20, 73, 127)
MARGIN, WIDTH, LABEL = 22.0, 166.0, 48.0  # millimetres
NARROW = "\u202f"  # a space that languages put into dates and money, and the face has not
Row = tuple[str, str]


def receipt_pdf(receipt: Receipt) -> bytes:
    """Reads only; one or two languages as the payer needs."""
    payment = db.session.get_one(Payment, receipt.payment_id)
    own = language_of(payment.person.language, payment.locale)
    return draw(facts_of(receipt, payment), list(dict.fromkeys([own, current_app.config["DEFAULT_LOCALE"]])))


def draw(facts: ReceiptFacts, locales: list[str]) -> bytes:
    """The page; the first language in ink, another small beneath it."""
    texts = []
    for locale in locales:
        with force_locale(locale):
            texts.append(_texts(facts))
    title, rows, total, closing = zip(*texts, strict=True)
    page = _page(facts, locales[0], f"{title[0]} {facts.number}")
    _print_issuer(page, facts)
    _print_title(page, title, facts.number)
    for row in zip(*rows, strict=True):
        _print_row(page, row)
    _print_total(page, total)
    _print_closing(page, closing)
    return bytes(page.output())


def _texts(facts: ReceiptFacts) -> tuple[str, list[Row], Row, str]:
    """Title, rows, total and closing line in the language of the moment."""
    methods = {"online": _("Online"), "transfer": _("Bank transfer"), "cash": _("Cash")}
    causes = {"refunded": _("refund"), "withdrawn": _("withdrawal from the contract"), "dispute": _("disputed payment")}
    back = facts.cause is not None
    if facts.gift_for:
        length = ngettext("%(num)s month", "%(num)s months", facts.months)
        bought = _("Membership %(tier)s, %(length)s, a gift for %(name)s", tier=facts.tier, length=length,
                   name=facts.gift_for)  # fmt: skip
    else:
        bought = _("Membership %(tier)s", tier=facts.tier)
    rows = [
        (_("Date"), day_long(facts.issued_on)),
        (_("Given back to") if back else _("Received from"), f"{facts.payer}, {facts.payer_number}"),
        (_("For"), bought),
    ]
    if facts.days:
        rows.append((_("Days"), f"{day_long(facts.days[0])} – {day_long(facts.days[1])}"))
    if facts.corrects and facts.cause:
        rows.append((_("Corrects receipt"), f"{facts.corrects}, {causes[facts.cause]}"))
    if facts.again:
        rows.append((_("Issued again"), _("What %(number)s took back has come after all", number=facts.again)))
    rows.append((_("Payment"), f"{facts.payment_number}, {methods[facts.method]}"))
    rows.append((_("Value date"), day_long(facts.value_on)))
    vat = split_vat(facts.cents, facts.vat_code)
    if vat is None:
        rows.append((_("VAT"), _("Exempt from VAT, art. 20.Uno.12 LIVA")))
    else:
        rows.append((_("Without VAT"), format_money(vat.base_cents, facts.currency)))
        rows.append((_("VAT %(rate)s%%", rate=vat.rate), format_money(vat.vat_cents, facts.currency)))
    title = _("Rectifying receipt") if back else _("Receipt")
    total = (_("Total"), format_money(facts.cents, facts.currency))
    return title, rows, total, _("This is a receipt, not an invoice.")


def _page(facts: ReceiptFacts, locale: str, title: str) -> FPDF:
    page = FPDF(format="A4")
    fonts = Path(current_app.static_folder or "") / "vendor" / "fonts"
    page.add_font(FACE, "", fonts / "commissioner-regular.ttf")
    page.add_font(FACE, "B", fonts / "commissioner-semibold.ttf")
    page.set_creation_date(facts.issued_at)
    page.set_lang(locale)
    page.set_title(title)
    page.set_author(facts.issuer)
    page.viewer_preferences = ViewerPreferences(display_doc_title=True)
    page.set_margins(MARGIN, MARGIN)
    page.set_auto_page_break(False)
    page.c_margin = 0
    page.add_page()
    page.set_draw_color(*LINE)
    page.set_line_width(0.2)
    return page


def _line(page: FPDF, text: str, size: float, style: str = "", colour: tuple[int, int, int] = INK) -> None:
    """One paragraph across the page."""
    page.set_font(FACE, style, size)
    page.set_text_color(*colour)
    page.multi_cell(WIDTH, size * 0.5, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _print_issuer(page: FPDF, facts: ReceiptFacts) -> None:
    _line(page, facts.issuer, 13, "B", ACCENT)
    for line in facts.issuer_lines:
        _line(page, line, 9.5, colour=SOFT)


def _print_title(page: FPDF, titles: tuple[str, ...], number: str) -> None:
    page.ln(20)
    _line(page, f"{titles[0]} {number}", 24, "B")
    for other in list(dict.fromkeys(titles))[1:]:
        page.ln(1)
        _line(page, f"{other} {number}", 11, colour=SOFT)
    page.ln(8)


def _print_row(page: FPDF, row: tuple[Row, ...], size: float = 11, style: str = "B") -> None:
    """A label and its value between hairlines, each language beneath the one before where it reads otherwise."""
    top = page.get_y()
    page.line(MARGIN, top, MARGIN + WIDTH, top)
    bottoms = []
    for left, width, words, look in (
        (MARGIN, LABEL, [label for label, _value in row], ""),
        (MARGIN + LABEL, WIDTH - LABEL, [value for _label, value in row], style),
    ):
        page.set_y(top + 2.6)
        for index, text in enumerate(dict.fromkeys(word.replace(NARROW, NO_BREAK) for word in words)):
            page.set_x(left)
            page.set_font(FACE, look if index == 0 else "", size if index == 0 else 8.5)
            page.set_text_color(*(SOFT if index or not look else INK))
            page.multi_cell(width, 5.4 if index == 0 else 4.2, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        bottoms.append(page.get_y())
    page.set_y(max(bottoms) + 2.6)


def _print_total(page: FPDF, total: tuple[Row, ...]) -> None:
    page.set_line_width(0.6)
    page.set_draw_color(*INK)
    _print_row(page, total, 15)
    page.set_line_width(0.2)


def _print_closing(page: FPDF, closing: tuple[str, ...]) -> None:
    page.ln(10)
    for text in dict.fromkeys(closing):
        _line(page, text, 9.5, colour=SOFT)
