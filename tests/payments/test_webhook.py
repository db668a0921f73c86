"""The provider's doorbell: who may ring it, and what is answered to what is not ours."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import requests

from demo.simulator import paying
from demo.simulator.server import SIGNING_KEY
from demo.simulator.webhooks import signature
from tests.payments.shop import OLD_SIGNING_KEY, Shop
from tests.payments.test_settling import paid


def ring(shop: Shop, body: bytes, key: str = SIGNING_KEY) -> requests.Response:
    header = signature(body, key, int(time.time()))
    return requests.post(f"{shop.url}/stripe/webhook", body, headers={"Stripe-Signature": header}, timeout=30)


def letter(shop: Shop, kind: str) -> bytes:
    [row] = shop.simulator.account.store.rows(
        "SELECT body FROM object WHERE kind = 'event' AND json_extract(body, '$.type') = ?", kind
    )
    return str(row["body"]).encode()


def silently_paid(shop: Shop) -> bytes:
    """A paid checkout of which nobody has told us; its letter."""
    shop.control("faults", drop=True)
    shop.pay(shop.browser().choose("basic"))
    return letter(shop, "checkout.session.completed")


def test_what_is_not_signed_by_our_secret_is_refused_and_changes_nothing(shop: Shop) -> None:
    body = silently_paid(shop)
    before = shop.story()
    now = int(time.time())
    good = signature(body, SIGNING_KEY, now)
    for case, sent, header in [
        ("another secret", body, signature(body, "whsec_somebody_elses", now)),
        ("no header", body, None),
        ("an empty header", body, ""),
        ("another body", body.replace(b"3000", b"3001"), good),
        ("an hour old", body, signature(body, SIGNING_KEY, now - 3600)),
        ("nonsense", b"\xff\x00", "t=1,v1=00"),
    ]:
        headers = {} if header is None else {"Stripe-Signature": header}
        answer = requests.post(f"{shop.url}/stripe/webhook", sent, headers=headers, timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_signature"), case
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert shop.story() == before


@pytest.mark.parametrize("key", [SIGNING_KEY, OLD_SIGNING_KEY])
def test_while_secrets_rotate_the_old_and_the_new_one_are_good(shop: Shop, key: str) -> None:
    assert ring(shop, silently_paid(shop), key).status_code == 204
    assert shop.story() == paid(shop)


def test_a_signed_letter_is_only_a_doorbell(shop: Shop) -> None:
    """What it says is not believed: we ask the provider."""
    shop.control("faults", drop=True)
    shop.browser().choose("basic")
    [checkout] = shop.checkouts()
    row = shop.simulator.account.store.find("checkout.session", checkout)
    assert row is not None
    event = {
        "id": "evt_1", "object": "event", "type": "checkout.session.completed", "created": int(time.time()),
        "data": {"object": {**row, "status": "complete", "payment_status": "paid"}}, "livemode": False,
    }  # fmt: skip
    assert ring(shop, json.dumps(event).encode()).status_code == 204
    assert (shop.story().payments, shop.story().terms) == (["open"], [])


def other_shops_checkout(shop: Shop, metadata: dict[str, str], cents: int = 3000) -> str:
    body: dict[str, Any] = {
        "mode": "payment", "success_url": "http://127.0.0.1:9/", "line_items[0][quantity]": 1,
        "line_items[0][price_data][currency]": "eur", "line_items[0][price_data][unit_amount]": cents,
        "line_items[0][price_data][product_data][name]": "Cup",
        **{f"metadata[{name}]": value for name, value in metadata.items()},
    }  # fmt: skip
    answer = requests.post(
        f"{shop.simulator.url}/v1/checkout/sessions", body,
        headers={"Authorization": f"Bearer {shop.simulator.api_key}"}, timeout=10,
    )  # fmt: skip
    return str(answer.json()["id"])


def test_what_another_shop_of_the_same_account_sells_is_answered_well_and_books_nothing(shop: Shop) -> None:
    shop.pay(other_shops_checkout(shop, {}))
    rows = shop.simulator.account.store.rows("SELECT state FROM delivery")
    assert {row["state"] for row in rows} == {"delivered"}
    assert (shop.story().payments, shop.story().reasons) == ([], [])


def test_money_for_a_payment_we_do_not_know_goes_to_the_treasurer_once(shop: Shop) -> None:
    checkout = other_shops_checkout(shop, {"carnet_payment": f"P-{shop.today.year}-000777"})
    shop.quiet()
    assert shop.story().reasons == []
    shop.control("faults", duplicate=3)
    shop.pay(checkout)
    shop.sweep()
    story = shop.story()
    assert (story.reasons, story.terms, story.ledger) == (["unknown_payment"], [], [])


def test_money_beside_our_checkouts_that_names_a_payment_of_ours_goes_to_the_treasurer_once(shop: Shop) -> None:
    shop.browser().choose("basic")
    body = {
        "amount": "3000", "currency": "eur", "confirm": "true", "payment_method": "pm_card_visa",
        "payment_method_types[]": "card", "metadata[carnet_payment]": f"P-{shop.today.year}-000001",
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {shop.simulator.api_key}"}
    answer = requests.post(f"{shop.simulator.url}/v1/payment_intents", body, headers=headers, timeout=10)
    assert answer.json()["status"] == "succeeded", answer.text
    shop.quiet()
    shop.sweep()
    story = shop.story()
    assert (story.reasons, story.terms, story.payments) == (["unknown_payment"], [], ["open"])


def test_money_by_a_second_checkout_of_a_paid_payment_is_unallocated(shop: Shop) -> None:
    shop.pay(shop.browser().choose("basic"))
    first = shop.story()
    shop.pay(other_shops_checkout(shop, {"carnet_payment": f"P-{shop.today.year}-000001"}))
    story = shop.story()
    assert (story.terms, story.receipts, story.payments) == (first.terms, first.receipts, ["paid"])
    assert story.ledger[2:] == [
        "excess_received 3000 provider < unallocated",
        "provider_fee 70 provider_fees < provider",
    ]
    assert story.reasons == ["mismatch"]
    shop.control(f"charges/{shop.charge()}/refund")
    shop.quiet()
    assert (shop.story().terms, shop.story().status) == (first.terms, "active")


@pytest.mark.parametrize("wrong", ["amount", "currency"])
def test_money_that_is_not_what_was_asked_never_makes_a_member(shop: Shop, wrong: str) -> None:
    alice = shop.browser()
    checkout = alice.choose("basic")
    account = shop.simulator.account
    with account.change() as change:
        session = account.get("checkout.session", checkout)
        session.update({"amount_total": 2999} if wrong == "amount" else {"currency": "usd"})
        change.save(session)
    shop.pay(checkout)
    shop.sweep()
    story = shop.story()
    cents = 2999 if wrong == "amount" else 3000
    assert (story.terms, story.receipts, story.cards, story.status) == ([], [], 0, "none")
    assert story.reasons == ["mismatch"]
    assert story.ledger[0] == f"excess_received {cents} provider < unallocated"
    page = alice.get(f"/payments/P-{shop.today.year}-000001/done")
    assert (page.status_code, "does not fit" in page.text, "Nothing was taken" in page.text) == (200, True, False)
    assert alice.choose("basic") != checkout  # and can still become a member


def test_money_of_the_other_mode_is_no_money_here(shop: Shop) -> None:
    checkout = shop.browser().choose("basic")
    account = shop.simulator.account
    with account.change() as change:
        paying.pay_checkout(account, change, checkout, {"email": "a@example.org", "name": "A"})
        session = account.get("checkout.session", checkout)
        session["livemode"] = True
        change.save(session)
    shop.quiet()
    story = shop.story()
    assert (story.terms, story.ledger, story.reasons) == ([], [], ["mismatch"])


def test_an_event_about_something_the_provider_does_not_show_us_is_not_asked_for_again(shop: Shop) -> None:
    event = {
        "id": "evt_2", "object": "event", "type": "checkout.session.completed", "created": int(time.time()),
        "data": {"object": {"id": "cs_live_elsewhere", "object": "checkout.session"}}, "livemode": True,
    }  # fmt: skip
    assert ring(shop, json.dumps(event).encode()).status_code == 204


def test_events_of_no_concern_are_answered_well(shop: Shop) -> None:
    for kind in ("balance.available", "customer.created", "a.type.of.next.year"):
        event = {
            "id": f"evt_{kind}", "object": "event", "type": kind, "created": int(time.time()),
            "data": {"object": {"id": "x_1", "object": kind.partition(".")[0]}}, "livemode": False,
        }  # fmt: skip
        assert [ring(shop, json.dumps(event).encode()).status_code for _ in range(2)] == [204, 204], kind


def test_the_doorbell_is_rung_by_post_only(shop: Shop) -> None:
    assert requests.get(f"{shop.url}/stripe/webhook", timeout=10).status_code == 405
