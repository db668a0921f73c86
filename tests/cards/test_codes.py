"""Codes as they are made, and as they are judged by themselves."""

import base64
import gzip
import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cards.codes import live_batch, live_code, static_code
from app.cards.keys import CardKeys, NoSigningKey, generate
from app.cards.payload import CONTEXT, LAST_EXPIRY, parse_code, window_at, write_code
from app.cards.reading import read_code
from tests.cards.vectors import generate as vectors
from tests.cards.vectors.generate import read_shared

BASE_URL = "https://card.example.org"
NOW = datetime(2026, 11, 23, 10, 0, 17, tzinfo=UTC)
TODAY = date(2026, 11, 23)
EXPIRY = date(2027, 1, 22)
WINDOW = window_at(NOW)
KEYS = CardKeys([generate(1, date(2026, 1, 1))])
CARD = {"card_id": 0xA1B2C3D4E5, "status_index": 123456, "tier": 2}
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def static(keys=KEYS, base=BASE_URL, **changes):
    facts = CARD | {"expires_on": EXPIRY, "today": TODAY} | changes
    return static_code(keys, card_base_url=base, **facts)


def live(keys=KEYS, base=BASE_URL, **changes):
    facts = CARD | {"window": WINDOW, "today": TODAY} | changes
    return live_code(keys, card_base_url=base, **facts)


def batch(now=NOW, windows=20, ends_at=None):
    return live_batch(KEYS, **CARD, now=now, windows=windows, ends_at=ends_at, card_base_url=BASE_URL, today=TODAY)


def read(text, now=NOW, today=TODAY, keys=KEYS):
    return read_code(text, BASE_URL, keys, now, today)


MAKERS = pytest.mark.parametrize("make", [static, live])


def test_a_static_code_is_read_as_it_was_made():
    reading = read(static())
    assert reading.reason == "ok"
    contents = reading.contents
    assert (contents.card_id, contents.status_index, contents.tier) == tuple(CARD.values())
    assert (contents.key_id, contents.expires_on, contents.window) == (1, EXPIRY, None)


def test_a_live_code_is_read_as_it_was_made():
    contents = read(live()).contents
    assert (contents.card_id, contents.status_index, contents.tier) == tuple(CARD.values())
    assert (contents.key_id, contents.expires_on, contents.window) == (1, None, WINDOW)


@MAKERS
def test_no_code_with_a_single_bit_changed_is_accepted(make):
    code = parse_code(make(), BASE_URL)
    raw = code.body + code.signature
    for bit in range(len(raw) * 8):
        changed = (int.from_bytes(raw, "big") ^ (1 << bit)).to_bytes(len(raw), "big")
        reading = read(write_code(changed[:-64], changed[-64:], BASE_URL))
        in_key_id = len(raw) * 8 - 16 <= bit < len(raw) * 8 - 8
        assert reading.reason == ("unknown_card" if in_key_id else "forged"), bit
        assert reading.contents is None


@MAKERS
def test_no_code_with_a_single_bit_of_its_number_changed_is_accepted(make):
    number = int(make().rpartition("/")[2])
    for bit in range(number.bit_length() + 8):
        assert read(str(number ^ (1 << bit))).reason in ("forged", "unknown_card"), bit


@MAKERS
def test_a_code_with_any_digit_lost_is_refused(make):
    digits = make().rpartition("/")[2]
    for position in range(len(digits)):
        changed = digits[:position] + digits[position + 1 :]
        assert changed == digits or read(changed).reason in ("forged", "unknown_card")


@MAKERS
def test_a_code_signed_by_another_key_under_our_id_is_forged(make):
    assert read(make(keys=CardKeys([generate(1, TODAY)]))).reason == "forged"


@MAKERS
def test_a_code_that_names_a_key_we_do_not_have_is_an_unknown_card(make):
    reading = read(make(keys=CardKeys([generate(2, TODAY)])))
    assert (reading.reason, reading.contents) == ("unknown_card", None)


@MAKERS
def test_a_code_for_another_host_or_scheme_is_forged(make):
    for base in ("https://other.example.org", "http://card.example.org", "https://card.example.org:8443"):
        assert read(make(base=base)).reason == "forged"


@MAKERS
def test_the_second_form_of_a_signature_is_forged(make):
    code = parse_code(make(), BASE_URL)
    s = int.from_bytes(code.signature[32:], "little") + GROUP_ORDER
    signature = code.signature[:32] + s.to_bytes(32, "little")
    assert read(write_code(code.body, signature, BASE_URL)).reason == "forged"


@MAKERS
def test_a_signature_of_zeros_is_forged(make):
    code = parse_code(make(), BASE_URL)
    for signature in (bytes(64), b"\x01" + bytes(63), b"\xff" * 64):
        assert read(write_code(code.body, signature, BASE_URL)).reason == "forged"


@MAKERS
def test_only_a_signature_made_for_cards_counts(make):
    code, key = parse_code(make(), BASE_URL), KEYS.signing_key(TODAY)
    assert read(write_code(code.body, key.sign(CONTEXT + code.body), BASE_URL)).reason == "ok"
    assert read(write_code(code.body, key.sign(code.body), BASE_URL)).reason == "forged"


@pytest.mark.parametrize(("days", "reason"), [(-1, "expired_card"), (0, "ok"), (1, "ok")])
def test_a_static_code_holds_through_its_expiry_day(days, reason):
    reading = read(static(expires_on=TODAY + timedelta(days=days)))
    assert reading.reason == reason
    assert reading.contents.card_id == CARD["card_id"]


@pytest.mark.parametrize(
    ("offset", "reason"), [(-2, "stale_code"), (-1, "ok"), (0, "ok"), (1, "ok"), (2, "stale_code")]
)
def test_a_live_code_holds_for_its_window_and_one_to_either_side(offset, reason):
    reading = read(live(window=WINDOW + offset))
    assert reading.reason == reason
    assert reading.contents.card_id == CARD["card_id"]


def test_a_live_code_dies_to_the_second():
    code = live()
    start = datetime.fromtimestamp(WINDOW * 30, UTC)
    assert read(code, now=start - timedelta(seconds=31)).reason == "stale_code"
    assert read(code, now=start - timedelta(seconds=30)).reason == "ok"
    assert read(code, now=start + timedelta(seconds=59)).reason == "ok"
    assert read(code, now=start + timedelta(seconds=60)).reason == "stale_code"


def test_a_forged_code_is_forged_before_it_is_stale_or_expired():
    stranger = CardKeys([generate(1, TODAY)])
    assert read(live(stranger, window=WINDOW - 99)).reason == "forged"
    assert read(static(stranger, expires_on=date(2020, 1, 1))).reason == "forged"


def test_an_unknown_card_is_unknown_before_it_is_stale_or_expired():
    stranger = CardKeys([generate(9, TODAY)])
    assert read(live(stranger, window=WINDOW - 99)).reason == "unknown_card"
    assert read(static(stranger, expires_on=date(2020, 1, 1))).reason == "unknown_card"


def test_codes_signed_before_a_rotation_stay_good():
    keys = KEYS.with_key(generate(2, TODAY))
    assert read(static(), keys=keys).reason == "ok"
    assert read(static(keys), keys=keys).contents.key_id == 2


def test_no_code_is_made_before_the_first_key_may_be_used():
    with pytest.raises(NoSigningKey):
        static(CardKeys([generate(1, TODAY + timedelta(days=1))]))


def test_a_membership_for_life_gets_the_last_day_a_code_can_hold():
    assert read(static(expires_on=date.max)).contents.expires_on == LAST_EXPIRY == date(2199, 6, 6)


def test_the_code_says_nothing_about_the_person():
    """Two cards of the same tier and dates differ in nothing but their random numbers and the signature."""
    one = parse_code(static(card_id=1, status_index=2), BASE_URL).body
    two = parse_code(static(card_id=3, status_index=4), BASE_URL).body
    assert one[:2] + one[10:] == two[:2] + two[10:]


def codes_of(document):
    """What the card page does with a batch."""
    header = base64.b64decode(document["header"])
    signatures = base64.b64decode(document["signatures"])
    for n in range(len(signatures) // 64):
        raw = b"\x01" + header + (document["first_window"] + n).to_bytes(4, "big")
        raw += signatures[64 * n : 64 * n + 64]
        yield document["prefix"] + str(int.from_bytes(raw, "big"))


def test_a_batch_holds_the_very_codes_that_would_be_made_one_by_one():
    document = json.loads(json.dumps(batch().as_json()))
    assert list(codes_of(document)) == [live(window=WINDOW + n) for n in range(20)]
    assert document["server_time"] == "2026-11-23T10:00:17.000Z"
    assert document["until"] == "2026-11-23T10:10:00.000Z"


def test_a_day_of_codes_stays_small():
    document = batch(windows=2880).as_json()
    assert len(json.dumps(document)) < 250_000
    assert document["until"] == "2026-11-24T10:00:00.000Z"


@given(st.integers(-3600, 3600))
def test_no_window_is_signed_after_the_last_day_of_grace(seconds):
    ends_at = datetime(2026, 11, 24, tzinfo=ZoneInfo("Europe/Madrid"))
    now = ends_at.astimezone(UTC) + timedelta(seconds=seconds)
    document = batch(now=now, windows=40, ends_at=ends_at).as_json()
    windows = [parse_code(code, BASE_URL).contents.window for code in codes_of(document)]
    begins = [datetime.fromtimestamp(window * 30, UTC) for window in windows]
    assert all(begin < ends_at for begin in begins)
    assert bool(windows) == (now < ends_at)
    assert len(windows) == 40 or not windows or begins[-1] + timedelta(seconds=30) >= ends_at


def test_a_batch_without_windows_says_so():
    document = batch(ends_at=NOW).as_json()
    assert document["signatures"] == ""
    assert document["until"] == document["server_time"]


def test_every_shared_vector_gets_its_reason():
    shared = read_shared()
    now, today = datetime.fromisoformat(shared["now"]), date.fromisoformat(shared["today"])
    given = [
        (line, read_code(line["text"], shared["card_base_url"], vectors.KEYS, now, today).reason)
        for line in shared["vectors"]
    ]
    assert [(line["name"], reason) for line, reason in given if reason != line["reason"]] == []
    assert len([line for line, reason in given if reason == "ok"]) >= 200
    assert len([line for line, reason in given if reason != "ok"]) >= 10_000


def test_the_shared_vectors_are_those_their_generator_writes():
    assert json.loads(gzip.decompress(vectors.FILE.read_bytes())) == vectors.build()
