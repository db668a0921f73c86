"""What the card on paper is drawn with: its code, the mark, lines and paragraphs of text. Lengths are millimetres."""

from __future__ import annotations

import re
from typing import cast

from fpdf import FPDF
from fpdf.drawing import PaintedPath
from fpdf.enums import PathPaintRule, XPos, YPos

from app.cards.qr import QUIET_ZONE, qr_matrix
from app.formats import NO_BREAK

FACE = "Commissioner"
Colour = tuple[int, int, int]
INK = (23, 33, 44)
MODULE = 0.7  # 41 modules are 28.7 mm, with their quiet zone 34.3
POINT = 25.4 / 72
LEADING = 1.22
ARCH = 0.5523  # a quarter of a circle as a Bézier curve
NARROW = "\u202f"  # a space that languages put into dates, and the face has not


def draw_code(page: FPDF, x: float, y: float, code: str) -> None:
    """The modules as one path, so that no seam shows between them when they are rasterised."""
    path = _filled((0, 0, 0))
    for row, dark in enumerate(qr_matrix(code), QUIET_ZONE):
        column = 0
        while column < len(dark):
            start = column
            while column < len(dark) and dark[column]:
                column += 1
            if column > start:
                path.rectangle(x + (start + QUIET_ZONE) * MODULE, y + row * MODULE, (column - start) * MODULE, MODULE)
            column += 1
    _paint(page, path)


def draw_arches(page: FPDF, x: float, y: float, size: float, on: Colour, ground: Colour) -> None:
    """The mark: two arches of a cloister."""
    unit = size / 36
    path = _filled(ground)
    path.rectangle(x, y, size, size, 1.6, 1.6)
    _paint(page, path)
    path = _filled(on)
    radius, bow = 4.9 * unit, 4.9 * unit * ARCH
    for start in (7.5, 18.7):
        left, spring, foot = x + start * unit, y + 16.2 * unit, y + 28 * unit
        path.move_to(left, foot)
        path.line_to(left, spring)
        path.curve_to(left, spring - bow, left + radius - bow, spring - radius, left + radius, spring - radius)
        path.curve_to(left + radius + bow, spring - radius, left + 2 * radius, spring - bow, left + 2 * radius, spring)
        path.line_to(left + 2 * radius, foot)
        path.close()
    _paint(page, path)


def _filled(colour: Colour) -> PaintedPath:
    path = PaintedPath()
    path.style.fill_color = f"#{bytes(colour).hex()}"
    path.style.stroke_color = None
    path.style.paint_rule = PathPaintRule.FILL_NONZERO
    return path


def _paint(page: FPDF, path: PaintedPath) -> None:
    with page.drawing_context() as drawing:
        drawing.add_item(path)


def draw_name(page: FPDF, x: float, y: float, width: float, name: str) -> float:
    """A person's name, smaller the longer it is, in four lines at most; answers where it ends."""
    lines: list[str] = []
    for size, most in ((12, 2), (10, 3), (8, 4)):
        page.set_font(FACE, "B", size)
        lines = _name_lines(page, width, name)
        if len(lines) <= most and all(page.get_string_width(line) <= width for line in lines):
            break
    whole = [part for line in lines for part in _lines(page, width, line, size)]
    if len(whole) > 4:
        whole[3] = whole[3][:-1] + "…"
    return draw_paragraph(page, x, y, width, "\n".join(whole[:4]), size, "B", INK)


def _name_lines(page: FPDF, width: float, name: str) -> list[str]:
    """Broken at spaces and after hyphens only; a part may be wider than there is room."""
    lines = [""]
    for part in re.split(r"(?<=[ -])", name):
        if lines[-1] and page.get_string_width((lines[-1] + part).rstrip()) > width:
            lines.append("")
        lines[-1] += part
    return [line.rstrip() for line in lines]


def _lines(page: FPDF, width: float, text: str, size: float) -> list[str]:
    return cast(list[str], page.multi_cell(width, size * POINT, text, dry_run=True, output="LINES", align="L"))


def height_of(page: FPDF, width: float, text: str, size: float, style: str) -> float:
    page.set_font(FACE, style, size)
    return len(_lines(page, width, text, size)) * size * POINT * LEADING


def draw_paragraph(
    page: FPDF, x: float, y: float, width: float, text: str, size: float, style: str, colour: Colour
) -> float:
    """Text from its top left corner; answers where it ends."""
    page.set_font(FACE, style, size)
    page.set_text_color(*colour)
    page.set_xy(x, y)
    text = text.replace(NARROW, NO_BREAK)
    page.multi_cell(width, size * POINT * LEADING, text, align="L", new_x=XPos.LEFT, new_y=YPos.NEXT)
    return float(page.get_y())


def draw_line(page: FPDF, x: float, y: float, width: float, text: str, size: float, style: str, colour: Colour) -> None:
    """One line, set smaller until it fits."""
    text = text.replace(NARROW, NO_BREAK)
    page.set_font(FACE, style, size)
    if page.get_string_width(text) > width:
        size = size * width / page.get_string_width(text)
        page.set_font(FACE, style, size)
    page.set_text_color(*colour)
    page.set_xy(x, y)
    page.cell(width, size * POINT * LEADING, text)
