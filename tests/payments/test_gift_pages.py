"""/gift and its link: who gives what to whom, the exact days, one charge, one acceptance."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest

from app import clock
from app.extensions import db
from app.memberships import renewal_links
from app.memberships.rules import FOR_LIFE, anniversary
from app.memberships.service import TermDates, add_tier, get_tier, grant_term
from app.payments.service import get_payment
from tests.payments.mailbox import Mailbox, text_of
from tests.payments.paying_pages import at_once, clicks, long, member, newest_payment, words
from tests.payments.shop import Browser, Shop, checkout_in, person_named

# What pages say; what the database holds is tested on both where it is written.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


DAY = timedelta(days=1)
TO_MIA = {"tier": "basic", "recipient_name": "Mia Pons", "recipient_email": "Mia@Example.org", "message": "Enjoy"}


def link_of(shop: Shop, number: str) -> str:
    with shop.books():
        return f"/gift/{renewal_links.make('gift', get_payment(number).id, clock.now())}"


def given(shop: Shop, giver: Browser | None = None) -> str:
    """Alice has paid a Basic year for Mia; its link."""
    shop.pay(checkout_in((giver or shop.browser()).post("/gift", TO_MIA)))
    shop.work()
    return link_of(shop, newest_payment(shop, shop.alice))


def run_of(first: date) -> str:
    return f"First day {long(first)} Last day {long(anniversary(first, 12) - DAY)}"


def test_giving_says_what_happens_next_and_where_the_gift_stands(shop: Shop) -> None:
    alice = shop.browser()
    text = words(alice.get("/gift?tier=basic"))
    assert "You pay, they get a letter with a link." in text
    assert f"if accepted today by a newcomer {long(anniversary(shop.today, 12) - DAY)} You pay today €30.00" in text
    link = given(shop, alice)
    outcome = words(alice.get(f"/payments/{newest_payment(shop, shop.alice)}/done"))
    assert "Your gift is on its way to Mia Pons." in outcome and "mia@example.org" in outcome
    assert "Mia Pons mia@example.org, Basic, €30.00 Waiting to be accepted" in words(alice.get("/gift"))
    member(shop, "mia")
    assert shop.browser("mia@example.org").post(link).status_code == 303
    assert "€30.00 Accepted" in words(alice.get("/gift"))
    assert "Basic, a gift for Mia Pons" in words(alice.get("/account/payments"))


def test_the_gift_reaches_whom_it_is_for_by_mail_and_on_their_home(shop: Shop) -> None:
    given(shop)
    mia = member(shop, "mia", days_ago=100)
    browser = shop.browser("mia@example.org")
    home = browser.get("/")
    assert "Alice Soler gave you a membership." in words(home)
    path = home.text.partition('href="/gift/')[2].partition('"')[0]
    page = words(browser.get(f"/gift/{path}"))
    before = date.fromisoformat(shop.story(mia).terms[0].rpartition(" ")[2])
    assert "Alice Soler gives you a membership." in page and "Enjoy" in page
    assert run_of(before + DAY) in page and "You pay Nothing" in page
    assert browser.post(f"/gift/{path}").status_code == 303
    assert shop.story(mia).terms[1].startswith(f"basic {before + DAY} – ")
    assert "gave you a membership" not in words(browser.get("/"))
    history = words(browser.get("/account/payments"))
    assert "a gift from Alice Soler" in history and "€30.00 Paid" not in history.partition("a gift from")[0]


def test_whoever_is_not_signed_in_sees_the_gift_and_comes_back_after_signing_in(shop: Shop) -> None:
    link = given(shop)
    stranger = shop.browser(None)
    page = stranger.get(link)
    text = words(page)
    assert "Alice Soler gives you a membership." in text and "Length 12 months" in text
    for private in ("mia@example.org", "alice@example.org", "P-20"):
        assert private not in page.text
    assert f"/sign-in?next={link}" in page.text
    assert stranger.post(link, page=link.replace("/gift", "/sign-in?next=/gift", 1)).status_code in (400, 401)
    with shop.books():
        assert get_payment(newest_payment(shop, shop.alice)).paid_at is not None
    assert "waiting" in words(shop.browser().get("/account/payments"))


def test_a_newcomer_gives_a_name_and_becomes_a_member_today(shop: Shop) -> None:
    link = given(shop)
    mia = shop.browser("mia@example.org")
    assert run_of(shop.today) in words(mia.get(link))
    refused = mia.post(link, {"given_name": "Mia", "family_name": ""})
    assert (refused.status_code, 'value="Mia"' in refused.text) == (400, True)
    assert "Tell us your family name." in refused.text
    assert mia.post(link, {"given_name": "Mia", "family_name": "Pons"}).status_code == 303
    with shop.books():
        [person_id] = person_named("Mia")
    assert (shop.story(person_id).status, shop.story(person_id).cards) == ("active", 1)
    assert "The gift is yours." in words(mia.get(link))


def test_accepting_twice_at_once_is_one_term(shop: Shop) -> None:
    link = given(shop)
    mia = member(shop, "mia")
    click = clicks(shop.browser("mia@example.org"), link, {})
    assert {answer.status_code for answer in at_once(click, click)} <= {303, 409}
    assert len(shop.story(mia).terms) == 2


def test_a_taken_gift_says_so_to_the_next_who_opens_its_link(shop: Shop) -> None:
    link = given(shop)
    member(shop, "mia")
    gus = member(shop, "gus")
    assert shop.browser("mia@example.org").post(link).status_code == 303
    browser = shop.browser("gus@example.org")
    assert "This gift was accepted already." in words(browser.get(link))
    assert browser.post(link, page="/account").status_code == 409
    assert len(shop.story(gus).terms) == 1
    assert "This gift was accepted already." in words(shop.browser(None).get(link))


def test_ones_own_gift_is_not_accepted_by_oneself(shop: Shop) -> None:
    alice = shop.browser()
    link = given(shop, alice)
    assert "This is your own gift. It waits for Mia Pons" in words(alice.get(link))
    assert alice.post(link, page="/account").status_code == 409
    assert shop.story().terms == []


def test_a_gift_taken_back_is_not_there_any_more(shop: Shop) -> None:
    alice = shop.browser()
    link = given(shop, alice)
    number = newest_payment(shop, shop.alice)
    assert alice.post(f"/account/payments/{number}/withdraw", page="/account").status_code == 303
    shop.work()
    assert "Your money is yours again." in words(alice.get(f"/payments/{number}/done"))
    mia = member(shop, "mia")
    browser = shop.browser("mia@example.org")
    for answer in (browser.get(link), browser.post(link, page="/account")):
        assert (answer.status_code, "This gift is not there any more." in answer.text) == (410, True)
    assert len(shop.story(mia).terms) == 1


def test_a_disputed_gift_waits_and_a_lost_one_is_gone(shop: Shop) -> None:
    link = given(shop)
    member(shop, "mia")
    mia = shop.browser("mia@example.org")
    shop.control(f"charges/{shop.charge()}/dispute")
    shop.quiet()
    assert "A bank is looking at the payment of this gift." in mia.post(link).text
    shop.control(f"disputes/{shop._ids('dispute', 'object', None)[-1]}/lost")
    shop.quiet()
    assert mia.get(link).status_code == 410


def test_a_member_for_life_is_told_that_it_adds_nothing(shop: Shop) -> None:
    link = given(shop)
    mia = member(shop, "mia", days_ago=400)
    with shop.books():
        dates = TermDates(clock.today(), clock.today(), FOR_LIFE, FOR_LIFE)
        grant_term(mia, get_tier("plus"), dates, "test", "honorary", clock.now())
        db.session.commit()
    page = shop.browser("mia@example.org").get(link)
    assert "You are a member for life" in words(page) and "Accept the gift" not in page.text


def test_days_that_moved_since_the_page_was_opened_are_shown_again_first(shop: Shop) -> None:
    link = given(shop)
    mia = member(shop, "mia", days_ago=500)
    browser = shop.browser("mia@example.org")
    shown = f"{shop.today - DAY} {anniversary(shop.today - DAY, 12) - DAY}"
    answer = browser.post(link, {"shown": shown})
    assert (answer.status_code, "The days changed since you opened this page." in words(answer)) == (409, True)
    assert len(shop.story(mia).terms) == 1


def test_pressing_pay_three_times_gives_once(shop: Shop) -> None:
    alice = shop.browser()
    click = clicks(alice, "/gift", TO_MIA)
    [checkout] = {checkout_in(answer) for answer in at_once(click, click, click)}
    shop.pay(checkout)
    assert (len(shop.checkouts()), shop.story().payments, shop.story().terms) == (1, ["paid"], [])


def test_two_tabs_with_two_recipients_leave_one_page_that_can_be_paid(shop: Shop) -> None:
    alice = shop.browser()
    to_gus = {**TO_MIA, "recipient_name": "Gus", "recipient_email": "gus@example.org"}
    answers = at_once(clicks(alice, "/gift", TO_MIA), clicks(alice, "/gift", to_gus))
    assert {answer.status_code for answer in answers} <= {303, 409}
    [left] = shop.checkouts("open")
    shop.pay(left)
    assert (shop.story().payments.count("paid"), len(shop.story().receipts)) == (1, 1)


def test_what_is_wrong_with_a_gift_stands_beside_its_field(shop: Shop) -> None:
    alice = shop.browser()
    for form, said in (
        ({"recipient_email": "nowhere"}, "That is not a whole e-mail address"),
        ({"recipient_email": "ALICE@example.org"}, "This is your own address."),
        ({"recipient_name": " "}, "Tell us whom it is for."),
        ({"message": "x" * 501}, "Keep it within 500 characters."),
        ({"tier": "gold"}, "This tier is not on sale for you."),
        ({"tier": ""}, "Choose a tier."),
    ):
        page = alice.post("/gift", {**TO_MIA, **form})
        assert (page.status_code, said in page.text) == (400, True), form
    assert 'value="Mia Pons"' in page.text and "Enjoy" in page.text
    assert shop.checkouts() == []


def test_a_reduced_tier_is_no_gift(shop: Shop) -> None:
    with shop.books():
        add_tier("young", "Young", 1000, clock.now(), graduated_within=3)
        db.session.commit()
    alice = shop.browser()
    assert "Young" not in words(alice.get("/gift"))
    assert alice.post("/gift", {**TO_MIA, "tier": "young"}).status_code == 400


def test_the_letters_link_opens_the_gift(shop: Shop) -> None:
    given(shop)
    with shop.books():
        letters = [text_of(letter) for letter in Mailbox().all() if "mia@example.org" in str(letter["To"])]
    [path] = {urlsplit(word).path for word in letters[0].split() if "/gift/" in word}
    assert "Alice Soler gives you a membership." in words(shop.browser(None).get(path))
