"""/join, /renew and /upgrade: exact days and price before paying, and one charge whatever is pressed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app import clock
from app.extensions import db
from app.memberships.rules import anniversary
from app.memberships.service import add_tier, choose_renewal_tier, close_tier, get_tier, record_seen_document, set_price
from app.payments.models import AutoRenewal
from app.people.service import get_person
from tests.payments.paying_pages import at_once, clicks, fields, long, member, newest_payment, take_transfers, words
from tests.payments.shop import Shop, checkout_in

# What pages say; what the database holds is tested on both where it is written.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


DAY = timedelta(days=1)


def offered(text: str) -> list[str]:
    """The tiers in the order in which a page offers them."""
    return re.findall(r"(\w+) €\d+ (?:a year|for)", text)


def test_joining_shows_the_exact_days_and_price_of_each_tier_and_what_a_debit_means(shop: Shop) -> None:
    text = words(shop.browser().get("/join"))
    with shop.books():
        today = clock.today()
        last = long(anniversary(today, 12) - DAY)
        holds = long(today + 30 * DAY)
    assert f"First day {long(shop.today)} Last day {last} You pay today €30.00" in text
    assert f"First day {long(shop.today)} Last day {last} You pay today €50.00" in text
    assert f"hold until {holds}" in text
    assert "With a bank debit it starts on the day the money arrives" in text


def test_closed_tiers_are_gone_and_reduced_ones_are_for_whom_they_are_meant(shop: Shop) -> None:
    with shop.books():
        now, today = clock.now(), clock.today()
        add_tier("old", "Old", 1000, now)
        close_tier(get_tier("old"), today, get_tier("basic"), now, today)
        add_tier("reduced", "Reduced", 1500, now, needs_document=True)
        db.session.commit()
    alice = shop.browser()
    before = words(alice.get("/join"))
    assert offered(before) == ["Basic", "Plus"]
    assert "There is also Reduced. The office has to have seen a document" in before
    assert alice.post("/join", {"tier": "reduced"}).status_code == 400
    with shop.books():
        person, tier = get_person(shop.alice), get_tier("reduced")
        record_seen_document(person, tier, "test", None, clock.now(), clock.today())
        db.session.commit()
    after = words(alice.get("/join"))
    assert offered(after) == ["Basic", "Plus", "Reduced"]
    assert "€15 a year The office has to have seen a document" in after
    assert "/pay/" in alice.post("/join", {"tier": "reduced"}).headers["Location"]


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept(shop: Shop) -> None:
    nora = shop.browser("nora@example.org")
    page = nora.post("/join", {"tier": "plus", "given_name": "Nora", "family_name": " ", "auto_renewal": "y"})
    assert page.status_code == 400
    assert 'value="Nora"' in page.text and "Tell us your family name." in page.text
    assert re.search(r'value="plus" required checked', page.text) and re.search(r'value="y" checked', page.text)


def test_a_form_shown_before_a_new_price_is_shown_again_and_takes_nothing(shop: Shop) -> None:
    alice = shop.browser()
    shown = fields(alice.get("/join"), "shown")
    shop.leap(1)
    page = alice.post("/join", {"tier": "basic", "shown": shown[0]})
    assert (page.status_code, shop.checkouts()) == (400, [])
    assert "changed since you opened this page" in words(page)
    again = fields(page, "shown")
    assert "/pay/" in alice.post("/join", {"tier": "basic", "shown": again[0]}).headers["Location"]


def test_the_tier_of_the_next_renewal_is_marked_beforehand_and_can_be_taken_back(shop: Shop) -> None:
    gus = member(shop, "gus", "plus")
    with shop.books():
        choose_renewal_tier(gus, get_tier("basic"), clock.now(), clock.today())
        db.session.commit()
    browser = shop.browser("gus@example.org")
    page = browser.get("/renew")
    assert re.search(r'value="basic" required checked', page.text)
    assert "Your choice for the next renewal" in words(page)
    assert "Renew for €30.00" in words(browser.get("/"))
    assert browser.post("/account/renewal-tier", page="/account").status_code == 303
    assert re.search(r'value="plus" required checked', browser.get("/renew").text)


def test_choosing_a_lower_tier_on_the_account_page_changes_the_next_renewal_only(shop: Shop) -> None:
    gus = member(shop, "gus", "plus")
    browser = shop.browser("gus@example.org")
    before = shop.story(gus)
    assert browser.post("/account/renewal-tier", {"tier": "basic"}, page="/account").status_code == 303
    assert "You chose Basic" in words(browser.get("/account"))
    assert shop.story(gus) == before
    shop.pay(checkout_in(browser.post("/renew", {"tier": "basic"})))
    assert [term.partition(" ")[0] for term in shop.story(gus).terms] == ["plus", "basic"]
    assert browser.post("/account/renewal-tier", {"tier": "gold"}, page="/account").status_code == 400


def test_renewing_by_itself_is_asked_for_and_says_what_is_taken_when(shop: Shop) -> None:
    alice = shop.browser()
    with shop.books():
        today = clock.today()
        charge_on = anniversary(today, 12)
        set_price(get_tier("basic"), 3500, charge_on, clock.now(), today)
        db.session.commit()
    text = words(alice.get("/join"))
    assert f"€35.00 on {long(charge_on)}, then again at each end" in text
    assert not re.search(r'name="auto_renewal"[^>]*checked', alice.get("/join").text)
    shop.pay(checkout_in(alice.post("/join", {"tier": "basic", "auto_renewal": "y"})))
    shop.work()
    [renewal] = shop.in_own_words(select(AutoRenewal.charge_on))
    assert renewal == charge_on
    home = words(alice.get("/"))
    assert f"It renews by itself on {long(charge_on)}, for €35.00." in home and "Renew for" not in home


def test_without_the_mark_nothing_renews_by_itself(shop: Shop) -> None:
    shop.pay(shop.browser().choose("basic"))
    shop.work()
    assert shop.in_own_words(select(AutoRenewal.id)) == []


def test_what_cannot_renew_by_itself_says_so_beside_the_mark(shop: Shop) -> None:
    take_transfers(shop)
    with shop.books():
        add_tier("decade", "Decade", 30000, clock.now(), months=120)
        db.session.commit()
    alice = shop.browser()
    for form, reason in (
        ({"tier": "basic", "method": "transfer"}, "A bank transfer cannot renew by itself."),
        ({"tier": "decade"}, "Decade cannot renew by itself."),
    ):
        page = alice.post("/join", {**form, "auto_renewal": "y"})
        assert (page.status_code, reason in words(page)) == (400, True)
    assert shop.story().payments == []


# Two browsers, double clicks, the back button, two tabs: one charge.


def test_two_browsers_paying_the_same_renewal_at_once_share_one_page_and_one_charge(shop: Shop) -> None:
    gus = member(shop, "gus")
    phone, laptop = shop.browser("gus@example.org"), shop.browser("gus@example.org")
    answers = at_once(clicks(phone, "/renew", {"tier": "basic"}), clicks(laptop, "/renew", {"tier": "basic"}))
    [checkout] = {checkout_in(answer) for answer in answers}
    shop.pay(checkout)
    story = shop.story(gus)
    assert (len(story.terms), len(story.receipts), story.reasons, shop.checkouts("open")) == (2, 2, [], [])


def test_two_tabs_of_different_tiers_leave_one_page_that_can_be_paid(shop: Shop) -> None:
    gus = member(shop, "gus")
    browser = shop.browser("gus@example.org")
    answers = at_once(clicks(browser, "/renew", {"tier": "basic"}), clicks(browser, "/renew", {"tier": "plus"}))
    assert {answer.status_code for answer in answers} <= {303, 409}
    [left] = shop.checkouts("open")
    shop.pay(left)
    assert (len(shop.story(gus).terms), shop.story(gus).reasons) == (2, [])


def test_the_back_button_after_renewing_sells_no_third_year(shop: Shop) -> None:
    gus = member(shop, "gus")
    browser = shop.browser("gus@example.org")
    again = clicks(browser, "/renew", {"tier": "basic"})
    shop.pay(checkout_in(again()))
    answer = again()
    assert (answer.status_code, answer.headers["Location"], len(shop.checkouts())) == (302, "/", 1)
    assert len(shop.story(gus).terms) == 2


# A higher tier.


def test_an_upgrade_shows_price_and_days_and_ends_on_the_same_day(shop: Shop) -> None:
    gus = member(shop, "gus", days_ago=100)
    browser = shop.browser("gus@example.org")
    text = words(browser.get("/upgrade"))
    with shop.books():
        today = clock.today()
        starts_on = today - 100 * DAY
        ends_on = anniversary(starts_on, 12) - DAY
        days, left = (ends_on - starts_on).days + 1, (ends_on - today).days + 1
    price = f"€{2000 * left // days / 100:.2f}"
    assert f"You have Basic until {long(ends_on)}" in text
    assert f"From {long(today)} Last day, as before {long(ends_on)} You pay today {price}" in text
    assert f"Change to Plus for {price}" in words(browser.get("/"))
    shop.pay(checkout_in(browser.post("/upgrade", {"tier": "plus"})))
    assert f"You’re Plus until {long(ends_on)}" in words(browser.get(f"/payments/{newest_payment(shop, gus)}/done"))
    assert "There is no higher tier to change to now." in words(browser.get("/upgrade"))
    assert browser.post("/upgrade", {"tier": "plus"}).status_code == 400


def test_pressing_upgrade_three_times_charges_once(shop: Shop) -> None:
    gus = member(shop, "gus", days_ago=100)
    browser = shop.browser("gus@example.org")
    click = clicks(browser, "/upgrade", {"tier": "plus"})
    [checkout] = {checkout_in(answer) for answer in at_once(click, click, click)}
    shop.pay(checkout)
    assert click().status_code == 400
    assert (len(shop.story(gus).terms), shop.story(gus).reasons, len(shop.checkouts())) == (2, [], 1)


@pytest.mark.parametrize(
    ("days_ago", "reason"),
    [(370, "Your year is over: choose the tier you want when you renew."), (500, "Your membership ended")],
)
def test_who_cannot_change_now_is_told_what_to_do_instead(shop: Shop, days_ago: int, reason: str) -> None:
    member(shop, "gus", days_ago=days_ago)
    assert reason in words(shop.browser("gus@example.org").get("/upgrade"))


def test_an_upgrade_whose_debit_is_on_its_way_keeps_everything_as_it_is(shop: Shop) -> None:
    gus = member(shop, "gus", days_ago=100)
    browser = shop.browser("gus@example.org")
    shop.control("payment-methods", card=True, sepa_debit=True)
    shop.control(f"checkouts/{checkout_in(browser.post('/upgrade', {'tier': 'plus'}))}/debit")
    shop.quiet()
    page = words(browser.get(f"/payments/{newest_payment(shop, gus)}/done"))
    assert "Your tier changes Until then your membership and card stay as they are." in page
    home = words(browser.get("/"))
    assert "Please don’t pay a second time." in home and "Change to Plus" not in home
