"""Pictures as people upload them, and files that only look like some."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

RED, GREEN, BLUE = (200, 30, 30), (30, 160, 60), (30, 60, 200)


def a_picture(size: tuple[int, int] = (900, 600), kind: str = "JPEG", mode: str = "RGB", **saved: Any) -> bytes:
    """Three stripes along the longer side: red, green, blue."""
    picture = Image.new("RGB", size)
    width, height = size
    for number, colour in enumerate((RED, GREEN, BLUE)):
        if width >= height:
            picture.paste(colour, (width * number // 3, 0, width * (number + 1) // 3, height))
        else:
            picture.paste(colour, (0, height * number // 3, width, height * (number + 1) // 3))
    written = io.BytesIO()
    picture.convert(mode).save(written, kind, **saved)
    return written.getvalue()


def opened(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg))
