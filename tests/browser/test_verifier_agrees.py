"""The scanner's own verifier, list and drawing, in Chromium, against Python's."""

import re
from datetime import date, datetime

import pytest
import zxingcpp
from PIL import Image

from app.cards.codes import live_code, static_code
from app.cards.reading import read_code
from tests.browser import hostile_lists
from tests.browser.own_scripts import empty_page
from tests.cards.opening import Refused, open_list
from tests.cards.vectors.generate import CARD, KEYS, TODAY, read_shared

READ_ALL = """async ({shared, engine}) => {
  const {loadKeys, readCode} = await import("/scanner/verifier.js");
  const keys = await loadKeys(shared.jwks, engine);
  const how = {cardBaseUrl: shared.card_base_url, keys, now: Date.parse(shared.now), today: shared.today};
  return Promise.all(shared.vectors.map((line) => readCode(line.text, how)));
}"""
OPEN_ALL = """async ({tokens, jwks, url, engine}) => {
  const {openStatusList} = await import("/scanner/status_list.js");
  const answers = [];
  for (const token of tokens) {
    try {
      const list = await openStatusList(token, jwks, {url, engine}), set = [];
      let size = 8;
      while (list.isSet(size) !== null) size *= 2;
      for (let index = 0; index < Math.min(size, 131072); index += 1) if (list.isSet(index)) set.push(index);
      answers.push({issuedAt: list.issuedAt, expiresAt: list.expiresAt, size, set, last: list.isSet(size - 1)});
    } catch (error) {
      answers.push(null);
    }
  }
  return answers;
}"""
DRAW = """async ({prefix, digits}) => {
  const {drawCode} = await import("/card/qr.js");
  return drawCode(prefix, digits, "Member code").outerHTML;
}"""


@pytest.fixture(scope="module")
def page():
    with empty_page() as page:
        yield page


@pytest.fixture(scope="module")
def shared():
    return read_shared()


def in_python(shared, keys):
    """Python's reading of every line, in the words of verifier.js."""
    now, today = datetime.fromisoformat(shared["now"]), date.fromisoformat(shared["today"])
    for line in shared["vectors"]:
        reading = read_code(line["text"], shared["card_base_url"], keys, now, today)
        contents = None
        if c := reading.contents:
            expires_on = c.expires_on.isoformat() if c.expires_on else None
            contents = {"keyId": c.key_id, "statusIndex": c.status_index, "cardId": c.card_id, "tier": c.tier,
                        "expiresOn": expires_on, "window": c.window}  # fmt: skip
        yield {"reason": reading.reason, "contents": contents}


@pytest.mark.parametrize("engine", ["webcrypto", "noble"])
def test_browser_and_python_give_every_line_the_same_verdict(page, shared, engine):
    browser = page.evaluate(READ_ALL, {"shared": shared, "engine": engine})
    python = list(in_python(shared, KEYS))
    lines = list(zip(shared["vectors"], browser, python, strict=True))
    assert [line["name"] for line, b, p in lines if b != p] == []
    assert [line["name"] for line, b, _ in lines if b["reason"] != line["reason"]] == []
    assert len([line for line, b, _ in lines if b["reason"] == "ok"]) >= 200
    assert len([line for line, b, _ in lines if b["reason"] != "ok"]) >= 10_000


def opened_in_python(token, url):
    """Python's opening of a list, in the words of status_list.js; None when it is refused."""
    try:
        opened = open_list(token, hostile_lists.JWKS, url)
    except Refused:
        return None
    return {
        "issuedAt": opened.issued_at * 1000, "expiresAt": opened.expires_at * 1000, "size": len(opened.bits) * 8,
        "set": [index for index in range(min(len(opened.bits) * 8, 131072)) if opened.is_set(index)],
        "last": opened.is_set(len(opened.bits) * 8 - 1),
    }  # fmt: skip


@pytest.mark.parametrize("engine", ["webcrypto", "noble"])
def test_browser_and_python_open_and_refuse_the_same_lists(page, engine):
    good, hostile = hostile_lists.good(), hostile_lists.hostile()
    tokens = [*good.values(), *hostile.values()]
    how = {"tokens": tokens, "jwks": hostile_lists.JWKS, "url": hostile_lists.URL, "engine": engine}
    browser = dict(zip([*good, *hostile], page.evaluate(OPEN_ALL, how), strict=True))
    python = {name: opened_in_python(token, hostile_lists.URL) for name, token in {**good, **hostile}.items()}
    assert [name for name in good if browser[name] is None] == []
    assert [name for name in hostile if browser[name] is not None] == []
    assert [name for name in browser if browser[name] != python[name]] == []
    assert browser["one in a hundred"]["set"] == sorted(hostile_lists.ONE_IN_A_HUNDRED)
    assert browser["two days old"]["expiresAt"] < hostile_lists.NOW.timestamp() * 1000


def test_a_list_of_somebody_else_is_refused_where_it_is_known_whose_it_must_be(page):
    how = {"tokens": [hostile_lists.good()["none"]], "jwks": hostile_lists.JWKS, "engine": None}
    assert page.evaluate(OPEN_ALL, {**how, "url": "https://other.example.org/api/v1/card-status"}) == [None]
    assert page.evaluate(OPEN_ALL, {**how, "url": None}) != [None]


@pytest.mark.parametrize("host", ["https://card.example.org", "https://" + "a" * 21 + ".org", "http://127.0.0.1:8000"])
@pytest.mark.parametrize("kind", ["static", "live"])
def test_the_code_the_page_draws_has_41_modules_and_reads_back(page, host, kind):
    facts = CARD | {"card_base_url": host, "today": TODAY}
    if kind == "live":
        text = live_code(KEYS, window=59_847_600, **facts)
    else:
        text = static_code(KEYS, expires_on=TODAY, **facts)
    prefix, digits = re.fullmatch(r"(.*/)(\d+)", text).groups()
    svg = page.evaluate(DRAW, {"prefix": prefix, "digits": digits})
    assert 'viewBox="0 0 49 49"' in svg
    picture = Image.new("L", (49 * 4, 49 * 4), 255)
    for run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", svg):
        x, y, width = map(int, run)
        picture.paste(0, (x * 4, y * 4, (x + width) * 4, (y + 1) * 4))
    (found,) = zxingcpp.read_barcodes(picture)
    assert (found.text, found.extra["Version"], found.extra["ECLevel"]) == (text, "6", "M")
