"""The mark, two arches of a cloister, as the small pictures a pass carries."""

from __future__ import annotations

import functools
import io

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
FINE = 8  # drawn this much larger, then made smaller, for soft edges


@functools.cache
def mark_png(size: int, ground: Colour, arches: Colour) -> bytes:
    """`size` pixels square."""
    unit = size * FINE / 36
    picture = Image.new("RGBA", (size * FINE, size * FINE), (*ground, 0))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((0, 0, size * FINE - 1, size * FINE - 1), 8 * unit, fill=ground)
    for left in (7.5, 18.7):
        right, spring = left + 9.8, 16.2
        draw.ellipse((left * unit, (spring - 4.9) * unit, right * unit, (spring + 4.9) * unit), fill=arches)
        draw.rectangle((left * unit, spring * unit, right * unit, 28 * unit), fill=arches)
    file = io.BytesIO()
    picture.resize((size, size), Image.Resampling.LANCZOS).save(file, "PNG", optimize=True)
    return file.getvalue()
