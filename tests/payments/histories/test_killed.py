"""kill -9 at each step of settling and of each job, web and worker: nothing lost, nothing twice.

Each deed is done once undisturbed, then again and again from the same beginning in a process that is killed one step
later each time. Afterwards the provider sends its news again, people press again, a worker works: and all must be as
it is after the undisturbed deed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app import audit, clock
from app.extensions import db
from app.jobs import tick, work_off
from app.payments import hearing
from demo.simulator.server import SIGNING_KEY
from demo.simulator.webhooks import signature
from tests.payments.histories.house import House
from tests.payments.histories.killing import dies_at
from tests.payments.shop import checkout_in, story_of

BEGINNING = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
ALL_STEPS = os.environ.get("ALL_STEPS") == "1"  # make test-long
EACH = 1 if ALL_STEPS else 9
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Act = Callable[[House], object]


@dataclass(frozen=True)
class Deed:
    """`prepare` comes before, `do` makes what dies, `again` is what happens anyway when it had not been answered."""

    prepare: Act
    do: Callable[[House], Callable[[], object]]
    again: Act = lambda house: None


def pays(house: House, way: str = "accepted", **more: str) -> str:
    """Ana buys a year; the provider's news is not sent."""
    answer = house.visitor("ana").post("/join", {"tier": "basic", **more})
    checkout_id = checkout_in(answer)
    house.happen("checkouts", checkout_id, way)
    return checkout_id


def is_member(house: House, **more: str) -> None:
    pays(house, **more)
    house.sweep()
    house.work()
    house.set_clock(house.now + HOUR)
    house.work()


def renews_by_itself(house: House) -> None:
    is_member(house, auto_renewal="y")


def charged(house: House) -> None:
    """The subscription's charge was taken; nobody heard of it."""
    renews_by_itself(house)
    house.set_clock(house.now + 345 * DAY)
    house.work()
    house.set_clock(house.now + 21 * DAY)


def until(days: int) -> Act:
    """Ana has a year that renews by itself, of which so many days have passed."""

    def prepare(house: House) -> None:
        renews_by_itself(house)
        house.set_clock(house.now + days * DAY)

    return prepare


def refund_asked(house: House) -> None:
    is_member(house)
    house.visitor("ana").post("/account/payments/P-2027-000001/withdraw")


def refunded_there(house: House) -> None:
    is_member(house)
    house.happen("charges", house.objects("charge")[-1]["id"], "refund")


def dispute_lost(house: House) -> None:
    is_member(house)
    house.happen("charges", house.objects("charge")[-1]["id"], "dispute")
    house.sweep()
    house.happen("disputes", house.objects("dispute")[-1]["id"], "lost")


def refund_failed(house: House) -> None:
    refunded_there(house)
    house.sweep()
    house.happen("refunds", house.objects("refund")[-1]["id"], "fail")


def switched_off(house: House) -> None:
    renews_by_itself(house)
    house.visitor("ana").post("/account/auto-renewal/off", page="/account")


def paid_otherwise(house: House) -> None:
    """A page was left open, the fee came in cash."""
    house.visitor("ana").post("/join", {"tier": "basic"})
    code, _said = house.command(
        "payments", "record", "--person", house.numbers["ana"], "--tier", "basic", "--amount", "30.00", "--method",
        "cash", "--value-date", "2027-03-01",
    )  # fmt: skip
    assert code == 0


def a_year_runs_out(house: House) -> None:
    is_member(house)
    house.set_clock(house.now + 359 * DAY)


def works(house: House) -> Callable[[], object]:
    def work() -> None:
        with house.books():
            clock.forget()
            tick(clock.now(), "dying")
            work_off(clock.now)

    return work


def sweeps(house: House) -> Callable[[], object]:
    def sweep() -> None:
        with house.books():
            hearing.sweep()

    return sweep


def hears(kind: str) -> Callable[[House], Callable[[], object]]:
    """A web worker gets the provider's newest event of a kind."""

    def do(house: House) -> Callable[[], object]:
        event = [it for it in house.objects("event") if it["type"] == kind][-1]
        body = json.dumps(event).encode()
        headers = {"Stripe-Signature": signature(body, SIGNING_KEY, int(datetime.now(UTC).timestamp()))}
        return lambda: _answer(house, "/stripe/webhook", method="POST", data=body, headers=headers)

    return do


def rings_again(kind: str) -> Act:
    return lambda house: hears(kind)(house)()


def asks(method: str, path: str, data: dict[str, str], name: str = "ana") -> Callable[[House], Callable[[], object]]:
    """A web worker answers somebody's browser."""

    def do(house: House) -> Callable[[], object]:
        visitor = house.visitor(name)
        headers = {"Cookie": "; ".join(f"{it.name}={it.value}" for it in visitor.session.cookies)}
        form = {"csrf_token": visitor.token, **data} if method == "POST" else None
        return lambda: _answer(house, path, method=method, data=form, headers=headers)

    return do


def _answer(house: House, path: str, **request: Any) -> None:
    answer = house.app.test_client(use_cookies=False).open(path, base_url=house.shop.url, **request)
    assert answer.status_code in (200, 204, 302, 303), answer.text


def presses_again(method: str, path: str, data: dict[str, str], name: str = "ana") -> Act:
    def again(house: House) -> None:
        visitor = house.visitor(name)
        visitor.get(path) if method == "GET" else visitor.post(path, data, page="")

    return again


def looks_at(page: str, name: str = "ana") -> Act:
    return lambda house: house.visitor(name).get(page)


def unallocated(house: House) -> None:
    """Ana's fee of the year came twice; the treasurer has the queue open."""
    paid_otherwise(house)
    house.happen("checkouts", house.objects("checkout.session")[-1]["id"], "accepted")
    house.sweep()
    house.work()
    house.visitor("treasurer").get("/treasury")


JOIN = ("POST", "/join", {"tier": "plus", "auto_renewal": "y"})
BACK = ("GET", "/payments/P-2027-000001/done", {})
DECISION = ("POST", "/treasury/queue/1", {"resolution": "refunded", "note": ""}, "treasurer")
WITHDRAWAL = ("POST", "/account/payments/P-2027-000001/withdraw", {})

DEEDS = {
    "a checkout is opened": Deed(looks_at("/join"), asks(*JOIN), presses_again(*JOIN)),
    "a paid checkout is heard of": Deed(pays, hears("checkout.session.completed"), rings_again("checkout.session.completed")),  # noqa: E501
    "somebody comes back from paying": Deed(pays, asks(*BACK), presses_again(*BACK)),
    "the sweep finds a paid checkout": Deed(lambda house: pays(house, auto_renewal="y"), sweeps),
    "the first letters and a wish to renew": Deed(
        lambda house: (pays(house, auto_renewal="y"), house.sweep()), works
    ),
    "a subscription's charge is heard of": Deed(charged, hears("invoice.paid"), rings_again("invoice.paid")),
    "a charge is announced": Deed(until(345), works),
    "reminders are sent": Deed(a_year_runs_out, works),
    "renewing by itself is switched off": Deed(switched_off, works),
    "a refund made there is heard of": Deed(refunded_there, hears("charge.refunded"), rings_again("charge.refunded")),
    "a refund that failed is heard of": Deed(refund_failed, hears("refund.failed"), rings_again("refund.failed")),
    "a lost dispute is heard of": Deed(
        dispute_lost, hears("charge.dispute.closed"), rings_again("charge.dispute.closed")
    ),
    "somebody withdraws": Deed(
        lambda house: (is_member(house), house.visitor("ana").get(WITHDRAWAL[1])), asks(*WITHDRAWAL),
        presses_again(*WITHDRAWAL),
    ),
    "a refund is sent": Deed(refund_asked, works),
    "an open page is closed": Deed(paid_otherwise, works),
    "the treasurer sends money back": Deed(unallocated, asks(*DECISION), presses_again(*DECISION)),
}  # fmt: skip


@pytest.mark.xdist_group("killed")
@pytest.mark.parametrize("name", DEEDS)
def test_killed_at_any_step_nothing_is_lost_and_nothing_done_twice(house: House, name: str) -> None:
    deed = DEEDS[name]
    house.reset(BEGINNING)
    for letter in letters(house):
        letter.unlink()
    deed.prepare(house)
    house.set_clock(house.now + timedelta(minutes=1))
    moment, sent = house.keep(), letters(house)
    assert not dies_at(house, 10_000, deed.do(house)), "ten thousand steps?"
    expected = outcome(house, deed)
    step = 1 + (list(DEEDS).index(name) + (house.kind == "sqlite") * EACH // 2) % EACH
    while True:
        house.go_back(moment)
        for letter in set(letters(house)) - set(sent):
            letter.unlink()
        if not dies_at(house, step, deed.do(house)):
            break
        found = outcome(house, deed)
        assert found == expected, f"killed at step {step}"
        step += EACH


def outcome(house: House, deed: Deed) -> dict[str, Any]:
    """What is true once everybody has tried again and the worker has caught up."""
    deed.again(house)
    for _ in range(3):
        house.set_clock(house.now + HOUR)
        house.sweep()
        house.work()
    with house.books():
        clock.forget()
        story = asdict(story_of(house.ids["ana"]))
        assert audit.find_break() is None
        db.session.rollback()
    return {
        **story,
        "unfinished": house.unfinished(),
        "letters": letters(house),
        "charges": [it["amount"] for it in house.objects("charge") if it["paid"]],
        "refunds": [(it["amount"], it["status"]) for it in house.objects("refund")],
        "checkouts": [it["status"] for it in house.objects("checkout.session")],
        "subscriptions": [it["status"] for it in house.objects("subscription")],
    }


def letters(house: House) -> list[Path]:
    """Letters by their Message-ID: one that was written again is one."""
    return sorted(Path(house.app.config["MAIL_FILE_PATH"]).glob("*.eml"))
