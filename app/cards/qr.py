"""Drawing a code."""

import qrcode
from markupsafe import Markup
from qrcode.constants import ERROR_CORRECT_M

QUIET_ZONE = 4


def qr_matrix(text: str) -> list[list[bool]]:
    """The modules of the QR code of `text` at level M, without quiet zone; True is dark.

    Runs of 20 digits or capitals become segments of their own, so that a card's code takes
    41 modules while its prefix has at most 36 characters.
    """
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=0)
    code.add_data(text, optimize=20)
    return [[bool(dark) for dark in row] for row in code.get_matrix()]


def qr_svg(text: str, label: str) -> str:
    """A complete SVG element, safe to put into a page: black on white in every theme.

    One unit is one module. `label` is what a screen reader says.
    """
    rows = qr_matrix(text)
    size = len(rows) + 2 * QUIET_ZONE
    return Markup(
        '<svg class="qr" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" role="img"'
        ' aria-label="{label}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{size}v{size}H0z"/>'
        '<path d="{dark}"/></svg>'
    ).format(size=size, label=label, dark="".join(_runs(rows)))


def _runs(rows: list[list[bool]]) -> list[str]:
    """Each horizontal run of dark modules as a rectangle of path data."""
    runs = []
    for y, row in enumerate(rows, QUIET_ZONE):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                runs.append(f"M{start + QUIET_ZONE} {y}h{x - start}v1h-{x - start}z")
            x += 1
    return runs
