"""What comes before a deed: Ana pays, has paid, gives, is refunded; Bo has a letter; the treasurer has a page open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from unittest.mock import patch

from app import clock, jobs
from app.accounts.service import grant_role, open_account
from app.benefits.redeeming import reserve
from app.benefits.service import add_benefit
from app.cards import photos
from app.cards.models import Photo
from app.cards.service import find_card
from app.cards.wallets.models import WalletPass
from app.extensions import db
from app.memberships import renewal_links
from app.memberships.service import list_tiers
from app.services.hook_messages import send_test
from app.services.hooks import EVENTS, add_endpoint
from app.services.service import list_services
from app.wifi.accounting import Report, note_accounting
from app.wifi.service import create_credential, revoke_credential
from tests.payments.histories.house import House
from tests.payments.shop import checkout_in
from tests.wifi.controllers import Controller

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Act = Callable[[House], object]
GIFT = {"page": "/gift", "recipient_email": "bo@example.org", "recipient_name": "Bo", "message": ""}
TRANSFER = ("/join", {"tier": "basic", "method": "transfer"})


def chooses(house: House, way: str, page: str = "/join", tier: str = "basic", **more: str) -> str:
    """Ana is sent to the payment page and pays there; the provider's news is not sent."""
    checkout_id = checkout_in(house.visitor("ana").post(page, {"tier": tier, **more}))
    house.happen("checkouts", checkout_id, way)
    return checkout_id


def pays(house: House, **more: str) -> str:
    return chooses(house, "accepted", **more)


def then(*acts: Act) -> Act:
    def one_after_the_other(house: House) -> None:
        for act in acts:
            act(house)

    return one_after_the_other


def sweep(house: House) -> None:
    house.sweep()


def days_pass(days: int) -> Act:
    return lambda house: house.set_clock(house.now + days * DAY)


def happens(things: str, kind: str, name: str) -> Act:
    """To the newest object of a kind, there."""
    return lambda house: house.happen(things, house.objects(kind)[-1]["id"], name)


def is_member(house: House, **more: str) -> None:
    pays(house, **more)
    house.sweep()
    house.work()
    house.set_clock(house.now + HOUR)
    house.work()


def renews_by_itself(house: House) -> None:
    is_member(house, auto_renewal="y")


def looks_at(page: str, name: str = "ana") -> Act:
    return lambda house: house.visitor(name).get(page)


def posts(path: str, data: dict[str, str] | None = None, name: str = "ana", page: str | None = None) -> Act:
    """Somebody sends a form, and the site does as it is asked."""

    def post(house: House) -> None:
        answer = house.visitor(name).post(path, data, page)
        assert answer.status_code == 303, answer.text[:2000]

    return post


def a_debit(way: str) -> Act:
    """Ana pays by debit, on its way and heard of."""
    return lambda house: (chooses(house, way), house.sweep())


def charge_is_due(house: House) -> None:
    """The subscription's charge was tried; nobody heard of it."""
    house.set_clock(house.now + 345 * DAY)
    house.work()
    house.set_clock(house.now + 21 * DAY)


def charge_fails(house: House) -> None:
    renews_by_itself(house)
    house.happen("customers", house.objects("customer")[-1]["id"], "charges", next="decline")
    charge_is_due(house)


def last_retry_fails(house: House) -> None:
    charge_fails(house)
    while house.objects("subscription")[-1]["status"] == "past_due":
        house.sweep()
        house.work()
        house.set_clock(house.now + 4 * DAY)


def paid_otherwise(house: House) -> None:
    """A page was left open, the fee came in cash."""
    house.visitor("ana").post("/join", {"tier": "basic"})
    cash(house, "30.00")


def cash(house: House, amount: str, method: str = "cash") -> None:
    code, said = house.command(
        "payments", "record", "--person", house.numbers["ana"], "--tier", "basic", "--amount", amount, "--method",
        method, "--value-date", house.now.date().isoformat(),
    )  # fmt: skip
    assert code == 0, said


def unallocated(house: House) -> None:
    """Ana's fee of the year came twice."""
    paid_otherwise(house)
    happens("checkouts", "checkout.session", "accepted")(house)
    house.sweep()


def page_of_the_queue(house: House) -> None:
    """The treasurer has the queue open, with Ana's second fee in it."""
    unallocated(house)
    house.work()
    looks_at("/treasury", "treasurer")(house)


def cash_is_paid(house: House) -> None:
    """And its letter is sent."""
    cash(house, "30.00")
    house.work()


def ordered(house: House) -> None:
    posts(*TRANSFER, page="/join")(house)


def is_given(house: House) -> None:
    """Ana has paid a year for Bo, who has the letter's page open."""
    pays(house, **GIFT)
    house.sweep()


def gift_is_seen(house: House) -> None:
    is_given(house)
    house.work()
    for page in ("/account", gift_link(house)):
        looks_at(page, "bo")(house)


def gift_is_accepted(house: House) -> None:
    gift_is_seen(house)
    posts(gift_link(house), name="bo", page="")(house)


def gift_goes_back(house: House) -> None:
    gift_is_accepted(house)
    happens("charges", "charge", "refund")(house)
    house.sweep()


def gift_link(house: House) -> str:
    with house.books():
        return f"/gift/{renewal_links.make('gift', 1, clock.now())}"


def way_of_paying_is_kept(house: House) -> None:
    """Ana lets it renew by itself: on the provider's page, which has kept her card."""
    is_member(house)
    answer = house.visitor("ana").post("/account/auto-renewal/on", page="/account")
    house.happen("checkouts", checkout_in(answer), "accepted")


def pass_says_something_old(house: House) -> None:
    """Ana's card is in a wallet, which was told nothing of the term that began."""
    is_member(house)
    with house.books():
        card = find_card(house.ids["ana"])
        assert card is not None
        now = clock.now()
        db.session.add(WalletPass(card_id=card.id, wallet="google", fingerprint="of old", changed_at=now))
        db.session.commit()
    house.set_clock(house.now + 7 * HOUR)


def service_is_told(house: House) -> None:
    """A message waits for a service whose endpoint nobody answers at since three days; the catalogue was edited."""
    with house.books():
        now = clock.now()
        grant_role(open_account("admin@example.org", now), "admin", now)
        endpoint, _secret = add_endpoint(list_services()[0].id, "http://127.0.0.1:9/", EVENTS, now)
        send_test(endpoint, now)
        endpoint.failing_from_at, endpoint.rests_until_at = now - 3 * DAY, now
        jobs.enqueue("benefits_changed", now)
        db.session.commit()


def much_is_to_tidy(house: House) -> None:
    """A reservation that nobody confirmed, and a session whose end no controller reported."""
    is_member(house)
    with house.books():
        now, today = clock.now(), clock.today()
        benefit = add_benefit("library", "Library", list_tiers(), True, now, limit_count=1, limit_period="day")
        reserve(benefit, house.ids["ana"], None, now, today)
        device, _secret = create_credential(house.ids["ana"], "Phone", now)
        note_accounting(Report("Start", "session-1", device.username), now)
        db.session.commit()
    house.set_clock(house.now + 24 * HOUR)


def device_is_removed(house: House) -> None:
    """Ana's phone is online at a controller, and she takes it off."""
    is_member(house)
    controller = Controller()
    house.changed.callback(controller.stop)
    house.changed.enter_context(patch.dict(house.app.config, WIFI_CONTROLLERS=controller.setting))
    with house.books():
        now = clock.now()
        device, _secret = create_credential(house.ids["ana"], "Phone", now)
        db.session.flush()
        revoke_credential(house.ids["ana"], device.id, now, "member")
        db.session.commit()


def photo_is_refused(house: House) -> None:
    with house.books():
        now = clock.now()
        photo = Photo(person_id=house.ids["ana"], jpeg=b"a picture", uploaded_at=now)
        db.session.add(photo)
        db.session.flush()
        assert photos.refuse_photo(photo.id, photos.REASONS[0], now)
        db.session.commit()
