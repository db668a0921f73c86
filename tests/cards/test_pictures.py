"""What becomes of a file that somebody uploads as their photo: a small clean square, or a sentence that helps."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import pytest
from flask import Flask
from PIL import Image

from app.cards.pictures import MOST_BYTES, SIDE, square_jpeg
from app.errors import Refusal
from tests.cards.pictures import BLUE, GREEN, RED, a_picture, opened

NORTH_UP, ON_ITS_SIDE = 1, 6  # values of the orientation that cameras write
CANARY = b"Carrer de la canary 7"


@pytest.fixture(autouse=True)
def speaking() -> Iterator[None]:
    """Refusals speak through gettext, which needs a request."""
    from flask_babel import Babel

    app = Flask("speaking")
    Babel(app)
    with app.test_request_context():
        yield


def colour_at(jpeg: bytes, x: float, y: float) -> str:
    """The stripe nearest to the pixel at a part of width and height."""
    picture = opened(jpeg)
    found = picture.getpixel((int(x * (picture.width - 1)), int(y * (picture.height - 1))))
    named = {"red": RED, "green": GREEN, "blue": BLUE, "white": (255, 255, 255)}
    return min(named, key=lambda name: sum(abs(a - b) for a, b in zip(named[name], found, strict=True)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [(900, 600), (600, 900), (200, 200), (3000, 201)])
def test_any_still_picture_becomes_a_small_square_jpeg(kind: str, size: tuple[int, int]) -> None:
    jpeg = square_jpeg(a_picture(size, kind))
    assert (opened(jpeg).format, opened(jpeg).size, opened(jpeg).mode) == ("JPEG", (SIDE, SIDE), "RGB")
    assert len(jpeg) < 60_000


@pytest.mark.parametrize(
    ("position", "left", "right"), [(0, "red", "green"), (50, "red", "blue"), (100, "green", "blue")]
)
def test_the_square_lies_where_it_was_wanted(position: int, left: str, right: str) -> None:
    wide, tall = square_jpeg(a_picture((900, 600)), position), square_jpeg(a_picture((600, 900)), position)
    assert (colour_at(wide, 0.02, 0.5), colour_at(wide, 0.98, 0.5)) == (left, right)
    assert (colour_at(tall, 0.5, 0.02), colour_at(tall, 0.5, 0.98)) == (left, right)


def test_a_picture_taken_on_its_side_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = ON_ITS_SIDE
    jpeg = square_jpeg(a_picture((900, 600), exif=exif), 0)  # as it is looked at: 600 wide, 900 high, red on top
    assert (colour_at(jpeg, 0.5, 0.02), colour_at(jpeg, 0.5, 0.98)) == ("red", "green")
    assert opened(jpeg).getexif().get(0x0112, NORTH_UP) == NORTH_UP


def test_where_and_with_what_it_was_taken_is_not_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = CANARY.decode()  # description
    exif.get_ifd(0x8825)[2] = (41.0, 23.0, 0.0)  # latitude
    info = {"exif": exif, "comment": CANARY, "icc_profile": CANARY, "xmp": CANARY}
    uploaded = a_picture(**info)
    assert uploaded.count(CANARY) >= 3
    jpeg = square_jpeg(uploaded)
    assert CANARY not in jpeg
    assert dict(opened(jpeg).getexif()) == {}
    assert set(opened(jpeg).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "P"), ("PNG", "L"), ("PNG", "1"), ("PNG", "I;16"), ("JPEG", "CMYK"), ("JPEG", "L")]
)
def test_pictures_of_few_or_odd_colours_are_taken_too(kind: str, mode: str) -> None:
    assert opened(square_jpeg(a_picture(kind=kind, mode=mode))).mode == "RGB"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_is_transparent_becomes_white(kind: str) -> None:
    written = io.BytesIO()
    Image.new("RGBA", (300, 300), (0, 0, 0, 0)).save(written, kind)
    assert colour_at(square_jpeg(written.getvalue()), 0.5, 0.5) == "white"


def moving(kind: str) -> bytes:
    frames = [Image.new("RGB", (300, 300), colour) for colour in (RED, GREEN)]
    written = io.BytesIO()
    frames[0].save(written, kind, save_all=True, append_images=frames[1:], duration=100)
    return written.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of some hundred bytes that says it is enormous."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


REFUSED = {
    "an iPhone's own format": (b"\0\0\0\x18ftypheic" + b"\0" * 500, "photo_heic", "Save it as JPEG"),
    "a drawing": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "photo_unknown", "JPEG, PNG or"),
    "a page": (b"<!doctype html><p>", "photo_unknown", "not a picture"),
    "a document": (b"%PDF-1.7\n" + b"x" * 400, "photo_unknown", "not a picture"),
    "a moving GIF": (moving("GIF"), "photo_unknown", "not a picture we can read"),
    "a moving PNG": (moving("PNG"), "photo_moves", "Choose a still one"),
    "a moving WebP": (moving("WEBP"), "photo_moves", "Choose a still one"),
    "half a JPEG": (a_picture()[:3000], "photo_broken", "damaged or incomplete"),
    "half a PNG": (a_picture(kind="PNG")[:300], "photo_broken", "damaged or incomplete"),
    "an icon": (a_picture((199, 900)), "photo_too_small", "200 pixels"),
    "a bomb": (png_that_claims(60_000, 60_000), "photo_too_many_pixels", "30 megapixels"),
    "a smaller bomb": (png_that_claims(9_000, 9_000), "photo_too_many_pixels", "30 megapixels"),
    "a film": (b"\xff\xd8\xff" + b"\0" * MOST_BYTES, "photo_too_large", "8 MB"),
    "nothing": (b"", "photo_unknown", "not a picture"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "code", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_photo_is_refused_in_a_sentence_that_helps(content: bytes, code: str, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        square_jpeg(content)
    assert (refused.value.code, refused.value.status) == (code, 400)
    assert words in refused.value.detail


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_damaged_file_is_a_picture_or_a_refusal_and_nothing_else(kind: str) -> None:
    whole = a_picture((300, 260), kind)
    damaged = [whole[:end] for end in range(1, len(whole), len(whole) // 25)]
    for mask in (0xFF, 0x01, 0x80):
        for place in range(0, len(whole), len(whole) // 25):
            damaged.append(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])
    for content in damaged:
        try:
            assert opened(square_jpeg(content)).size == (SIDE, SIDE)
        except Refusal as refusal:
            assert refusal.code.startswith("photo_")
