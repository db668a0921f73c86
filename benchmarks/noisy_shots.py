"""Codes as a poor camera sees them: small, askew, blurred, pale and noisy; the same ones at every run."""

from __future__ import annotations

import io
import math
import random

import qrcode
from PIL import Image, ImageChops, ImageFilter

FRAME = (320, 240)
QUIET = 4  # modules around a code


def drawn(text: str, version: int | None = None) -> tuple[Image.Image, int]:
    """A code as our pages draw it (level M), and its modules on a side."""
    code = qrcode.QRCode(version=version, error_correction=qrcode.ERROR_CORRECT_M, border=QUIET, box_size=8)
    code.add_data(text, optimize=20)
    code.make(fit=version is None)
    return code.make_image().get_image().convert("L"), code.modules_count


def shot(code: Image.Image, width: int, seed: int) -> bytes:
    """A JPEG of 320 x 240 in which the code with its quiet zone is about `width` pixels wide."""
    # The same noise each time is what makes two runs comparable; nothing here is a secret.
    chance = random.Random(seed)  # noqa: S311
    frame = Image.new("L", FRAME, 150)
    frame.paste(_askew(code, width, chance), ((FRAME[0] - width) // 2, (FRAME[1] - width) // 2))
    frame = frame.filter(ImageFilter.GaussianBlur(chance.uniform(0.5, 0.9)))
    frame = frame.point(lambda grey: round(60 + grey * 0.55))  # dim light: no black, no white
    frame = ImageChops.add(frame, _noise(chance), offset=-128)
    written = io.BytesIO()
    frame.save(written, "JPEG", quality=70)
    return written.getvalue()


def _askew(code: Image.Image, width: int, chance: random.Random) -> Image.Image:
    """Turned by some degrees and seen a little from the side, as a flat thing is: by a plane perspective."""
    turn, lean, tilt = (chance.uniform(-most, most) for most in (0.12, 0.06, 0.06))
    large = width * 3
    half, middle = code.width / 2, large / 2
    # Of a place (x, y) in the result the place in `code`, both counted from their middles in halves of a side.
    across = (math.cos(turn) / middle, -math.sin(turn) / middle)
    down = (math.sin(turn) / middle, math.cos(turn) / middle)
    away = (lean / middle, tilt / middle)
    constant = 1 - lean - tilt

    def row(by: tuple[float, float]) -> tuple[float, float, float]:
        return (
            half * (by[0] + away[0]),
            half * (by[1] + away[1]),
            half * (constant - (by[0] + by[1]) * middle),
        )

    factors = [part / constant for part in (*row(across), *row(down), *away)]
    seen = code.transform((large, large), Image.Transform.PERSPECTIVE, factors, Image.Resampling.BICUBIC, fillcolor=255)
    return seen.resize((width, width), Image.Resampling.BOX)


def _noise(chance: random.Random) -> Image.Image:
    """Noise around 128, some 11 grey levels wide: the mean of four even ones is nearly a bell."""
    pixels = FRAME[0] * FRAME[1]
    one, two, three, four = (Image.frombytes("L", FRAME, chance.randbytes(pixels)) for _ in range(4))
    bell = Image.blend(Image.blend(one, two, 0.5), Image.blend(three, four, 0.5), 0.5)
    return bell.point(lambda grey: round(128 + (grey - 128) * 0.3))
