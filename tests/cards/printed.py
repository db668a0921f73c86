"""Paper as a camera sees it: a PDF turned into pixels, and the code on it read by a reader that is not ours."""

from __future__ import annotations

from dataclasses import dataclass

import pypdfium2
import zxingcpp
from PIL import Image

MODULES, QUIET = 41, 4


def rasterise(content: bytes, dots_per_inch: float) -> Image.Image:
    """The only page, in grey."""
    document = pypdfium2.PdfDocument(content)
    try:
        if len(document) != 1:
            raise AssertionError(f"{len(document)} pages")
        return document[0].render(scale=dots_per_inch / 72).to_pil().convert("L")
    finally:
        document.close()


@dataclass
class Seen:
    """`side` of the code without its quiet zone and its place, in pixels; `quiet` when 4 white modules go round it."""

    text: str
    version: str
    level: str
    side: float
    quiet: bool


def read(picture: Image.Image) -> Seen:
    [found] = zxingcpp.read_barcodes(picture)
    corners = [found.position.top_left, found.position.bottom_right]
    side = corners[1].x - corners[0].x
    around = int(QUIET * side / MODULES) - 1
    left, top = corners[0].x - around, corners[0].y - around
    ring = picture.crop((left, top, left + side + 2 * around, top + side + 2 * around))
    ring.paste(255, (around - 1, around - 1, around + side + 2, around + side + 2))
    return Seen(found.text, found.extra["Version"], found.extra["ECLevel"], side, min(ring.get_flattened_data()) > 250)
