"""Which key signs, which verify, which are published, and what is said of a wrong CARD_KEYS."""

import base64
import json
from datetime import date, timedelta

import pytest

from app.cards.keys import CardKeys, InvalidCardKeys, NoSigningKey, complete, generate

DAY = date(2026, 11, 23)
SECRET = "A" * 43
BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)


def entry(**changes):
    return {"id": 1, "private": SECRET, "first_use_on": "2026-11-23", "retired_on": None} | changes


def load(*entries):
    return CardKeys.load(json.dumps(entries))


def test_a_key_signs_from_its_first_day_on():
    keys = CardKeys([generate(1, DAY)])
    with pytest.raises(NoSigningKey, match="2026-11-22"):
        keys.signing_key(BEFORE)
    assert keys.signing_key(DAY).key_id == keys.signing_key(AFTER).key_id == 1


def test_a_newer_key_signs_from_its_own_first_day_on():
    keys = CardKeys([generate(9, DAY), generate(3, DAY - timedelta(days=400))])
    assert keys.signing_key(BEFORE).key_id == 3
    assert keys.signing_key(DAY).key_id == 9
    assert keys.signing_key(AFTER).key_id == 9


def test_a_key_is_published_and_verifies_before_its_first_use():
    old, new = generate(1, DAY), generate(2, AFTER)
    keys = CardKeys([old]).with_key(new)
    assert [k["kid"] for k in keys.public_jwks(DAY)["keys"]] == ["card-1", "card-2"]
    assert keys.knows(2, DAY)
    assert keys.is_signed(2, b"message", new.sign(b"message"))


def test_a_retired_key_neither_signs_nor_verifies_nor_is_published():
    keys = load(entry(retired_on="2026-12-01"), entry(id=2, private="B" * 42 + "A", first_use_on="2026-01-01"))
    last, gone = date(2026, 11, 30), date(2026, 12, 1)
    assert keys.signing_key(last).key_id == 1
    assert keys.signing_key(gone).key_id == 2
    assert (keys.knows(1, last), keys.knows(1, gone)) == (True, False)
    assert [k["kid"] for k in keys.public_jwks(last)["keys"]] == ["card-1", "card-2"]
    assert [k["kid"] for k in keys.public_jwks(gone)["keys"]] == ["card-2"]


def test_a_signature_counts_only_for_the_key_that_made_it():
    one, two = generate(1, DAY), generate(2, AFTER)
    keys = CardKeys([one, two])
    signature = one.sign(b"message")
    assert keys.is_signed(1, b"message", signature)
    assert not keys.is_signed(2, b"message", signature)
    assert not keys.is_signed(1, b"messagf", signature)
    assert not keys.is_signed(1, b"message", signature[:-1])


def test_the_published_set_holds_public_keys_and_nothing_secret():
    key = generate(5, DAY)
    (published,) = CardKeys([key]).public_jwks(DAY)["keys"]
    raw = key.private.public_key().public_bytes_raw()
    assert published.pop("x") == base64.urlsafe_b64encode(raw).decode().rstrip("=")
    assert published == {"kty": "OKP", "crv": "Ed25519", "kid": "card-5", "alg": "EdDSA", "use": "sig"}


def test_a_key_of_the_list_signs_lists_and_one_of_cards_signs_cards():
    card, status = generate(1, DAY), generate(1, DAY, "status")
    keys = CardKeys([card, status])
    assert keys.signing_key(DAY) is card
    assert keys.signing_key(DAY, "status") is status
    assert [k["kid"] for k in keys.public_jwks(DAY)["keys"]] == ["card-1", "status-1"]


def test_no_code_is_verified_by_a_key_of_the_list():
    card, status = generate(1, DAY), generate(2, DAY, "status")
    keys = CardKeys([card, status])
    assert not keys.knows(2, DAY)
    assert not keys.is_signed(1, b"message", status.sign(b"message"))


def test_without_a_key_of_its_own_the_list_is_not_signed():
    keys = CardKeys([generate(1, DAY)])
    with pytest.raises(NoSigningKey, match="status key"):
        keys.signing_key(DAY, "status")


def test_a_retired_key_of_the_list_is_not_published():
    keys = load(entry(), entry(use="status", private="B" * 42 + "A", retired_on="2026-12-01"))
    kids = [[k["kid"] for k in keys.public_jwks(date(2026, m, d))["keys"]] for m, d in ((11, 30), (12, 1))]
    assert kids == [["card-1", "status-1"], ["card-1"]]


def test_an_installation_begins_with_a_key_of_each_use_and_keeps_those_it_has():
    whole = complete(None, DAY)
    assert [key.kid for key in whole.of("card") + whole.of("status")] == ["card-1", "status-1"]
    assert complete(whole, AFTER) is whole
    cards_only = CardKeys([generate(4, BEFORE)])
    grown = complete(cards_only, DAY)
    assert grown.of("card") == cards_only.of("card")
    assert [key.kid for key in grown.of("status")] == ["status-1"]


def test_ids_of_the_two_uses_are_counted_apart():
    keys = CardKeys([generate(7, DAY), generate(3, DAY, "status")])
    assert (keys.next_id(), keys.next_id("status")) == (8, 4)
    assert CardKeys([generate(7, DAY)]).next_id("status") == 1


def test_what_is_dumped_loads_as_the_same_keys():
    keys = load(
        entry(retired_on="2027-01-01"), entry(id=255, private="B" * 42 + "A", first_use_on="2026-12-01"),
        entry(use="status", private="C" * 42 + "A"),
    )  # fmt: skip
    again = CardKeys.load(keys.dump())
    assert again.dump() == keys.dump()
    assert again.signing_key(DAY).sign(b"x") == keys.signing_key(DAY).sign(b"x")


def test_a_generated_key_is_new_every_time():
    assert generate(1, DAY).sign(b"x") != generate(1, DAY).sign(b"x")


def test_the_next_id_follows_the_newest_key_and_skips_those_taken():
    keys = CardKeys([generate(255, AFTER), generate(0, DAY), generate(7, BEFORE)])
    assert keys.next_id() == 1
    full = CardKeys([generate(n, DAY + timedelta(days=n)) for n in range(256)])
    with pytest.raises(InvalidCardKeys, match="256"):
        full.next_id()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("{}", "not a JSON list"),
        ("[]", "no key"),
        ("[1]", "key 1 is not an object"),
        (json.dumps([entry(id=256)]), "key 1: id must be"),
        (json.dumps([entry(id=-1)]), "key 1: id must be"),
        (json.dumps([entry(id=True)]), "key 1: id must be"),
        (json.dumps([entry(id="1")]), "key 1: id must be"),
        (json.dumps([{"id": 4, "first_use_on": "2026-11-23"}]), "id 4: private must be 32 bytes"),
        (json.dumps([entry(private=SECRET[:-1])]), "id 1: private must be 32 bytes"),
        (json.dumps([entry(private=SECRET + "AA")]), "id 1: private must be 32 bytes"),
        (json.dumps([entry(private="!" * 43)]), "id 1: private must be 32 bytes"),
        (json.dumps([entry(private="\u00e9" * 43)]), "id 1: private must be 32 bytes"),
        (json.dumps([entry(private=None)]), "id 1: private must be 32 bytes"),
        (json.dumps([entry(first_use_on="23/11/2026")]), "id 1: first_use_on must be a day"),
        (json.dumps([entry(first_use_on=None)]), "id 1: first_use_on must be a day"),
        (json.dumps([entry(retired_on="soon")]), "id 1: retired_on must be a day"),
        (json.dumps([entry(retired_on="2026-11-23")]), "id 1: retired_on must be after first_use_on"),
        (json.dumps([entry(retired="2027-01-01")]), "unknown field 'retired'"),
        (json.dumps([entry(use="sig")]), 'key 1: use is "status", or left out'),
        (json.dumps([entry(use="status")]), "no key that signs cards"),
        (json.dumps([entry(), entry(use="status")]), "same secret"),
        (
            json.dumps(
                [
                    entry(id=2, first_use_on="2027-01-01", private="C" * 42 + "A"),
                    entry(use="status"),
                    entry(use="status", private="B" * 42 + "A"),
                ]
            ),
            "status keys have the id 1",
        ),
        (json.dumps([entry(), entry(first_use_on="2027-01-01", private="B" * 42 + "A")]), "the id 1"),
        (json.dumps([entry(), entry(id=2, private="B" * 42 + "A")]), "the first_use_on 2026-11-23"),
        (json.dumps([entry(), entry(id=2, first_use_on="2027-01-01")]), "same secret"),
    ],
)
def test_a_wrong_setting_is_refused_and_named_without_showing_a_secret(text, said):
    with pytest.raises(InvalidCardKeys) as refusal:
        CardKeys.load(text)
    assert said in str(refusal.value)
    assert "CARD_KEYS" in str(refusal.value)
    assert SECRET[:20] not in str(refusal.value)


def test_a_key_printed_by_accident_does_not_show_its_secret():
    key = load(entry()).signing_key(DAY)
    assert "private" not in repr(key)
    assert SECRET not in repr(key)
