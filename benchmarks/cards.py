"""Card codes and the list of cards withdrawn

Signing, verifying and listing beside the bare operation they rest on; in the browser too.
"""

from __future__ import annotations

import random
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, insert, select

import config as settings
from app import clock, create_app
from app.cards import service
from app.cards.codes import live_batch, static_code
from app.cards.keys import CardKeys, complete
from app.cards.models import Card
from app.cards.payload import CONTEXT, parse_code, window_at
from app.cards.reading import read_code
from app.cards.status_list import SMALLEST, pack, sign_list
from app.cards.withdrawn import withdrawn_places
from app.extensions import db
from app.memberships.models import Term
from app.memberships.service import add_tier
from app.people.models import Person
from benchmarks.figures import Figure, compare, microseconds
from tests.browser.own_scripts import empty_page

BASE_URL = "https://card.example.org"
NOW = datetime(2026, 11, 23, 10, 0, 17, tzinfo=UTC)
TODAY = NOW.date()
KEYS: CardKeys = complete(None, date(2020, 1, 1))
CARD = {"card_id": 0xA1B2C3D4E5, "status_index": 123_456, "tier": 2}
DAY_OF_WINDOWS = 2880
MOST_LIST_BYTES = 4096
IN_BROWSER = """async ({text, jwks, url, now, today, token, calls, rounds}) => {
  const {loadKeys, parseCode, readCode} = await import("/scanner/verifier.js");
  const {openStatusList} = await import("/scanner/status_list.js");
  const code = parseCode(text, url), context = new TextEncoder().encode("carnet-card-v1\\0");
  const message = Uint8Array.from([...context, ...code.body]);
  const bytes = (part) => Uint8Array.from(atob(part.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const raw = await crypto.subtle.importKey("raw", bytes(jwks.keys[0].x), "Ed25519", false, ["verify"]);
  const packed = bytes(JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).status_list.lst);
  const own = await loadKeys(jwks, "webcrypto"), noble = await loadKeys(jwks, "noble");
  const read = (keys) => readCode(text, {cardBaseUrl: url, keys, now, today});
  const tasks = {
    raw: () => crypto.subtle.verify("Ed25519", raw, code.signature, message),
    webcrypto: () => read(own),
    noble: () => read(noble),
    unpack: () => {
      const unpacking = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
      return new Response(unpacking).arrayBuffer();
    },
    open: () => openStatusList(token, jwks),
  };
  if (!await tasks.raw()) throw new Error("not verified");
  for (const name of ["webcrypto", "noble"]) if ((await tasks[name]()).reason !== "ok") throw new Error(name);
  const times = Object.fromEntries(Object.keys(tasks).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, task] of Object.entries(tasks)) {
      const began = performance.now();
      for (let call = 0; call < calls; call += 1) await task();
      times[name].push((performance.now() - began) / calls * 1000);
    }
  }
  const middle = (taken) => taken.sort((a, b) => a - b)[taken.length >> 1];
  return Object.fromEntries(Object.entries(times).map(([name, taken]) => [name, middle(taken)]));
}"""


def run() -> list[Figure]:
    return [*codes(), *lists(), *served(), *in_browser()]


def codes() -> list[Figure]:
    key = KEYS.signing_key(TODAY)
    text = printed()
    code = parse_code(text, BASE_URL)
    message = CONTEXT + code.body
    public = key.private.public_key()
    messages = [message[:-2] + (window_at(NOW) + n).to_bytes(4, "big") for n in range(DAY_OF_WINDOWS)]
    made = microseconds(printed, lambda: key.private.sign(message), 1000)
    read = microseconds(
        lambda: read_code(text, BASE_URL, KEYS, NOW, TODAY), lambda: public.verify(code.signature, message), 1000
    )
    batch = microseconds(a_day_of_codes, lambda: [key.private.sign(one) for one in messages], 1)
    return [
        compare("make a static code", "raw Ed25519 signature", *made, "µs"),
        compare("read a static code", "raw Ed25519 verification", *read, "µs"),
        compare("a day of live codes, as JSON", "2,880 raw signatures", *batch, "µs"),
    ]


def lists() -> list[Figure]:
    places, twice = withdrawn(100), withdrawn(50)
    bits = zlib.decompress(pack(SMALLEST, places))
    loop = microseconds(lambda: listed(places), lambda: [None for _ in places], 100)
    packing = microseconds(lambda: listed(places), lambda: zlib.compress(bits, 9), 20)
    return [
        compare("list of 131,072 places, 1 % withdrawn", "limit", len(listed(places)), MOST_LIST_BYTES, "bytes"),
        compare("the same, 2 % withdrawn", "limit at 1 %", len(listed(twice)), MOST_LIST_BYTES, "bytes"),
        compare("make and sign that list", "an empty loop over its places", *loop, "µs"),
        compare("make and sign that list", "zlib of its bits at level 9", *packing, "µs"),
    ]


def served() -> list[Figure]:
    with association() as app:
        now, today = clock.now(), clock.today()
        client = app.test_client()
        answer = client.get(service.STATUS_PATH, headers={"Accept-Encoding": "gzip"})
        known = {"Accept-Encoding": "gzip", "If-None-Match": answer.headers["ETag"]}
        found = microseconds(lambda: withdrawn_places(now, today), count_cards, 1)
        got = microseconds(lambda: client.get(service.STATUS_PATH, headers=known), count_cards, 1)
    size = len(answer.get_data())
    return [
        compare("GET the list of 131,072 cards, 1 % withdrawn", "limit", size, MOST_LIST_BYTES, "bytes"),
        compare("who is withdrawn, of 131,072 cards on SQLite", "counting the cards", *found, "µs"),
        compare("GET that list, unchanged", "counting the cards", *got, "µs"),
    ]


def in_browser() -> list[Figure]:
    token = listed(withdrawn(100)).decode()
    how = {
        "text": printed(), "jwks": KEYS.public_jwks(TODAY), "url": BASE_URL, "now": NOW.timestamp() * 1000,
        "today": TODAY.isoformat(), "token": token, "calls": 50, "rounds": 7,
    }  # fmt: skip
    with empty_page() as page:
        took = page.evaluate(IN_BROWSER, how)
    return [
        compare("read a static code in Chromium", "raw WebCrypto verification", took["webcrypto"], took["raw"], "µs"),
        compare(
            "the same where WebCrypto has no Ed25519", "raw WebCrypto verification", took["noble"], took["raw"], "µs"
        ),
        compare("open the list in Chromium", "unpacking it", took["open"], took["unpack"], "µs"),
    ]


def printed() -> str:
    return static_code(KEYS, **CARD, expires_on=date(2027, 12, 22), card_base_url=BASE_URL, today=TODAY)


def a_day_of_codes() -> object:
    batch = live_batch(
        KEYS, **CARD, now=NOW, windows=DAY_OF_WINDOWS, ends_at=None, card_base_url=BASE_URL, today=TODAY
    )  # fmt: skip
    return batch.as_json()


def count_cards() -> object:
    return db.session.execute(select(func.count(Card.id))).scalar()


def withdrawn(one_in: int) -> list[int]:
    return random.Random(1).sample(range(SMALLEST), SMALLEST // one_in)  # noqa: S311


def listed(places: list[int]) -> bytes:
    return sign_list(KEYS.signing_key(TODAY, "status"), f"{BASE_URL}{service.STATUS_PATH}", SMALLEST, places, NOW)


@contextmanager
def association() -> Iterator[Flask]:
    """131,072 members on SQLite, each with a card and two years; one in a hundred has lost one or was refunded."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(settings.load({"DATABASE_URL": f"sqlite:///{folder}/carnet.sqlite"}, instance=Path(folder)))
        with app.app_context():
            upgrade()
            fill()
            yield app
            db.session.remove()
            db.engine.dispose()


def fill() -> None:
    now, today = clock.now(), clock.today()
    tier = add_tier("basic", "Basic", 3000, now)
    db.session.flush()
    drawn = random.Random(1)  # noqa: S311
    places = drawn.sample(range(2 * SMALLEST), SMALLEST)
    people = range(1, SMALLEST + 1)
    refunded = set(drawn.sample(people, SMALLEST // 200))
    lost = set(drawn.sample(people, SMALLEST // 200))
    first = today - timedelta(days=100)
    years = [(first - timedelta(days=365), False), (first, True)]
    db.session.execute(
        insert(Person), [{"id": n, "given_name": "A", "family_name": f"B{n}", "created_at": now} for n in people]
    )
    db.session.execute(
        insert(Term), [term(n, tier.id, day, is_last and n in refunded) for n in people for day, is_last in years]
    )
    db.session.execute(
        insert(Card),
        [
            {
                "person_id": n, "number": n, "status_index": places[n - 1], "issued_at": now,
                "revoked_at": now if n in lost else None, "revoked_because": "lost" if n in lost else None,
            }
            for n in people
        ],
    )  # fmt: skip
    db.session.commit()


def term(person_id: int, tier_id: int, starts_on: date, is_refunded: bool) -> dict[str, object]:
    """A granted year; a refunded one ended yesterday."""
    sold_ends_on = starts_on + timedelta(days=364)
    ends_on = clock.today() - timedelta(days=1) if is_refunded else sold_ends_on
    return {
        "person_id": person_id, "tier_id": tier_id, "anchor_on": starts_on, "starts_on": starts_on, "ends_on": ends_on,
        "sold_ends_on": sold_ends_on, "grace_ends_on": ends_on if is_refunded else ends_on + timedelta(days=30),
        "granted_by": "benchmark", "granted_because": "benchmark", "created_at": clock.now(),
        "ended_because": "refunded" if is_refunded else None,
    }  # fmt: skip
