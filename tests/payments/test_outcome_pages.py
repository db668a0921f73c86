"""What became of a payment, in words: transfers, debits, refusals, money that fits nothing; and who may read it."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from app import clock
from app.association import get_association
from app.extensions import db
from app.memberships import renewal_links
from app.memberships.rules import anniversary
from app.memberships.service import get_tier
from app.payments import manual, service, transfers
from app.payments.models import Payment
from app.payments.settling import book_received, lock_payment
from app.people.service import get_person
from tests.payments.paying_pages import IBAN, at_once, clicks, long, member, newest_payment, take_transfers, words
from tests.payments.shop import Browser, Shop

# What pages say; what the database holds is tested on both where it is written.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


DAY = timedelta(days=1)


def order(shop: Shop, browser: Browser, tier: str = "basic") -> str:
    """The address of the page of a transfer that was ordered."""
    answer = browser.post("/join", {"tier": tier, "method": "transfer"})
    assert answer.status_code == 303, answer.text[:500]
    return answer.headers["Location"]


def book(shop: Shop, number: str, cents: int) -> None:
    """The treasurer finds money at the bank."""
    with shop.books():
        payment = service.get_payment(number)
        manual.record_payment(
            payment.person, payment.tier, cents, "transfer", clock.today(), "test", "en", clock.now(), clock.today()
        )
        db.session.commit()


def outcome(shop: Shop, browser: Browser, person_id: int) -> str:
    return words(browser.get(f"/payments/{newest_payment(shop, person_id)}/done"))


# Bank transfers.


def test_a_transfer_says_where_to_how_much_and_with_which_reference(shop: Shop) -> None:
    take_transfers(shop)
    alice = shop.browser()
    address = order(shop, alice)
    page = alice.get(address)
    text = words(page)
    with shop.books():
        payment = service.get_payment(newest_payment(shop, shop.alice))
        reference, number = transfers.reference_of(payment), payment.number
        days = f"{long(clock.today())} – {long(anniversary(clock.today(), 12) - DAY)}"
    assert address == f"/payments/{number}/transfer"
    assert f"It buys Basic, {days}, if the money arrives by {long(shop.today + 30 * DAY)}" in text
    assert text.replace(" ", "").count(IBAN) == 1 and reference in text.replace(" ", "")
    assert f'data-copy="{IBAN}"' in page.text and f'data-copy="{reference}"' in page.text
    assert "Transfer €30.00" in text and 'class="qr"' in page.text
    assert "Transfer €30.00" in words(alice.get("/"))


def test_without_an_account_of_the_association_no_transfer_is_offered(shop: Shop) -> None:
    alice = shop.browser()
    assert "bank transfer" not in words(alice.get("/join?tier=basic"))
    assert alice.post("/join", {"tier": "basic", "method": "transfer"}).status_code == 409


def test_ordering_twice_is_one_order_and_another_tier_replaces_it(shop: Shop) -> None:
    take_transfers(shop)
    alice = shop.browser()
    click = clicks(alice, "/join", {"tier": "basic", "method": "transfer"})
    assert len({answer.headers["Location"] for answer in at_once(click, click)}) == 1
    order(shop, alice, "plus")
    assert shop.story().payments == ["closed", "open"]


def test_part_of_a_transfer_asks_for_the_rest_and_can_no_longer_be_cancelled(shop: Shop) -> None:
    take_transfers(shop)
    alice = shop.browser()
    address = order(shop, alice)
    book(shop, newest_payment(shop, shop.alice), 1000)
    text = words(alice.get(address))
    assert "€10.00 of €30.00 has come" in text and "Transfer €20.00" in text
    assert alice.post(address.replace("/transfer", "/cancel"), page="/account").status_code == 409


def test_a_cancelled_order_is_over_and_says_so(shop: Shop) -> None:
    take_transfers(shop)
    alice = shop.browser()
    address = order(shop, alice)
    cancelled = alice.post(address.replace("/transfer", "/cancel"), page=address)
    assert (cancelled.status_code, shop.story().payments) == (303, ["closed"])
    assert alice.get(address).headers["Location"].endswith("/done")
    assert "You cancelled it." in outcome(shop, alice, shop.alice)
    assert "Become a member from €30.00" in words(alice.get("/"))


def test_a_paid_transfers_page_is_its_outcome(shop: Shop) -> None:
    take_transfers(shop)
    alice = shop.browser()
    address = order(shop, alice)
    book(shop, newest_payment(shop, shop.alice), 3000)
    assert alice.get(address).headers["Location"].endswith("/done")
    assert "You’re a member until" in outcome(shop, alice, shop.alice)


# Debits.


def debit(shop: Shop, checkout: str) -> str:
    shop.control("payment-methods", card=True, sepa_debit=True)
    shop.control(f"checkouts/{checkout}/debit")
    shop.quiet()
    return shop._ids("charge", "status", None)[-1]


def test_a_debit_on_its_way_says_how_long_it_takes_and_when_the_year_begins(shop: Shop) -> None:
    alice = shop.browser()
    charge = debit(shop, alice.choose("basic"))
    text = outcome(shop, alice, shop.alice)
    assert "usually takes six working days" in text and "With the day the money arrives, at its full length" in text
    home = words(alice.get("/"))
    assert "Nearly a member, Alice" in home and "Your year begins when the money arrives." in home
    assert "btn-primary" not in alice.get("/").text
    shop.control(f"charges/{charge}/fail")
    shop.quiet()
    text = outcome(shop, alice, shop.alice)
    assert "Nothing was taken. The bank refused the payment. Pay another way." in text
    assert "Try again for €30.00" in text


def test_a_renewers_debit_leaves_membership_and_card_as_they_are(shop: Shop) -> None:
    gus = member(shop, "gus")
    browser = shop.browser("gus@example.org")
    debit(shop, browser.choose("basic", "/renew"))
    text = outcome(shop, browser, gus)
    assert "Your new year is added, to " in text and "Until then your membership and card stay as they are" in text
    home = words(browser.get("/"))
    assert "Until it arrives your membership and card stay as they are." in home and "days left" in home
    assert browser.get("/renew").headers["Location"].endswith("/done")


# Money that fits nothing.


def test_days_paid_twice_are_said_to_be_safe_and_with_the_treasurer(shop: Shop) -> None:
    alice = shop.browser()
    checkout = alice.choose("basic")
    with shop.books():
        person = get_person(shop.alice)
        manual.record_payment(
            person, get_tier("basic"), 3000, "cash", clock.today(), "test", "en", clock.now(), clock.today()
        )
        db.session.commit()
    online = service_number(shop, shop.alice, "online")
    shop.pay(checkout)
    text = words(alice.get(f"/payments/{online}/done"))
    assert "These days were paid already." in text and "No second year was added." in text
    assert "With the treasurer" in words(alice.get("/account/payments"))


def service_number(shop: Shop, person_id: int, method: str) -> str:
    with shop.books():
        found = db.session.query(Payment).filter_by(person_id=person_id, method=method).one()
        return found.number


def test_money_after_a_cancellation_is_with_the_treasurer(shop: Shop) -> None:
    take_transfers(shop)
    alice = shop.browser()
    address = order(shop, alice)
    number = newest_payment(shop, shop.alice)
    alice.post(address.replace("/transfer", "/cancel"), page=address)
    with shop.books():
        payment = lock_payment(service.get_payment(number))
        book_received(payment, "bank", 3000, "EUR", "line-1", clock.today(), clock.now())
        db.session.commit()
    text = words(alice.get(f"/payments/{number}/done"))
    assert "This was cancelled before the money came." in text and "€30.00" in text


# Who may read it.


def key_of(shop: Shop, number: str) -> str:
    with shop.books():
        return parse_qs(urlsplit(service.outcome_path(service.get_payment(number))).query)["key"][0]


def test_the_way_back_from_the_payment_page_shows_this_outcome_to_whoever_is_not_signed_in(shop: Shop) -> None:
    gus = member(shop, "gus")
    shop.pay(shop.browser("gus@example.org").choose("basic", "/renew"))
    number = newest_payment(shop, gus)
    stranger = shop.browser(None)
    page = stranger.get(f"/payments/{number}/done?key={key_of(shop, number)}")
    text = words(page)
    assert (page.status_code, "You’re a member until" in text, "Thank you, Gus." in text) == (200, True, True)
    for private in ("Pons", "gus@example.org", "M-0"):
        assert private not in page.text
    assert stranger.get("/account").status_code == 302  # no session was opened


def test_the_key_opens_its_own_payment_only_and_not_for_ever(shop: Shop) -> None:
    gus = member(shop, "gus")
    shop.pay(shop.browser("gus@example.org").choose("basic", "/renew"))
    shop.pay(shop.browser().choose("basic"))
    number, other = newest_payment(shop, gus), newest_payment(shop, shop.alice)
    key, stranger = key_of(shop, number), shop.browser(None)
    with shop.books():
        wrong = renewal_links.make("renew", service.get_payment(number).id, clock.now())
    for path in (
        f"/payments/{number}/done", f"/payments/{number}/done?key=x", f"/payments/{number}/done?key={wrong}",
        f"/payments/{other}/done?key={key}", f"/payments/P-2026-999999/done?key={key}",
    ):  # fmt: skip
        answer = stranger.get(path)
        assert (answer.status_code, answer.headers["Location"][:8]) == (302, "/sign-in"), path
    shop.leap(3)
    assert stranger.get(f"/payments/{number}/done?key={key}").status_code == 302


def test_a_page_that_waits_looks_again_with_its_key(shop: Shop) -> None:
    gus = member(shop, "gus")
    shop.browser("gus@example.org").choose("basic", "/renew")
    path = f"/payments/{newest_payment(shop, gus)}/done?key={key_of(shop, newest_payment(shop, gus))}"
    page = shop.browser(None).get(path)
    assert (page.status_code, "data-look-again" in page.text) == (200, True)
    assert re.search(r'href="([^"]*)"[^>]*><svg[^>]*><use[^>]*rotate-cw', page.text)[1] == path  # type: ignore[index]


def test_the_bank_details_are_their_owners(shop: Shop) -> None:
    take_transfers(shop)
    alice = shop.browser()
    address = order(shop, alice)
    member(shop, "gus")
    assert shop.browser("gus@example.org").get(address).status_code == 404
    assert (
        shop.browser("gus@example.org").post(address.replace("transfer", "cancel"), page="/account").status_code == 404
    )
    with shop.books():
        get_association(for_update=True).iban = None
        db.session.commit()
    assert alice.get(address).status_code == 409
