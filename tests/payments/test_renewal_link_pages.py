"""One tap from a letter: the offer is seen and paid without signing in, and nothing else is."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from app import clock
from app.extensions import db
from app.memberships import renewal_links
from app.memberships.rules import anniversary
from app.memberships.service import choose_renewal_tier, close_tier, get_tier, hold_person
from app.payments import service
from app.people.service import get_person
from tests.payments.mailbox import Mailbox, text_of
from tests.payments.paying_pages import at_once, clicks, fields, long, member, newest_payment, words
from tests.payments.shop import Shop, checkout_in

# What pages say; what the database holds is tested on both where it is written.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


DAY = timedelta(days=1)


def link_of(shop: Shop, person_id: int) -> str:
    with shop.books():
        return f"/renew/link/{renewal_links.make('renew', person_id, clock.now())}"


@pytest.fixture
def gus(shop: Shop) -> int:
    """A Basic member whose year ends in a few weeks."""
    return member(shop, "gus")


def back(shop: Shop, person_id: int, more: str = "") -> str:
    """Where the payment page sends its reader back to."""
    with shop.books():
        return service.outcome_path(service.get_payment(newest_payment(shop, person_id))) + more


def test_the_offer_is_seen_and_paid_without_a_sign_in(shop: Shop, gus: int) -> None:
    stranger, link = shop.browser(None), link_of(shop, gus)
    page = stranger.get(link)
    text = words(page)
    ends_on = anniversary(shop.today - 350 * DAY, 12) - DAY
    assert "Gus, renew your membership" in text and f"You are a member until {long(ends_on)}" in text
    assert f"Last day {long(anniversary(shop.today - 350 * DAY, 24) - DAY)} You pay today €30.00" in text
    for private in ("Pons", "gus@example.org", "M-0", "P-20", "2026-0"):
        assert private not in page.text, private
    shop.pay(checkout_in(stranger.post(link)))
    assert len(shop.story(gus).terms) == 2
    outcome = words(stranger.get(back(shop, gus)))
    assert "You’re a member until" in outcome and "Thank you, Gus." in outcome
    assert stranger.get("/account").status_code == 302 and stranger.get("/").status_code == 200
    assert "You have renewed already." in words(stranger.get(link))


def test_leaving_the_payment_page_leads_back_to_the_same_link(shop: Shop, gus: int) -> None:
    stranger, link = shop.browser(None), link_of(shop, gus)
    checkout = checkout_in(stranger.post(link))
    page = stranger.get(back(shop, gus, "&left=1"))
    assert "Nothing was taken." in words(page) and f'href="{link}"' in page.text
    assert f'href="{link}"' not in shop.browser(None).get(back(shop, gus, "&left=1")).text
    assert checkout_in(stranger.post(link)) == checkout


def test_a_double_click_and_a_second_browser_pay_once(shop: Shop, gus: int) -> None:
    link = link_of(shop, gus)
    one, other = shop.browser(None), shop.browser("gus@example.org")
    click = clicks(one, link, {}, page=link)
    answers = at_once(click, click, clicks(other, "/renew", {"tier": "basic"}))
    assert {answer.status_code for answer in answers} <= {303, 409}
    [checkout] = shop.checkouts("open")
    shop.pay(checkout)
    assert (len(shop.story(gus).terms), shop.story(gus).reasons, len(shop.checkouts("complete"))) == (2, [], 1)
    assert click().headers["Location"] == link  # the back button


def test_somebody_signed_in_elsewhere_uses_the_link_for_its_owner(shop: Shop, gus: int) -> None:
    alice = shop.browser()
    shop.pay(checkout_in(alice.post(link_of(shop, gus))))
    assert (len(shop.story(gus).terms), shop.story().terms) == (2, [])
    assert alice.get(f"/payments/{newest_payment(shop, gus)}/done").status_code == 404
    assert "Thank you, Gus." in words(alice.get(back(shop, gus)))


def test_a_link_too_old_or_not_whole_says_so_and_offers_to_sign_in(shop: Shop, gus: int) -> None:
    link, stranger = link_of(shop, gus), shop.browser(None)
    with shop.books():
        other_purpose = renewal_links.make("stop", gus, clock.now())
    for path, status in ((link[:-2], 404), ("/renew/link/x", 404), (f"/renew/link/{other_purpose}", 404)):
        page = stranger.get(path)
        assert (page.status_code, "This link no longer works." in words(page)) == (status, True)
        assert "/sign-in?next=/renew" in page.text
    shop.leap(60)
    page = stranger.get(link)
    assert (page.status_code, "too old" in words(page)) == (410, True)
    assert stranger.post(link, page="/sign-in").status_code == 410
    assert shop.checkouts() == []


def test_the_chosen_tier_of_the_next_renewal_is_what_the_link_sells(shop: Shop, gus: int) -> None:
    with shop.books():
        choose_renewal_tier(gus, get_tier("plus"), clock.now(), clock.today())
        db.session.commit()
    stranger, link = shop.browser(None), link_of(shop, gus)
    assert "Tier Plus" in words(stranger.get(link)) and "You pay today €50.00" in words(stranger.get(link))
    shop.pay(checkout_in(stranger.post(link)))
    assert shop.story(gus).terms[1].startswith("plus ")


def test_an_offer_that_changed_since_is_shown_again_first(shop: Shop, gus: int) -> None:
    stranger, link = shop.browser(None), link_of(shop, gus)
    shown = fields(stranger.get(link), "shown")[0]
    with shop.books():
        choose_renewal_tier(gus, get_tier("plus"), clock.now(), clock.today())
        db.session.commit()
    answer = stranger.post(link, {"shown": shown})
    assert (answer.status_code, "changed since you opened this page" in words(answer)) == (409, True)
    assert shop.checkouts() == []


@pytest.mark.parametrize(("days_ago", "said"), [(370, "keep your dates"), (500, "Gus, come back as a member")])
def test_in_grace_and_after_it_the_link_says_what_is_true_now(shop: Shop, days_ago: int, said: str) -> None:
    late = member(shop, "gus", days_ago=days_ago)
    stranger, link = shop.browser(None), link_of(shop, late)
    assert said in words(stranger.get(link))
    shop.pay(checkout_in(stranger.post(link)))
    assert shop.story(late).status == "active"


def test_where_one_press_cannot_renew_the_link_says_sign_in_and_no_more(shop: Shop, gus: int) -> None:
    stranger, link = shop.browser(None), link_of(shop, gus)
    with shop.books():
        close_tier(get_tier("basic"), clock.today(), None, clock.now(), clock.today())
        db.session.commit()
    assert "Sign in to go on, Gus." in words(stranger.get(link))
    with shop.books():
        hold_person(get_person(gus), "staff", "test", clock.now())
        db.session.commit()
    page = words(stranger.get(link))
    assert "Sign in to go on, Gus." in page and "hold" not in page
    assert stranger.post(link, page="/sign-in").headers["Location"] == link


def test_a_debit_on_its_way_is_not_paid_a_second_time_by_the_link(shop: Shop, gus: int) -> None:
    stranger, link = shop.browser(None), link_of(shop, gus)
    shop.control("payment-methods", card=True, sepa_debit=True)
    shop.control(f"checkouts/{checkout_in(stranger.post(link))}/debit")
    shop.quiet()
    assert "Please don’t pay a second time." in words(stranger.get(link))
    assert "Your bank is moving the money." in words(stranger.get(back(shop, gus)))
    assert stranger.post(link, page="/sign-in").headers["Location"] == link
    assert len(shop.checkouts()) == 1


def test_the_reminders_letter_carries_a_link_that_pays(shop: Shop) -> None:
    ends_on = shop.today + 31 * DAY
    days_ago = next(n for n in (333, 334) if anniversary(shop.today - n * DAY, 12) - DAY == ends_on)
    gus = member(shop, "gus", days_ago=days_ago)
    shop.leap(1)  # 30 days are left
    with shop.books():
        letters = [text_of(letter) for letter in Mailbox().all() if "gus@example.org" in str(letter["To"])]
    [path] = {urlsplit(word).path for text in letters for word in text.split() if "/renew/link/" in word}
    stranger = shop.browser(None)
    shop.pay(checkout_in(stranger.post(path)))
    assert len(shop.story(gus).terms) == 2
