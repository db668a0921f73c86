"""Turning what somebody uploads into the picture of a card: a small square JPEG that carries nothing else."""

from __future__ import annotations

import io
import struct

from flask_babel import gettext as _

from app.errors import Refusal

MOST_BYTES = 8_000_000
MOST_PIXELS = 30_000_000  # 90 MB while it is opened; a phone's camera makes 12 to 24 million
LEAST_SIDE = 200
SIDE = 480
FORMATS = ("JPEG", "PNG", "WEBP")
ACCEPTED = "image/jpeg,image/png,image/webp"
HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif")
BROKEN = (OSError, EOFError, IndexError, SyntaxError, ValueError, struct.error)  # what Pillow raises for damage


def square_jpeg(content: bytes, position: int = 50) -> bytes:
    """A JPEG of 480 by 480 pixels, upright, without metadata, cut out of a JPEG, PNG or WebP file.

    `position` says where along the longer side the square lies, in percent from the left or the top.
    Raises Refusal 400 with what to do when the file is no such picture, is too large, too small, moving or incomplete.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError  # some MB that only uploads need

    if len(content) > MOST_BYTES:
        raise Refusal("photo_too_large", too_large())
    if content[4:8] == b"ftyp" and content[8:12] in HEIC:
        raise Refusal(
            "photo_heic",
            _("This is a HEIC or AVIF file. Save it as JPEG, or take a screenshot of it, and choose that."),
        )
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            if getattr(picture, "n_frames", 1) > 1:
                raise Refusal("photo_moves", _("This picture moves. Choose a still one."))
            if picture.width * picture.height > MOST_PIXELS:
                raise Refusal("photo_too_many_pixels", too_many_pixels())
            if min(picture.size) < LEAST_SIDE:
                raise Refusal(
                    "photo_too_small", _("This picture is too small: each side needs %(num)s pixels.", num=LEAST_SIDE)
                )
            picture.draft("RGB", (2 * SIDE, 2 * SIDE))  # a large JPEG is opened at half or a quarter of its size
            upright = ImageOps.exif_transpose(picture)
            if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
                ground = Image.new("RGBA", upright.size, "white")
                upright = Image.alpha_composite(ground, upright.convert("RGBA"))
            centre = (position / 100, position / 100)
            square = ImageOps.fit(upright.convert("RGB"), (SIDE, SIDE), Image.Resampling.LANCZOS, centering=centre)
    except UnidentifiedImageError:
        raise Refusal(
            "photo_unknown", _("This is not a picture we can read. Choose a JPEG, PNG or WebP file.")
        ) from None
    except Image.DecompressionBombError:
        raise Refusal("photo_too_many_pixels", too_many_pixels()) from None
    except BROKEN:
        raise Refusal(
            "photo_broken", _("This file is damaged or incomplete. Choose it again, or another one.")
        ) from None
    written = io.BytesIO()
    clean = Image.new("RGB", square.size)  # of what came along with the file only the pixels go on
    clean.paste(square)
    clean.save(written, "JPEG", quality=85, optimize=True)
    return written.getvalue()


def too_large() -> str:
    return _("A photo may have %(num)s MB at most. Choose a smaller one.", num=MOST_BYTES // 1_000_000)


def too_many_pixels() -> str:
    return _("A photo may have %(num)s megapixels at most. Choose a smaller one.", num=MOST_PIXELS // 1_000_000)
