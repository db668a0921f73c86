"""The byte layout of a code and its one text form."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.cards.payload import (
    EXPIRY_EPOCH,
    LAST_EXPIRY,
    Contents,
    Forged,
    card_prefix,
    decode,
    encode,
    parse_code,
    window_at,
    write_code,
)

BASE_URL = "https://card.example.org"
HEADERS = {
    "key_id": st.integers(0, 2**8 - 1),
    "status_index": st.integers(0, 2**24 - 1),
    "card_id": st.integers(0, 2**40 - 1),
    "tier": st.integers(0, 2**8 - 1),
}
STATIC = st.builds(Contents, **HEADERS, expires_on=st.dates(EXPIRY_EPOCH, LAST_EXPIRY))
LIVE = st.builds(Contents, **HEADERS, window=st.integers(0, 2**32 - 1))
SIGNATURES = st.binary(min_size=64, max_size=64)


def test_a_static_code_is_laid_out_byte_by_byte_as_specified():
    contents = Contents(7, 0x010203, 0xA1A2A3A4A5, 2, expires_on=date(2020, 1, 1) + timedelta(days=0x0B0C))
    assert encode(contents).hex() == "1107010203a1a2a3a4a5020b0c"


def test_a_live_code_is_laid_out_byte_by_byte_as_specified():
    contents = Contents(7, 0x010203, 0xA1A2A3A4A5, 2, window=0x01020304)
    assert encode(contents).hex() == "2107010203a1a2a3a4a50201020304"


def test_the_text_is_the_number_of_a_one_and_the_bytes():
    body = bytes.fromhex("1107010203a1a2a3a4a5020b0c")
    number = int("01" + body.hex() + "ff" * 64, 16)
    assert write_code(body, b"\xff" * 64, BASE_URL) == f"HTTPS://CARD.EXAMPLE.ORG/C/{number}"


@given(STATIC | LIVE, SIGNATURES)
def test_what_is_written_is_read_back(contents, signature):
    text = write_code(encode(contents), signature, BASE_URL)
    code = parse_code(text, BASE_URL)
    assert (code.contents, code.body, code.signature) == (contents, encode(contents), signature)
    assert code.contents.is_live == (contents.window is not None)


@given(STATIC | LIVE, SIGNATURES)
def test_the_digits_alone_are_the_same_code(contents, signature):
    text = write_code(encode(contents), signature, BASE_URL)
    assert parse_code(text.rpartition("/")[2], BASE_URL) == parse_code(text, BASE_URL)


@given(st.binary(max_size=20))
def test_bytes_are_refused_or_written_again_as_they_were(body):
    try:
        contents = decode(body)
    except Forged:
        return
    assert encode(contents) == body


@given(STATIC | LIVE, SIGNATURES, st.data())
def test_a_code_has_no_second_text_form(contents, signature, data):
    text = write_code(encode(contents), signature, BASE_URL)
    position = data.draw(st.integers(0, len(text)))
    other = text[:position] + data.draw(st.text(max_size=3)) + text[data.draw(st.integers(position, len(text))) :]
    assume(other != text)
    try:
        code = parse_code(other, BASE_URL)
    except Forged:
        return
    body, digits = code.body, text.rpartition("/")[2]
    assert other == digits or (body, code.signature) != (encode(contents), signature)


@pytest.mark.parametrize("size", range(80))
def test_a_code_cut_short_is_refused(size):
    whole = b"\x01" + bytes.fromhex("2107010203a1a2a3a4a50201020304") + b"\x5a" * 64
    assert parse_code(str(int.from_bytes(whole, "big")), BASE_URL).contents.window == 0x01020304
    with pytest.raises(Forged):
        parse_code(str(int.from_bytes(whole[:size], "big")), BASE_URL)


@pytest.mark.parametrize("first", [b for b in range(256) if b not in (0x11, 0x21)])
def test_an_unknown_kind_or_format_is_refused(first):
    for tail in (2, 4):
        with pytest.raises(Forged):
            decode(bytes([first]) + bytes(10 + tail))


def test_a_kind_with_the_length_of_the_other_is_refused():
    for body in (b"\x11" + bytes(14), b"\x21" + bytes(12)):
        with pytest.raises(Forged):
            decode(body)


def test_a_code_with_both_an_expiry_and_a_window_cannot_be_made():
    with pytest.raises(ValueError, match="either"):
        Contents(1, 2, 3, 4, expires_on=date(2026, 1, 1), window=5)
    with pytest.raises(ValueError, match="either"):
        Contents(1, 2, 3, 4)


@pytest.mark.parametrize(
    "contents",
    [
        Contents(256, 0, 0, 0, window=0),
        Contents(0, 2**24, 0, 0, window=0),
        Contents(0, 0, 2**40, 0, window=0),
        Contents(0, 0, 0, 256, window=0),
        Contents(0, 0, 0, 0, window=2**32),
        Contents(0, 0, 0, 0, window=-1),
        Contents(0, 0, 0, 0, expires_on=date(2019, 12, 31)),
        Contents(0, 0, 0, 0, expires_on=LAST_EXPIRY + timedelta(days=1)),
    ],
)
def test_a_number_too_large_for_its_place_is_never_cut_to_fit(contents):
    with pytest.raises(OverflowError):
        encode(contents)


@pytest.mark.parametrize(
    ("base", "prefix"),
    [
        ("https://card.example.org", "HTTPS://CARD.EXAMPLE.ORG/C/"),
        ("https://Card.Example.org/", "HTTPS://CARD.EXAMPLE.ORG/C/"),
        ("http://127.0.0.1:8000", "HTTP://127.0.0.1:8000/C/"),
    ],
)
def test_the_prefix_is_the_address_of_cards_in_capitals(base, prefix):
    assert card_prefix(base) == prefix


@pytest.mark.parametrize(
    "base",
    ["", "card.example.org", "ftp://card.example.org", "https://", "https://card.example.org/app",
     "https://card.example.org?x=1", "https://card.example.org#x", "https://me@card.example.org",
     "https://c\u00e0rd.example.org"],
)  # fmt: skip
def test_an_address_that_is_more_than_a_scheme_and_a_host_is_refused(base):
    with pytest.raises(ValueError, match="scheme and a host"):
        card_prefix(base)


def test_a_window_is_thirty_seconds_of_universal_time():
    start = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)
    first = window_at(start)
    assert first == 1_795_428_000 // 30
    assert window_at(start + timedelta(seconds=29, milliseconds=999)) == first
    assert window_at(start + timedelta(seconds=30)) == first + 1
