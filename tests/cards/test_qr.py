"""The drawn code: read back by another program, of the promised size."""

import re
from datetime import date
from html import unescape

import pytest
import zxingcpp
from PIL import Image

from app.cards.codes import live_code, static_code
from app.cards.keys import CardKeys, generate
from app.cards.qr import qr_svg

TODAY = date(2026, 11, 23)
KEYS = CardKeys([generate(1, TODAY)])
FACTS = {"card_id": 2**40 - 1, "status_index": 2**24 - 1, "tier": 255, "today": TODAY}
LONGEST_HOST = "https://" + "a" * 21 + ".org"


def static(base):
    return static_code(KEYS, expires_on=date(2027, 1, 22), card_base_url=base, **FACTS)


def live(base):
    return live_code(KEYS, window=59_847_600, card_base_url=base, **FACTS)


def draw(svg, scale=4):
    """Rasterises our SVG: a white ground and rectangles of whole modules."""
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', svg)[1])
    ground, dark = re.search(r'<path fill="#fff" d="(.*?)"/><path d="(.*?)"/></svg>$', svg).groups()
    assert ground == f"M0 0h{side}v{side}H0z"
    picture = Image.new("L", (side * scale, side * scale), 255)
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", dark)
    assert "".join(f"M{x} {y}h{w}v1h-{w}z" for x, y, w in runs) == dark
    for x, y, width in ((int(x), int(y), int(w)) for x, y, w in runs):
        picture.paste(0, (x * scale, y * scale, (x + width) * scale, (y + 1) * scale))
    return picture, side


@pytest.mark.parametrize("make", [static, live])
@pytest.mark.parametrize("base", [LONGEST_HOST, "https://card.example.org", "http://127.0.0.1:8000", "https://a.io"])
def test_a_drawn_code_reads_back_at_version_6_and_level_m(make, base):
    text = make(base)
    picture, side = draw(qr_svg(text, "Member code"))
    (found,) = zxingcpp.read_barcodes(picture)
    assert found.text == text
    assert (found.extra["Version"], found.extra["ECLevel"]) == ("6", "M")
    assert side == 41 + 2 * 4


def test_thirty_six_characters_of_prefix_are_the_most_that_41_modules_hold():
    text = live(LONGEST_HOST)
    assert len(text.rpartition("/")[0]) + 1 == 36
    assert draw(qr_svg(text, "x"))[1] == 49
    assert draw(qr_svg(live(LONGEST_HOST + "x"), "x"))[1] == 53


def test_the_quiet_zone_is_white():
    picture, side = draw(qr_svg(static(LONGEST_HOST), "x"), scale=1)
    inner = picture.crop((4, 4, side - 4, side - 4))
    assert picture.histogram()[0] == inner.histogram()[0]
    corners = [inner.getpixel(at) for at in ((0, 0), (40, 0), (0, 40))]
    assert corners == [0, 0, 0]


def test_the_picture_is_one_image_with_a_name_and_no_style():
    svg = qr_svg("1", 'Code of "A & B" <x>')
    assert svg.startswith('<svg class="qr" xmlns="http://www.w3.org/2000/svg"')
    assert ' role="img" ' in svg
    assert unescape(re.search(r'aria-label="([^"]*)"', svg)[1]) == 'Code of "A & B" <x>'
    assert "style" not in svg
