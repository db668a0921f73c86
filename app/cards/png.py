"""A code as a picture of whole pixels."""

from __future__ import annotations

import io

from PIL import Image

from app.cards.qr import QUIET_ZONE, qr_matrix

SCALE = 20  # pixels a module: 980 for a card's code with its quiet zone
DOTS_PER_INCH = 600  # printed as it is, 41 mm wide


def qr_png(text: str) -> bytes:
    """Black on white with a quiet zone, one bit a pixel."""
    rows = qr_matrix(text)
    side = len(rows) + 2 * QUIET_ZONE
    picture = Image.new("1", (side, side), 1)
    for y, row in enumerate(rows, QUIET_ZONE):
        for x, dark in enumerate(row, QUIET_ZONE):
            if dark:
                picture.putpixel((x, y), 0)
    whole = picture.resize((side * SCALE, side * SCALE), Image.Resampling.NEAREST)
    file = io.BytesIO()
    whole.save(file, "PNG", optimize=True, dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
    return file.getvalue()
