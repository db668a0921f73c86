"""What the eye needs: colours that can be read in light and dark, and one style sheet for everything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

APP = Path(__file__).resolve().parent.parent / "app"
SHEET = (APP / "static" / "carnet.css").read_text(encoding="utf-8")

# What is read on what, and the contrast WCAG 2.2 asks of it: 4.5 for text, 3 for the edges of controls.
READ_ON = [
    (ink, ground, 4.5)
    for ink, grounds in {
        "ink": ("paper", "sheet", "sunk"),
        "ink-2": ("paper", "sheet", "sunk"),
        "ink-3": ("paper", "sheet"),
        "link": ("paper", "sheet"),
        "accent-on": ("accent",),
        "ok": ("ok-tint",),
        "warn": ("warn-tint",),
        "bad": ("bad-tint",),
        "wait": ("wait-tint",),
    }.items()
    for ground in grounds
] + [("line-strong", "sheet", 3.0)]


def tokens(selector: str) -> dict[str, str]:
    """The custom properties of the first block after a selector."""
    block = SHEET.split(selector, 1)[1].split("}", 1)[0]
    return {name: value.strip() for name, value in re.findall(r"--([a-z0-9-]+):([^;]+);", block)}


LIGHT = tokens(":root{")
DARK = tokens(":root[data-theme=dark]{")


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2, definition) of #rgb or #rrggbb."""
    digits = colour.lstrip("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), READ_ON)
def test_what_is_written_can_be_read(theme: dict[str, str], ink: str, ground: str, least: float) -> None:
    assert contrast(theme[ink], theme[ground]) >= least


def test_the_device_and_the_chosen_theme_are_equally_dark() -> None:
    assert DARK == tokens(":root:not([data-theme]){")


def test_letters_alone_carry_styles_of_their_own() -> None:
    styled = [
        page.relative_to(APP).as_posix()
        for page in (APP / "templates").rglob("*.html")
        if "mail" not in page.parts and re.search(r"\sstyle=\"[^\"]*:|<style", page.read_text(encoding="utf-8"))
    ]
    assert styled == []


def test_no_page_runs_a_script_written_into_it() -> None:
    inline = re.compile(r"<script(?![^>]*\b(src=|type=\"application/json\"))|\son[a-z]+=\"")
    pages = [
        page.name for page in (APP / "templates").rglob("*.html") if inline.search(page.read_text(encoding="utf-8"))
    ]
    assert pages == []
