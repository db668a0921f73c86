"""The application connected to the simulator while Stripe's own command line drives that; prints what came of it.

Started by test_stripe_triggers in a network of its own, with a migrated SQLite database:
`python -m tests.payments.triggered DATABASE FOLDER EVENT...`. The events are what somebody else's shop on the same
account would cause; afterwards come triggers whose objects carry our metadata.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flask import Flask

from app import clock, create_app
from app.errors import Refusal
from app.extensions import db
from app.memberships.service import get_tier
from app.payments import checkouts
from app.payments.models import AutoRenewal, ProviderCustomer
from app.payments.service import Wanted, find_open_payment
from app.people.service import add_person
from tests.databases import configuration
from tests.demo.stripe_cli import DAYS_UNTIL_LATER, has_succeeded, pull
from tests.kept import everything_kept
from tests.payments.shop import Shop

NOT_THE_BOOKS = frozenset({"job", "worker_seen", "stripe_event", "payment_sweep"})
EUROS = ("--override", "price:currency=eur")
TOKEN = "payment_method:card.token"  # noqa: S105 - a test card's name


class Triggered:
    """The shop, one new person for each trigger, and what was found."""

    def __init__(self, database: str, folder: str) -> None:
        def make_app(**environment: str) -> Flask:
            mail = (Path(folder) / "mail").as_uri()
            return create_app(configuration(database, Path(folder), MAIL_URL=mail, **environment))

        self.shop = Shop(make_app)
        self.found: dict[str, Any] = {}
        self.people: dict[str, int] = {}

    def pull(self, event: str, *flags: str) -> None:
        done = pull(self.shop.simulator.url, self.shop.simulator.api_key, event, *flags)
        assert has_succeeded(done), done.stdout + done.stderr
        assert self.shop.simulator.webhooks.wait_until_idle(60), self.refusals()

    def refusals(self) -> list[int | None]:
        """Answers to webhooks that were none of 2xx."""
        rows = self.shop.simulator.account.store.rows("SELECT status FROM delivery WHERE state <> 'delivered'")
        return [row["status"] for row in rows]

    def books(self) -> dict[str, Any]:
        with self.shop.books():
            return everything_kept(but=NOT_THE_BOOKS)

    def of_other_shops(self, events: list[str]) -> None:
        """Somebody else's: the tables that each changed, and those that a sweep changes in the end."""
        before = self.books()
        for event in events:
            self.pull(event)
            after = self.books()
            changed = [name for name in after if after[name] != before[name]]
            self.found[event] = {"changed": changed, "refusals": self.refusals()}
            before = after
        self.shop.sweep()
        self.found["sweep"] = self.books() == before

    def newcomer(self, name: str) -> int:
        with self.shop.books():
            person = add_person(name.capitalize(), "Pons", f"{name}@example.org", clock.now())
            db.session.commit()
            return person.id

    def asked(self, person_id: int) -> str:
        """The number of a payment whose checkout is still to be made: the provider did not answer."""
        self.shop.line.fault = lambda method, path: "down"
        with self.shop.books():
            try:
                checkouts.start(person_id, Wanted(get_tier("basic").id), "test", "en")
            except Refusal:
                db.session.rollback()
            payment = find_open_payment(person_id)
            assert payment is not None
            number = payment.number
        self.shop.line.fault = lambda method, path: None
        return number

    def checkout(self, event: str, number: str, *flags: str) -> str:
        """A checkout of 30 EUR that is ours; its payment intent."""
        self.pull(event, "--add", f"checkout_session:metadata.carnet_payment={number}", *flags)
        rows = self.shop.simulator.account.store.rows(
            "SELECT json_extract(body, '$.payment_intent') AS intent FROM object WHERE kind = 'checkout.session'"
            " ORDER BY seq DESC LIMIT 1"
        )
        return str(rows[0]["intent"])

    def paid(self, person_id: int, *flags: str) -> str:
        return self.checkout("checkout.session.completed", self.asked(person_id), *EUROS, *flags)

    def note(self, name: str, person_id: int) -> None:
        """Where the application is now."""
        self.people[name] = person_id
        self.found[name] = {"story": asdict(self.shop.story(person_id)), "refusals": self.refusals()}

    def sweep(self) -> None:
        """Whether a sweep, when all news was heard, leaves everybody where they are."""
        before = {person_id: self.shop.story(person_id) for person_id in self.people.values()}
        self.shop.sweep()
        self.shop.work()
        for name, person_id in self.people.items():
            self.found[name]["sweep"] = self.shop.story(person_id) == before[person_id]
            self.found[name]["off"] = self.off_because(person_id)

    def wish(self, person_id: int) -> int:
        """Somebody renews by themselves, and the subscription was made when we died."""
        with self.shop.books():
            tier, now = get_tier("basic"), clock.now()
            db.session.add(ProviderCustomer(person_id=person_id, stripe_customer_id=f"cus_{person_id}"))
            renewal = AutoRenewal(
                person_id=person_id, tier_id=tier.id, fee_cents=3000, currency="EUR", charge_on=clock.today(),
                locale="en", stripe_payment_method_id="pm_unknown", on_at=now,
            )  # fmt: skip
            db.session.add(renewal)
            db.session.commit()
            return renewal.id

    def subscription(self, event: str, person_id: int) -> None:
        """One of 30 EUR a month, of which we hear that it is ours by its metadata."""
        renewal_id = self.wish(person_id)
        mark = ("--add", f"subscription:metadata.carnet_renewal={renewal_id}")
        tier = ("--add", "subscription:metadata.carnet_tier=basic")
        self.pull(event, *mark, *tier, *EUROS, "--override", "price:unit_amount=3000")
        rows = self.shop.simulator.account.store.rows(
            "SELECT body FROM object WHERE kind = 'subscription' ORDER BY seq DESC LIMIT 1"
        )
        made = json.loads(rows[0]["body"])
        with self.shop.books():
            renewal = db.session.get_one(AutoRenewal, renewal_id)
            renewal.stripe_subscription_id = made["id"]
            db.session.get_one(ProviderCustomer, person_id).stripe_customer_id = made["customer"]
            db.session.commit()

    def ours(self) -> None:
        asked_by = {name: self.newcomer(name) for name in ("ana", "bo", "cy", "di", "eve", "fay", "gus", "hal", "ida")}
        self.paid(asked_by["ana"])
        self.note("a paid checkout", asked_by["ana"])

        intent = self.paid(asked_by["bo"])
        back = ("--skip", "payment_intent", "--override", f"refund:payment_intent={intent}")
        self.pull("charge.refund.updated", *back, "--add", "refund:amount=1000")
        self.note("a part of it refunded", asked_by["bo"])
        self.pull("charge.refunded", *back)
        self.note("the rest of it refunded", asked_by["bo"])

        intent = self.paid(asked_by["cy"], "--override", f"{TOKEN}=tok_createDispute")
        self.note("a dispute opened", asked_by["cy"])
        its = ("--skip", "payment_intent", "--override", f"disputes_list:payment_intent={intent}")
        self.pull("charge.dispute.updated", *its)
        self.note("a dispute that goes on", asked_by["cy"])
        self.pull("charge.dispute.closed", *its)
        self.note("a dispute lost", asked_by["cy"])

        intent = self.paid(asked_by["di"], "--override", f"{TOKEN}=tok_createDisputeInquiry")
        self.note("a bank that only asks", asked_by["di"])

        self.checkout("checkout.session.expired", self.asked(asked_by["eve"]), *EUROS)
        self.note("a checkout that expired", asked_by["eve"])

        number = self.asked(asked_by["fay"])
        self.checkout("checkout.session.completed", number)  # 30 dollars
        self.note("another currency", asked_by["fay"])

        number = self.asked(asked_by["gus"])
        self.checkout("checkout.session.completed", number, *EUROS)
        self.checkout("checkout.session.completed", number, *EUROS)
        self.note("a second checkout of one payment", asked_by["gus"])

        for event, name in (
            ("customer.subscription.trial_will_end", "a subscription on trial"),
            ("customer.subscription.created", "a charge of a subscription"),
            ("subscription.payment_succeeded", "a charge of a subscription with a card kept before"),
            ("subscription.payment_failed", "a charge that failed"),
            ("customer.subscription.deleted", "a subscription charged and ended"),
        ):
            person_id = self.newcomer(event.rpartition(".")[2])
            self.paid(person_id)
            self.subscription(event, person_id)
            self.note(name, person_id)

        self.sweep()

        for event, name in (
            ("checkout.session.async_payment_succeeded", "a debit that arrives"),
            ("checkout.session.async_payment_failed", "a debit that fails"),
        ):
            self.checkout(event, self.asked(asked_by["hal" if "arrives" in name else "ida"]))
            self.note(f"{name}, on its way", asked_by["hal" if "arrives" in name else "ida"])
        self.shop.leap(DAYS_UNTIL_LATER)
        self.note("a debit that arrives", asked_by["hal"])
        self.note("a debit that fails", asked_by["ida"])

        person_id = self.newcomer("jo")
        number = self.asked(person_id)
        self.pull("payment_intent.succeeded", "--add", f"payment_intent:metadata.carnet_payment={number}")
        self.note("money that only says it is ours", person_id)
        self.sweep()

    def off_because(self, person_id: int) -> list[str | None]:
        """Why renewing by itself is off (None: it is on), for whoever wished it."""
        return self.shop.in_own_words(
            db.select(AutoRenewal.off_because).where(AutoRenewal.person_id == person_id)
        )  # fmt: skip


def main() -> None:
    database, folder, *events = sys.argv[1:]
    triggered = Triggered(database, folder)
    triggered.found["today"] = triggered.shop.today.isoformat()
    triggered.of_other_shops(events)
    triggered.ours()
    triggered.shop.stop()
    print(json.dumps(triggered.found))


if __name__ == "__main__":
    main()
