"""From the join form to the payment page and back: declined, abandoned, expired, twice, changed, cut off."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import requests

from app import clock
from app.extensions import db
from app.memberships.rules import anniversary
from app.memberships.service import get_tier
from app.payments import manual
from app.people.service import add_person, find_people, get_person
from tests.payments.shop import Shop, checkout_in, person_named
from tests.payments.test_settling import a_year, paid


def at_once(*acts: Callable[[], requests.Response]) -> list[requests.Response]:
    """Everybody waits for the last one and then acts."""
    barrier = threading.Barrier(len(acts))
    answers: list[requests.Response] = []

    def act_of(act: Callable[[], requests.Response]) -> None:
        barrier.wait(10)
        answers.append(act())

    threads = [threading.Thread(target=act_of, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_a_declined_card_changes_nothing_and_another_card_pays(shop: Shop) -> None:
    checkout = shop.browser().choose("basic")
    shop.control(f"checkouts/{checkout}/decline")
    shop.quiet()
    story = shop.story()
    assert (story.terms, story.ledger, story.receipts, story.payments) == ([], [], [], ["open"])
    shop.pay(checkout)
    assert shop.story() == paid(shop)


def test_leaving_the_payment_page_changes_nothing_and_the_same_page_is_offered_again(shop: Shop) -> None:
    alice = shop.browser()
    checkout = alice.choose("basic")
    page = alice.get(f"/payments/P-{shop.today.year}-000001/done?left=1")
    assert (page.status_code, "Nothing was taken" in page.text) == (200, True)
    assert alice.choose("basic") == checkout
    assert (shop.checkouts(), shop.story().payments) == ([checkout], ["open"])


def test_an_expired_page_closes_its_payment_and_makes_room_for_a_new_one(shop: Shop) -> None:
    alice = shop.browser()
    first = alice.choose("basic")
    shop.control(f"checkouts/{first}/expire")
    shop.quiet()
    assert shop.story().payments == ["closed"]
    shop.pay(alice.choose("basic"))
    assert shop.story().payments == ["closed", "paid"]
    assert shop.story().terms == paid(shop).terms


def test_an_expiry_nobody_told_us_of_is_found_when_somebody_joins_again(shop: Shop) -> None:
    alice = shop.browser()
    first = alice.choose("basic")
    shop.control("faults", drop=True)
    shop.control(f"checkouts/{first}/expire")
    second = alice.choose("basic")
    assert second != first
    assert shop.story().payments == ["closed", "open"]


def test_a_double_click_opens_one_payment_and_one_checkout(shop: Shop) -> None:
    alice = shop.browser()
    token = alice.post("/join", {"tier": "basic"}).headers["Location"]  # the first click, so that cookies are settled
    form = alice.get("/join").text.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    url = f"{shop.url}/join"

    def click() -> requests.Response:
        return requests.post(
            url, {"csrf_token": form, "tier": "basic"}, cookies=alice.session.cookies, allow_redirects=False, timeout=60
        )

    answers = at_once(click, click, click)
    assert {answer.headers["Location"] for answer in answers} == {token}
    assert (len(shop.checkouts()), shop.story().payments) == (1, ["open"])


def test_two_devices_joining_at_once_share_one_payment_and_one_checkout(shop: Shop) -> None:
    phone, laptop = shop.browser(), shop.browser()
    answers = at_once(lambda: phone.post("/join", {"tier": "basic"}), lambda: laptop.post("/join", {"tier": "basic"}))
    assert [answer.status_code for answer in answers] == [303, 303]
    assert len({checkout_in(answer) for answer in answers}) == 1
    assert (len(shop.checkouts()), shop.story().payments) == (1, ["open"])


def test_two_devices_choosing_different_tiers_at_once_leave_one_page_that_can_be_paid(shop: Shop) -> None:
    phone, laptop = shop.browser(), shop.browser()
    answers = at_once(lambda: phone.post("/join", {"tier": "basic"}), lambda: laptop.post("/join", {"tier": "plus"}))
    assert {answer.status_code for answer in answers} <= {303, 409}
    [still_open] = shop.checkouts("open")
    shop.pay(still_open)
    story = shop.story()
    assert (len(story.terms), len(story.receipts), story.status) == (1, 1, "active")


def test_a_newcomer_who_clicks_twice_is_one_person_with_one_payment(shop: Shop) -> None:
    names = {"given_name": "Nora", "family_name": "Pons"}
    one, other = shop.browser("nora@example.org"), shop.browser("nora@example.org")
    answers = at_once(
        lambda: one.post("/join", {"tier": "basic", **names}), lambda: other.post("/join", {"tier": "basic", **names})
    )
    assert [answer.status_code for answer in answers] == [303, 303]
    with shop.books():
        [nora] = person_named("Nora")
    shop.pay(checkout_in(answers[0]))
    assert len(shop.checkouts()) == 1
    assert shop.story(nora) == paid(shop)


def test_choosing_another_tier_closes_the_first_page(shop: Shop) -> None:
    alice = shop.browser()
    first = alice.choose("basic")
    second = alice.choose("plus")
    assert (shop.checkouts("expired"), shop.checkouts("open")) == ([first], [second])
    shop.pay(second)
    assert shop.story().payments == ["closed", "paid"]
    assert shop.story().terms == paid(shop, "plus", 5000).terms


def test_a_page_paid_just_before_another_tier_is_chosen_counts_and_nothing_else_is_asked(shop: Shop) -> None:
    shop.control("faults", drop=True)
    alice = shop.browser()
    shop.pay(alice.choose("basic"))
    answer = alice.post("/join", {"tier": "plus"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/payments/P-{shop.today.year}-000001/done")
    assert shop.story() == paid(shop)
    assert len(shop.checkouts()) == 1


def test_the_back_button_after_paying_sells_no_second_year(shop: Shop) -> None:
    alice = shop.browser()
    shop.pay(alice.choose("basic"))
    answer = alice.post("/join", {"tier": "basic"}, page="/account")
    assert answer.status_code in (302, 303)
    assert answer.headers["Location"].startswith("/renew")
    assert (shop.story(), len(shop.checkouts())) == (paid(shop), 1)


def test_the_back_button_before_the_news_came_finds_it_paid(shop: Shop) -> None:
    shop.control("faults", drop=True)
    alice = shop.browser()
    shop.pay(alice.choose("basic"))
    answer = alice.post("/join", {"tier": "basic"})
    assert answer.headers["Location"] == f"/payments/P-{shop.today.year}-000001/done"
    assert (shop.story(), len(shop.checkouts())) == (paid(shop), 1)


def test_who_has_renewed_is_sold_nothing_more(shop: Shop) -> None:
    alice = shop.browser()
    shop.pay(alice.choose("basic"))
    shop.pay(alice.choose("basic", "/renew"))
    renewed = shop.story()
    assert len(renewed.terms) == 2
    answer = alice.post("/renew", {"tier": "basic"}, page="/account")
    assert (answer.status_code, len(shop.checkouts())) == (302, 2)
    assert shop.story() == renewed


def test_renewing_in_grace_over_the_web_keeps_the_anniversary(shop: Shop) -> None:
    with shop.books():
        joined_on = anniversary(shop.today - timedelta(days=5), -12)
        ended_on = anniversary(joined_on, 12) - timedelta(days=1)
        manual.record_payment(
            get_person(shop.alice), get_tier("basic"), 3000, "cash", joined_on, "test", "en", clock.now(), shop.today
        )
        db.session.commit()
    assert shop.story().status == "grace"
    shop.pay(shop.browser().choose("basic", "/renew"))
    assert shop.story().terms == [
        f"basic {joined_on} – {ended_on}",
        f"basic {ended_on + timedelta(days=1)} – {anniversary(joined_on, 24) - timedelta(days=1)}",
    ]
    assert shop.story().status == "active"


def test_what_a_browser_adds_to_the_form_changes_no_amount_and_no_day(shop: Shop) -> None:
    extra = {
        "amount": "1", "amount_cents": "1", "fee_cents": "1", "price": "1", "currency": "JPY", "months": "120",
        "starts_on": "2020-01-01", "ends_on": "2099-12-31", "paid_until": "2099-12-31", "person_id": "1",
        "role": "admin", "paid_at": "2020-01-01", "kind": "renew", "method": "cash",
    }  # fmt: skip
    shop.pay(shop.browser().choose("plus", **extra))
    assert shop.story() == paid(shop, "plus", 5000)


def test_an_unknown_tier_is_refused_and_nothing_is_opened(shop: Shop) -> None:
    alice = shop.browser()
    for tier in ("", "gold", "basic\x00", "' OR 1=1 --"):
        assert alice.post("/join", {"tier": tier}).status_code == 400, tier
    assert (shop.checkouts(), shop.story().payments) == ([], [])


def test_a_form_without_its_token_opens_nothing(shop: Shop) -> None:
    alice = shop.browser()
    answer = alice.session.post(f"{shop.url}/join", {"tier": "basic"}, allow_redirects=False, timeout=60)
    assert (answer.status_code, shop.checkouts(), shop.story().payments) == (400, [], [])


def test_a_stranger_is_sent_to_sign_in_and_opens_nothing(shop: Shop) -> None:
    stranger = shop.browser(None)
    assert "/sign-in" in stranger.get("/join").headers["Location"]
    assert stranger.post("/join", {"tier": "basic"}, page="/sign-in").status_code == 401
    assert shop.checkouts() == []


def test_somebody_elses_payment_is_not_found_like_one_that_does_not_exist(shop: Shop) -> None:
    shop.browser().choose("basic")
    other = shop.browser("mallory@example.org")
    year = shop.today.year
    for number in (f"P-{year}-000001", f"P-{year}-000009", "P-1999-000001", "1", f"P-{year}-9999999999"):
        page = other.get(f"/payments/{number}/done")
        assert (page.status_code, "Alice" in page.text) == (404, False), number


# The provider is slow or away: a clear answer, nothing lost.


@pytest.mark.parametrize("fault", ["down", "lost", "500", "429"])
def test_joining_while_the_provider_is_away_says_so_and_goes_on_later(shop: Shop, fault: str) -> None:
    alice = shop.browser()
    shop.line.fault = lambda method, path: fault if method == "POST" else None
    answer = alice.post("/join", {"tier": "basic"})
    assert (answer.status_code, "Nothing was taken" in answer.text) == (503, True)
    assert shop.story().payments == ["open"]
    shop.line.fault = lambda method, path: None
    shop.pay(alice.choose("basic"))
    assert shop.story() == paid(shop)
    assert len(shop.checkouts()) == 1


def test_an_answer_lost_on_the_way_is_asked_for_again_by_the_sweep_in_the_same_words(shop: Shop) -> None:
    shop.line.fault = lambda method, path: "lost" if method == "POST" else None
    assert shop.browser().post("/join", {"tier": "basic"}).status_code == 503
    shop.line.fault = lambda method, path: None
    assert shop.sweep()[1] == 1
    [checkout] = shop.checkouts()
    shop.pay(checkout)
    assert shop.story() == paid(shop)


def test_a_new_address_between_two_tries_does_not_stop_the_payment(shop: Shop) -> None:
    """Another body under the same key is an error at the provider for a whole day."""
    alice = shop.browser()
    shop.line.fault = lambda method, path: "lost" if method == "POST" else None
    assert alice.post("/join", {"tier": "basic"}).status_code == 503
    shop.line.fault = lambda method, path: None
    with shop.books():
        get_person(shop.alice).email = "alice.soler@example.org"
        db.session.commit()
    shop.pay(alice.choose("basic"))
    assert shop.story() == paid(shop)


def test_changing_the_tier_while_the_provider_is_away_keeps_the_first_page_payable(shop: Shop) -> None:
    alice = shop.browser()
    first = alice.choose("basic")
    shop.line.fault = lambda method, path: "down"
    answer = alice.post("/join", {"tier": "plus"})
    assert (answer.status_code, "Nothing was taken" in answer.text) == (503, True)
    shop.line.fault = lambda method, path: None
    shop.pay(first)
    assert shop.story() == paid(shop)


def test_coming_back_while_the_provider_is_away_says_wait(shop: Shop) -> None:
    shop.control("faults", drop=True)
    alice = shop.browser()
    shop.pay(alice.choose("basic"))
    shop.line.fault = lambda method, path: "down"
    page = alice.get(f"/payments/P-{shop.today.year}-000001/done")
    assert (page.status_code, "data-look-again" in page.text) == (200, True)
    shop.line.fault = lambda method, path: None
    assert "data-look-again" not in alice.get(f"/payments/P-{shop.today.year}-000001/done").text
    assert shop.story() == paid(shop)


def test_news_that_comes_while_the_provider_is_away_is_sent_again(shop: Shop) -> None:
    checkout = shop.browser().choose("basic")
    shop.control("faults", drop=True)
    shop.pay(checkout)
    [event] = shop.events("checkout.session.completed")
    shop.line.fault = lambda method, path: "down"
    assert shop.control(f"events/{event}/deliver")["statuses"] == [503]
    assert shop.story().terms == []
    shop.line.fault = lambda method, path: None
    assert shop.control(f"events/{event}/deliver")["statuses"] == [204]
    assert shop.story() == paid(shop)


def test_a_slow_provider_is_waited_for(shop: Shop) -> None:
    shop.control("faults", slow=0.2)
    shop.pay(shop.browser().choose("basic"))
    assert shop.story().terms == [f"basic {a_year(shop.today)}"]


def test_one_payment_the_provider_will_not_talk_of_does_not_stop_the_sweep(shop: Shop) -> None:
    shop.control("faults", drop=True)
    lost = shop.browser().choose("basic")
    with shop.books():
        bob = add_person("Bob", "Vidal", "bob@example.org", clock.now()).id
        db.session.commit()
    shop.pay(shop.browser("bob@example.org").choose("basic"))
    with shop.simulator.account.store.transaction() as store:
        store.execute("DELETE FROM object WHERE id = ? OR kind = 'event'", (lost,))
    shop.sweep()
    assert (shop.story().payments, shop.story(bob).payments) == (["open"], ["paid"])


def test_paying_where_nothing_is_set_up_says_so(shop: Shop) -> None:
    shop.app.config["STRIPE_SECRET_KEY"] = ""
    answer = shop.browser().post("/join", {"tier": "basic"})
    assert (answer.status_code, "not set up" in answer.text) == (503, True)
    assert requests.post(f"{shop.url}/stripe/webhook", b"{}", timeout=10).status_code == 503


def test_a_newcomer_without_a_usable_name_opens_nothing(shop: Shop) -> None:
    nora = shop.browser("nora@example.org")
    for name in ("", "   ", "x" * 101, "\x00"):
        answer = nora.post("/join", {"tier": "basic", "given_name": name, "family_name": "Pons"})
        assert answer.status_code == 400, name
    assert shop.checkouts() == []
    with shop.books():
        assert find_people("Pons", 10) == []
