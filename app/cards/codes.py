"""Making the codes of a card: static for paper, live for the screen."""

import base64
from dataclasses import dataclass
from datetime import UTC, date, datetime

from app.cards.keys import CardKeys
from app.cards.payload import (
    CONTEXT,
    LAST_EXPIRY,
    LIVE,
    WINDOW_SECONDS,
    Contents,
    card_prefix,
    encode,
    encode_header,
    window_at,
    write_code,
)


@dataclass(frozen=True, slots=True)
class LiveBatch:
    """Live codes of one card for consecutive windows, in the form the card page puts together.

    `header` is what all share, 11 bytes; code number i is header + window (4 bytes) + signatures[i].
    `until` is the end of the last window, `made_at` itself when there is none.
    """

    made_at: datetime
    prefix: str
    header: bytes
    first_window: int
    signatures: tuple[bytes, ...]

    @property
    def until(self) -> datetime:
        if not self.signatures:
            return self.made_at
        return datetime.fromtimestamp((self.first_window + len(self.signatures)) * WINDOW_SECONDS, UTC)

    def as_json(self) -> dict[str, str | int]:
        return {
            "server_time": _instant(self.made_at),
            "prefix": self.prefix,
            "header": base64.b64encode(self.header).decode("ascii"),
            "first_window": self.first_window,
            "signatures": base64.b64encode(b"".join(self.signatures)).decode("ascii"),
            "until": _instant(self.until),
        }


def static_code(
    keys: CardKeys,
    *,
    card_id: int,
    status_index: int,
    tier: int,
    expires_on: date,
    card_base_url: str,
    today: date,
) -> str:
    """The text of a static code, good until the end of `expires_on` (the last day of grace).

    A day after LAST_EXPIRY (2199), such as that of a membership for life, is written as LAST_EXPIRY.
    """
    key = keys.signing_key(today)
    contents = Contents(key.key_id, status_index, card_id, tier, expires_on=min(expires_on, LAST_EXPIRY))
    body = encode(contents)
    return write_code(body, key.sign(CONTEXT + body), card_base_url)


def live_code(
    keys: CardKeys,
    *,
    card_id: int,
    status_index: int,
    tier: int,
    window: int,
    card_base_url: str,
    today: date,
) -> str:
    """The text of the live code of one 30-second window (`payload.window_at`)."""
    key = keys.signing_key(today)
    body = encode(Contents(key.key_id, status_index, card_id, tier, window=window))
    return write_code(body, key.sign(CONTEXT + body), card_base_url)


def live_batch(
    keys: CardKeys,
    *,
    card_id: int,
    status_index: int,
    tier: int,
    now: datetime,
    windows: int,
    ends_at: datetime | None,
    card_base_url: str,
    today: date,
) -> LiveBatch:
    """The codes of `windows` windows, the first that of `now`.

    None is signed that begins at or after `ends_at`: the aware instant at which the day after the
    last day of grace begins in the association's time zone; None for a membership without end.
    """
    key = keys.signing_key(today)
    header = encode_header(LIVE, key.key_id, status_index, card_id, tier)
    first = window_at(now)
    signed = [
        key.sign(CONTEXT + header + window.to_bytes(4, "big"))
        for window in range(first, first + windows)
        if ends_at is None or max(now.timestamp(), window * WINDOW_SECONDS) < ends_at.timestamp()
    ]
    return LiveBatch(now, card_prefix(card_base_url), header, first, tuple(signed))


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
