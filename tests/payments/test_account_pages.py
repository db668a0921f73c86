"""The account page: renewing by itself on and off, withdrawing, the history of payments."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app import clock
from app.association import get_association
from app.extensions import db
from app.memberships import renewal_links
from app.memberships.rules import FOR_LIFE, anniversary
from app.memberships.service import TermDates, add_tier, get_tier, grant_term
from app.payments.models import AutoRenewal, Refund
from tests.payments.mailbox import Mailbox, text_of
from tests.payments.paying_pages import at_once, clicks, long, member, newest_payment, words
from tests.payments.shop import Browser, Shop, checkout_in

# What pages say; what the database holds is tested on both where it is written.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


DAY = timedelta(days=1)


@pytest.fixture
def gus(shop: Shop) -> Browser:
    """Gus's browser: a Basic member since 100 days who paid in cash."""
    member(shop, "gus", days_ago=100)
    return shop.browser("gus@example.org")


def wishes(shop: Shop) -> list[bool]:
    """Of each wish to renew by itself, whether it is on."""
    return [off_at is None for off_at in shop.in_own_words(select(AutoRenewal.off_at).order_by(AutoRenewal.id))]


def switch_on(shop: Shop, browser: Browser) -> str:
    """Through the hosted page that keeps a card; the address that leads back here."""
    checkout = checkout_in(browser.post("/account/auto-renewal/on", page="/account"))
    shop.control(f"checkouts/{checkout}/pay")
    shop.quiet()
    return f"/account/auto-renewal/done?checkout={checkout}"


def test_switching_on_says_before_what_is_taken_and_after_that_it_is_on(shop: Shop, gus: Browser) -> None:
    charge_on = anniversary(shop.today - 100 * DAY, 12)
    before = words(gus.get("/account"))
    assert f"Switch it on and we take €30.00 on {long(charge_on)} for Basic, then again at each end." in before
    back = switch_on(shop, gus)
    assert gus.get(back).headers["Location"] == "/account"
    after = words(gus.get("/account"))
    assert f"Your membership renews by itself: €30.00 on {long(charge_on)}." in after
    assert "Renews by itself" in after and wishes(shop) == [True]
    shop.work()
    assert gus.get(back).status_code == 302 and wishes(shop) == [True]  # the page opened twice
    assert gus.post("/account/auto-renewal/on", page="/account").headers["Location"] == "/account"


def test_leaving_the_hosted_page_changes_nothing_and_says_so(shop: Shop, gus: Browser) -> None:
    gus.post("/account/auto-renewal/on", page="/account")
    for back in ("/account/auto-renewal/done", "/account/auto-renewal/done?checkout=../x"):
        assert gus.get(back).headers["Location"] == "/account"
        assert "Nothing was changed" in words(gus.get("/account"))
    assert wishes(shop) == []


def test_coming_back_while_the_provider_is_away_says_wait(shop: Shop, gus: Browser) -> None:
    shop.control("faults", drop=True)
    back = switch_on(shop, gus)
    shop.line.fault = lambda method, path: "down"
    gus.get(back)
    assert "We are waiting for the provider’s word." in words(gus.get("/account"))
    answer = gus.post("/account/auto-renewal/on", page="/account")
    assert (answer.status_code, "does not answer" in answer.text) == (503, True)
    shop.line.fault = lambda method, path: None
    gus.get(back)
    assert wishes(shop) == [True]


def test_one_press_switches_it_off_and_nothing_is_taken(shop: Shop, gus: Browser) -> None:
    gus.get(switch_on(shop, gus))
    shop.work()
    press = clicks(gus, "/account/auto-renewal/off", {}, page="/account")
    assert {answer.status_code for answer in at_once(press, press)} == {303}
    shop.work()
    assert wishes(shop) == [False]
    assert "Does not renew by itself" in words(gus.get("/account"))
    [subscription] = shop._ids("subscription", "status", None)
    found = shop.simulator.account.store.find("subscription", subscription)
    assert found is not None and found["status"] == "canceled"


def test_another_card_is_given_on_the_providers_page(shop: Shop, gus: Browser) -> None:
    assert gus.post("/account/auto-renewal/card", page="/account").headers["Location"] == "/account"
    gus.get(switch_on(shop, gus))
    answer = gus.post("/account/auto-renewal/card", page="/account")
    assert (answer.status_code, answer.headers["Location"].startswith(shop.simulator.url)) == (303, True)
    shop.line.fault = lambda method, path: "down"
    refused = gus.post("/account/auto-renewal/card", page="/account")
    assert (refused.status_code, "Nothing was changed." in refused.text) == (503, True)


@pytest.mark.parametrize("tier", ["decade", "life", None])
def test_it_is_not_offered_where_nothing_can_renew_by_itself(shop: Shop, tier: str | None) -> None:
    with shop.books():
        add_tier("decade", "Decade", 30000, clock.now(), months=120)
        if tier is not None:
            today = clock.today()
            ends_on = FOR_LIFE if tier == "life" else today + 3000 * DAY
            held = get_tier("plus" if tier == "life" else tier)
            grant_term(shop.alice, held, TermDates(today, today, ends_on, ends_on), "test", "test", clock.now())
        db.session.commit()
    alice = shop.browser()
    text = words(alice.get("/account"))
    assert "Switch on" not in text
    assert ("member for life" in text) == (tier == "life")
    assert alice.post("/account/auto-renewal/on", page="/account").headers["Location"] == "/account"
    assert shop.checkouts() == []


def test_a_charge_that_was_refused_is_said_and_the_fee_can_be_paid_by_hand(shop: Shop) -> None:
    gus = member(shop, "gus")
    browser = shop.browser("gus@example.org")
    browser.get(switch_on(shop, browser))
    shop.work()
    with shop.books():
        charge_on = db.session.execute(select(AutoRenewal.charge_on)).scalar_one()
    [customer] = shop._ids("customer", "object", "customer")
    shop.control(f"customers/{customer}/charges", next="decline")
    shop.pass_days((charge_on - shop.today).days + 2, step=20)
    home = words(browser.get("/"))
    assert f"We could not take €30.00 on {long(charge_on)}" in home and "Renew for €30.00" in home
    assert "Charge refused" in words(browser.get("/account"))
    shop.pay(browser.choose("basic", "/renew"))
    shop.work()
    assert len(shop.story(gus).terms) == 2
    assert "We could not take" not in words(browser.get("/"))


def test_the_notices_link_switches_off_by_its_button_only_and_without_a_sign_in(shop: Shop, gus: Browser) -> None:
    gus.get(switch_on(shop, gus))
    with shop.books():
        person_id = db.session.execute(select(AutoRenewal.person_id)).scalar_one()
        link = f"/auto-renewal/off/{renewal_links.make('off', person_id, clock.now())}"
    stranger = shop.browser(None)
    page = stranger.get(link)
    assert "Gus, switch it off?" in words(page) and "we would take €30.00 for Basic" in words(page)
    assert "Pons" not in page.text and "gus@" not in page.text
    assert wishes(shop) == [True]
    for _ in range(2):
        assert stranger.post(link, page="/sign-in").headers["Location"] == link
    assert wishes(shop) == [False]
    assert "It does not renew by itself. Nothing is taken." in words(stranger.get(link))
    for other in ("/auto-renewal/off/x", link[:-1]):
        assert stranger.get(other).status_code == 404 and stranger.post(other, page="/sign-in").status_code == 404
    shop.leap(91)
    assert (stranger.get(link).status_code, stranger.post(link, page="/sign-in").status_code) == (410, 410)


def test_the_notices_letter_carries_that_link(shop: Shop) -> None:
    member(shop, "gus", days_ago=340)
    browser = shop.browser("gus@example.org")
    browser.get(switch_on(shop, browser))
    shop.pass_days(8)
    with shop.books():
        letters = [text_of(letter) for letter in Mailbox().all()]
    links = {word for text in letters for word in text.split() if "/auto-renewal/off/" in word}
    assert links
    assert shop.browser(None).get(links.pop().removeprefix(shop.url)).status_code == 200


# Withdrawing.


def test_withdrawing_is_confirmed_once_and_gives_the_money_back(shop: Shop) -> None:
    alice = shop.browser()
    shop.pay(alice.choose("basic"))
    number = newest_payment(shop, shop.alice)
    path = f"/account/payments/{number}/withdraw"
    last = long(shop.today + 14 * DAY)
    assert "Withdraw from the contract" in words(alice.get("/account"))
    assert f"Until {last} you may take this payment back" in words(alice.get(path))
    assert shop.story().status == "active"
    press = clicks(alice, path, {})
    assert {answer.headers["Location"] for answer in at_once(press, press)} == {path}
    assert "We have your withdrawal." in words(alice.get(path)) and "alice@example.org" in words(alice.get(path))
    assert "is about to go back" in words(alice.get("/account"))
    shop.work()
    story = shop.story()
    assert (story.status, story.payments, len(shop.in_own_words(select(Refund.id)))) == ("none", ["refunded"], 1)
    assert "You withdrew from the contract and your money went back." in words(alice.get("/"))
    history = words(alice.get("/account/payments"))
    assert "€30.00 went back." in history and "Rectifying receipt R" in history
    assert press().headers["Location"] == path and len(shop.in_own_words(select(Refund.id))) == 1


@pytest.mark.parametrize(("days", "status"), [(14, 200), (15, 409)])
def test_the_last_day_to_withdraw_is_the_last(shop: Shop, days: int, status: int) -> None:
    alice = shop.browser()
    shop.pay(alice.choose("basic"))
    shop.leap(days)
    path = f"/account/payments/{newest_payment(shop, shop.alice)}/withdraw"
    assert alice.get(path).status_code == status
    assert ("Withdraw from the contract" in words(alice.get("/account"))) == (status == 200)
    assert alice.post(path, page="/account").status_code == (303 if status == 200 else 409)


def test_the_association_sets_how_long_and_cash_is_no_online_contract(shop: Shop, gus: Browser) -> None:
    member(shop, "ida", days_ago=0)
    assert "Withdraw from the contract" not in words(shop.browser("ida@example.org").get("/account"))
    alice = shop.browser()
    shop.pay(alice.choose("basic"))
    with shop.books():
        get_association(for_update=True).withdrawal_days = 0
        db.session.commit()
    assert "Withdraw from the contract" in words(alice.get("/account"))
    shop.leap(1)
    assert "Withdraw from the contract" not in words(alice.get("/account"))


def test_somebody_elses_payment_cannot_be_withdrawn(shop: Shop, gus: Browser) -> None:
    shop.pay(shop.browser().choose("basic"))
    path = f"/account/payments/{newest_payment(shop, shop.alice)}/withdraw"
    assert gus.get(path).status_code == 404 and gus.post(path, page="/account").status_code == 404
    assert shop.story().status == "active"


# The history.


def test_every_payment_stands_in_the_history_with_receipts_that_open(shop: Shop) -> None:
    alice = shop.browser()
    shop.pay(alice.choose("basic"))
    shop.pay(checkout_in(alice.post("/upgrade", {"tier": "plus"})))
    alice.choose("plus", "/renew")  # begun, not paid: no row
    page = alice.get("/account/payments")
    text = words(page)
    assert text.count("P-20") == 2 and "Change to Plus" in text
    receipts = re.findall(r'href="(/account/receipts/[^"]+)"', page.text)
    assert len(receipts) == 2
    for receipt in receipts:
        pdf = alice.get(receipt)
        assert (pdf.status_code, pdf.content[:4]) == (200, b"%PDF")
    home = alice.get("/")
    assert receipts[0] in home.text and "€20.00" in words(home)


def test_a_disputed_payment_says_what_is_on_hold_and_why(shop: Shop) -> None:
    alice = shop.browser()
    shop.pay(alice.choose("basic"))
    shop.control(f"charges/{shop.charge()}/dispute")
    shop.quiet()
    home = words(alice.get("/"))
    assert "A bank disputes the payment of these days" in home and "Renew for" not in home
    assert "Disputed" in words(alice.get("/account/payments"))
    shop.control(f"disputes/{shop._ids('dispute', 'object', None)[-1]}/lost")
    shop.quiet()
    assert "Your bank took the money back, and the days it had bought ended with it." in words(alice.get("/"))
    assert "Your bank took the money back." in words(alice.get(f"/payments/{newest_payment(shop, shop.alice)}/done"))
