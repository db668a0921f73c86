"""Random histories of three people, their bank, the provider and the treasurer, on the real application.

Every act happens a minute after the last; both clocks stand still in between. News of the provider is delivered when
the history says so: late, twice, in any order, or never. `settle_down` hears everything, and `checks` compares.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from app import clock
from app.extensions import db
from app.memberships import renewal_links
from app.memberships.service import standing_of
from app.payments.models import AutoRenewal, Discrepancy, Gift, Payment
from demo.simulator import changing, subscribing
from tests.payments.histories import checks
from tests.payments.histories.happened import Books, Fact, Order, day_of, provider_facts, told
from tests.payments.histories.house import FEES, PEOPLE, PLANS, SHOWN, House
from tests.payments.histories.reference import HORIZON, Bought, Member

BEGINNINGS = (
    "2026-11-23 11:00", "2027-03-27 22:30", "2027-10-30 21:30", "2027-08-31 10:00", "2028-02-29 09:00",
    "2026-12-31 22:30", "2027-01-31 12:00", "2027-09-30 21:45",
)  # fmt: skip
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
people = st.sampled_from(PEOPLE)
tiers = st.sampled_from(("basic", "basic", "plus", "plus", "prime", "half", "course"))
picks = st.integers(0, 7)
WAYS = ("accepted", "accepted", "accepted", "three_d_secure", "declined", "debit", "debit_fails", "left", "expired",
        "declined_later")  # fmt: skip


class Histories(RuleBasedStateMachine):
    house: House  # set by whoever runs this
    begun = steps = 0
    seen: Counter[str] = Counter()  # what there was at the end of histories

    def __init__(self) -> None:
        super().__init__()
        self.began = False

    @initialize(
        beginning=st.sampled_from(BEGINNINGS), fees_late=st.booleans(),
        refunds=st.sampled_from(("succeed", "succeed", "succeed", "pending", "fail")),
        joined=st.dictionaries(people, st.tuples(tiers, st.sampled_from(WAYS), st.booleans()), max_size=3),
    )  # fmt: skip
    def begin(self, beginning: str, fees_late: bool, refunds: str, joined: dict[str, tuple[str, str, bool]]) -> None:
        self.house.reset(datetime.fromisoformat(beginning).replace(tzinfo=UTC))
        self.house.account.set_faults(refunds=refunds, late_fees=7200.0 if fees_late else 0.0)
        self.orders: dict[str, Order] = {}
        self.own_facts: list[Fact] = []  # what the association did itself
        self.prices: dict[str, list[tuple[date, int]]] = {code: [(date.min, cents)] for code, cents in FEES.items()}
        self.left_open: list[str] = []
        self.held: set[str] = set()
        self.since_checked = self.swept_in = 0
        self.heard_at = self.house.now
        self.began = True
        type(self).begun += 1
        for name, (tier, way, auto) in joined.items():
            self.pays_a_fee(name=name, tier=tier, way=way, auto=auto)

    # -- time and news ---------------------------------------------------------------------------------------------

    def tick(self) -> None:
        self.house.set_clock(self.house.now + MINUTE)

    @property
    def today(self) -> date:
        return day_of(self.house.now)

    @rule(days=st.sampled_from((0.1, 1, 3, 6, 15, 31, 100, 182, 364, 366)), is_awake=st.booleans())
    def time_passes(self, days: float, is_awake: bool) -> None:
        """With a worker that works, or with one that sleeps for weeks and finds everything later.

        Nobody sleeps as long as the provider keeps its events; a time in which nothing happens is leapt over.
        """
        until = self.house.now + timedelta(days=days)
        while self.house.now < until:
            due = min(self.house.next_due() or until, until)
            if due > self.house.now + 29 * DAY and self.heard_at == self.house.now:
                self.house.set_clock(due - 22 * DAY)
                self.hear_all()
            elif due > self.house.now + 29 * DAY:
                self.hear_all()
            elif is_awake:
                self.house.set_clock(min(due + 2 * HOUR, until))
                self.hear_all()
            else:
                self.house.set_clock(min(max(self.heard_at + 25 * DAY, self.house.now), until))
                if self.house.now < until:
                    self.hear_all()

    def hear_all(self) -> None:
        """The worker sweeps once an hour; whoever cannot wait sweeps by command."""
        hour = int(self.house.now.timestamp() // 3600)
        if hour == self.swept_in:
            self.house.sweep()
        self.swept_in, self.heard_at = hour, self.house.now
        self.house.work()
        self.house.heard = self._last_event()

    @rule()
    def the_worker_works(self) -> None:
        self.tick()
        self.hear_all()

    @precondition(lambda self: self.orders)
    @rule(order=st.randoms(use_true_random=False), times=st.sampled_from((1, 1, 1, 2, 4)), share=st.integers(1, 3))
    def some_news_arrives(self, order: Any, times: int, share: int) -> None:
        """Some of what was not heard, in any order, perhaps several times at once; perhaps old news again."""
        news = self.house.news()
        order.shuffle(news)
        for event_id in news[: max(1, len(news) * share // 3)]:
            self.house.deliver(event_id, times)

    def _old_news_again(self, pick: int) -> None:
        rows = self.house.account.store.rows("SELECT id FROM object WHERE kind = 'event' ORDER BY seq")
        if rows:
            self.house.deliver(rows[pick * len(rows) // 8]["id"])

    # -- members ---------------------------------------------------------------------------------------------------

    @rule(name=people, tier=tiers, way=st.sampled_from(WAYS), auto=st.sampled_from((False, False, False, True)))
    def pays_a_fee(self, name: str, tier: str, way: str, auto: bool) -> None:
        self.tick()
        is_fresh = not self.house.news()
        expected = self.books().members[name] if is_fresh else None
        more = {"auto_renewal": "y"} if auto and tier != "course" else {}
        self._choose(name, "/join", tier, way, expected, **more)

    @rule(name=people, tier=st.sampled_from(("plus", "prime")), way=st.sampled_from(WAYS))
    def upgrades(self, name: str, tier: str, way: str) -> None:
        self.tick()
        self._choose(name, "/upgrade", tier, way, None)

    @rule(name=people, to=people, tier=tiers, way=st.sampled_from(WAYS))
    def gives(self, name: str, to: str, tier: str, way: str) -> None:
        self.tick()
        if to != name:
            self._choose(
                name, "/gift", tier, way, None, recipient_email=f"{to}@example.org", recipient_name=to, message=""
            )

    def _choose(self, name: str, page: str, tier: str, way: str, expected: Member | None, **more: str) -> None:
        """Take up an offer that is on the page, and do `way` at the provider's."""
        visitor = self.house.visitor(name)
        shown = {stamp.split()[0]: stamp for stamp in SHOWN.findall(visitor.get(page).text)}
        if expected is not None:
            checks.offers(expected, shown, self.today, self.fee_on)
        if tier not in shown:
            return
        path = {"/join": "/renew" if self._renews(name) else "/join"}.get(page, page)
        answer = visitor.post(path, {"tier": tier, "shown": shown[tier], **more}, page="")
        if "/pay/" not in answer.headers.get("Location", ""):
            return
        checkout_id = answer.headers["Location"].rpartition("/")[2]
        order = self._note_order(checkout_id)
        asked = f"{order.plan.code} {order.first} {order.last} {order.cents} EUR"
        assert order.kind == "gift" or asked == shown[tier], f"{shown[tier]} was shown, {asked} is asked"
        self._at_the_provider(checkout_id, way)

    def _renews(self, name: str) -> bool:
        with self.house.books():
            clock.forget()
            return standing_of(self.house.ids[name], clock.now(), clock.today()).status in (
                "active", "grace", "suspended",
            )  # fmt: skip

    def _note_order(self, checkout_id: str) -> Order:
        number = self.house.account.get("checkout.session", checkout_id)["metadata"]["carnet_payment"]
        return self._read_order(number)

    def _read_order(self, number: str) -> Order:
        with self.house.books():
            return self._as_order(db.session.get_one(Payment, int(number.rpartition("-")[2])))

    def _as_order(self, row: Payment) -> Order:
        """What was asked, as it was written down when it was asked; it never changes."""
        order = Order(
            row.number, self.name_of(row.person_id), PLANS[row.tier.code], row.kind, row.amount_cents,
            row.offer_anchor_on, row.offer_starts_on, row.offer_ends_on, row.offer_holds_until,
        )  # fmt: skip
        return self.orders.setdefault(row.number, order)

    def name_of(self, person_id: int) -> str:
        return next(name for name, known in self.house.ids.items() if known == person_id)

    def _at_the_provider(self, checkout_id: str, way: str) -> None:
        # Whether an upgrade is income or waits for the treasurer hangs on what is heard first, it or the loss of the
        # fee beneath it; the days are the same. So both are heard as they happen, and none is a debit.
        is_upgrade = self._note_order(checkout_id).kind == "upgrade"
        if is_upgrade:
            self.settle_down()
            way = {"debit": "accepted", "debit_fails": "declined"}.get(way, way)
        self.tick()
        if way == "left":
            self.left_open.append(checkout_id)
        elif way == "expired":
            self.house.happen("checkouts", checkout_id, "expire")
        else:
            self.house.happen("checkouts", checkout_id, way)
            if way == "three_d_secure":
                self.house.happen("checkouts", checkout_id, "authenticate")
            if way == "declined":
                self.left_open.append(checkout_id)
        self.house.wait()
        if is_upgrade:
            self.settle_down()

    @precondition(lambda self: self.left_open)
    @rule(pick=picks, way=st.sampled_from(("accepted", "debit", "three_d_secure")))
    def pays_what_was_left(self, pick: int, way: str) -> None:
        """In a tab that was open all the time, perhaps too late."""
        self.tick()
        checkout_id = self.left_open.pop(pick % len(self.left_open))
        self._at_the_provider(checkout_id, way)

    @precondition(lambda self: self.orders)
    @rule(pick=picks)
    def comes_back(self, pick: int) -> None:
        """To the page a payment ends on."""
        self.tick()
        number = list(self.orders)[pick % len(self.orders)]
        self.house.visitor(self.orders[number].person).get(f"/payments/{number}/done")

    @rule(name=people, pick=picks)
    def accepts_a_gift(self, name: str, pick: int) -> None:
        self.settle_down()
        with self.house.books():
            query = select(Gift).where(Gift.recipient_email == f"{name}@example.org").order_by(Gift.payment_id)
            gifts = list(db.session.execute(query).scalars())
            if not gifts:
                return
            gift = gifts[pick % len(gifts)]
            number, accepted = gift.payment.number, gift.accepted_at is not None
            token = renewal_links.make("gift", gift.payment_id, clock.now())
        self.house.visitor(name).post(f"/gift/{token}")
        with self.house.books():
            gift = db.session.get_one(Gift, int(number.rpartition("-")[2]))
            if accepted or gift.accepted_at is None:
                return
        order = self._read_order(number)
        today = self.today

        def accept(books: Books) -> None:
            books.owners[number] = name
            offered = books.members[name].offer(order.plan, today, even_if_renewed=True)
            assert offered is not None
            books.members[name].buy(number, order.plan, offered.anchor, offered.first, offered.last)

        self._did(accept)

    def _orders_a_transfer(self, name: str, tier: str) -> None:
        self.tick()
        visitor = self.house.visitor(name)
        shown = {stamp.split()[0]: stamp for stamp in SHOWN.findall(visitor.get("/join").text)}
        if tier in shown:
            path = "/renew" if self._renews(name) else "/join"
            visitor.post(path, {"tier": tier, "shown": shown[tier], "method": "transfer"}, page="")

    @rule(name=people)
    def lets_it_renew_by_itself(self, name: str) -> None:
        self.tick()
        answer = self.house.visitor(name).post("/account/auto-renewal/on", page="/account")
        if "/pay/" in answer.headers.get("Location", ""):
            checkout_id = answer.headers["Location"].rpartition("/")[2]
            self.house.happen("checkouts", checkout_id, "accepted")
            self.house.wait()
            self.house.visitor(name).get(f"/account/auto-renewal/done?checkout={checkout_id}")

    def _stops_renewing_by_itself(self, name: str) -> None:
        self.tick()
        self.house.visitor(name).post("/account/auto-renewal/off", page="/account")

    def _chooses_the_next_tier(self, name: str, tier: str) -> None:
        self.tick()
        self.house.visitor(name).post("/account/renewal-tier", {"tier": tier}, page="/account")

    @precondition(lambda self: self.orders)
    @rule(pick=picks)
    def withdraws(self, pick: int) -> None:
        self.tick()
        number = list(self.orders)[pick % len(self.orders)]
        with self.house.books():
            row = db.session.get_one(Payment, int(number.rpartition("-")[2]))
            left, method = checks.left_of(row), row.method
        if method != "online":
            self.settle_down()
        answer = self.house.visitor(self.orders[number].person).post(f"/account/payments/{number}/withdraw")
        if answer.status_code == 303 and method != "online":
            self.house.work()
            today = self.today
            self._did(lambda books: books.give_back(number, left, today))

    # -- banks and the provider ------------------------------------------------------------------------------------

    def _some(self, kind: str, pick: int, **wanted: Any) -> dict[str, Any] | None:
        found = [
            it for it in self.house.objects(kind) if all(it[name] == value for name, value in wanted.items())
        ]  # fmt: skip
        return found[pick % len(found)] if found else None

    def _the_saved_card_changes(self, pick: int, order: str) -> None:
        """What becomes of charges nobody is there for."""
        customer = self._some("customer", pick)
        if customer is not None:
            self.house.happen("customers", customer["id"], "charges", next=order)

    @precondition(lambda self: self.orders)
    @rule(pick=picks, at_once=st.booleans())
    def ends_it_in_the_portal(self, pick: int, at_once: bool) -> None:
        subscription = self._some("subscription", pick)
        if subscription is None or subscription["status"] in ("canceled", "incomplete_expired"):
            return
        self.tick()
        account = self.house.account
        with account.change() as change:
            if at_once:
                subscribing.cancel_subscription(account, change, {}, subscription["id"])
            else:
                changing.update_subscription(account, change, {"cancel_at_period_end": True}, subscription["id"])
        self.house.wait()

    @precondition(lambda self: self.orders)
    @rule(pick=picks, cents=st.sampled_from((None, None, 1, 1000, 2999)))
    def is_refunded_at_the_provider(self, pick: int, cents: int | None) -> None:
        self.tick()
        charge = self._some("charge", pick, paid=True)
        if charge is not None:
            self.house.happen("charges", charge["id"], "refund", **({"amount": cents} if cents else {}))
            self.house.wait()

    @precondition(lambda self: self.orders)
    @rule(pick=picks)
    def a_refund_comes_back(self, pick: int) -> None:
        self.tick()
        refund = self._some("refund", pick)
        if refund is not None:
            self.house.happen("refunds", refund["id"], "fail")
            self.house.wait()

    @precondition(lambda self: self.orders)
    @rule(
        pick=picks, kind=st.sampled_from(("dispute", "dispute", "inquire", "return")), part=st.sampled_from((0, 0, 500))
    )
    def a_bank_disputes(self, pick: int, kind: str, part: int) -> None:
        self.tick()
        charge = self._some("charge", pick, paid=True, disputed=False)
        if charge is not None:
            self.house.happen("charges", charge["id"], kind, **({"amount": part} if part and kind != "return" else {}))
            self.house.wait()

    @precondition(lambda self: self.orders)
    @rule(pick=picks, word=st.sampled_from(("won", "lost", "lost", "appeal", "escalate", "close", "review")))
    def a_bank_decides(self, pick: int, word: str) -> None:
        self.tick()
        dispute = self._some("dispute", pick)
        if dispute is not None:
            self.house.happen("disputes", dispute["id"], word)
            self.house.wait()

    # -- the association -------------------------------------------------------------------------------------------

    @rule(
        name=people,
        tier=tiers,
        how_much=st.sampled_from(("all", "all", "part", "rest", "more")),
        method=st.sampled_from(("transfer", "cash")),
        ago=st.sampled_from((0, 0, 2)),
        again=st.booleans(),
    )
    def books_money(self, name: str, tier: str, how_much: str, method: str, ago: int, again: bool) -> None:
        self.settle_down()
        value_on = self.today - ago * DAY
        fee = self.fee_on(tier, value_on)
        cents = {"all": fee, "part": fee - 700, "rest": 700, "more": fee + 350}[how_much]
        arguments = [
            "payments", "record", "--person", self.house.numbers[name], "--tier", tier, "--amount",
            f"{cents // 100}.{cents % 100:02d}", "--method", method, "--value-date", value_on.isoformat(),
            *(["--again"] if again else []),
        ]  # fmt: skip
        code, said = self.house.command(*arguments)
        if code == 0:
            number = said.split()[0]
            self._read_order(number)
            self._did(lambda books: books.receive(number, cents, value_on, value_on, None))

    @rule(name=people, tier=tiers, length=st.sampled_from(("1", "3", "12", "until", "life")))
    def grants(self, name: str, tier: str, length: str) -> None:
        self.settle_down()
        until = self.today + 200 * DAY
        how = {"until": ["--until", until.isoformat()], "life": ["--life"]}.get(length, ["--months", length])
        code, _said = self.house.command(
            "memberships", "grant", self.house.numbers[name], "--tier", tier, "--because", "thanks", *how
        )
        if code != 0:
            return
        key, today, plan = f"grant {len(self.own_facts)}", self.today, PLANS[tier]

        def give(books: Books) -> None:
            months = int(length) if length.isdecimal() else 1
            member = books.members[name]
            offered = member.offer(type(plan)("", months, plan.grace), today, even_if_renewed=True)
            assert offered is not None
            last = {"until": until, "life": HORIZON}.get(length, offered.last)
            member._take(Bought(key, plan, offered.anchor, offered.first, last))

        self._did(give)

    def _holds_or_releases(self, name: str) -> None:
        self.tick()
        word = "release" if name in self.held else "hold"
        more = [] if name in self.held else ["--because", "unpaid fine"]
        code, _said = self.house.command("memberships", word, self.house.numbers[name], *more)
        assert code == 0
        self.held ^= {name}
        is_held = name in self.held
        self._did(lambda books: setattr(books.members[name], "is_held", is_held))

    @precondition(lambda self: self.orders)
    @rule(pick=picks, part=st.sampled_from(("", "", "10.00", "0.01")))
    def is_refunded_by_the_treasurer(self, pick: int, part: str) -> None:
        self.tick()
        number = list(self.orders)[pick % len(self.orders)]
        with self.house.books():
            row = db.session.get_one(Payment, int(number.rpartition("-")[2]))
            left, method = checks.left_of(row), row.method
        if method != "online":
            self.settle_down()
        answer = self.house.visitor("treasurer").post(
            f"/treasury/payments/{number}/refund",
            {"amount": part, "left": str(left)},
            page=f"/treasury/payments/{number}",
        )
        cents = round(float(part) * 100) if part else left
        if answer.status_code == 303 and method != "online":
            today = self.today
            self._did(lambda books: books.give_back(number, cents, today))

    @precondition(lambda self: self.orders)
    @rule(pick=picks, way=st.sampled_from(("allocated", "refunded", "donated", "noted")))
    def decides(self, pick: int, way: str) -> None:
        self.settle_down()
        with self.house.books():
            query = select(Discrepancy).where(Discrepancy.resolved_at.is_(None)).order_by(Discrepancy.id)
            found = list(db.session.execute(query).scalars())
            if not found:
                return
            entry = found[pick % len(found)]
            entry_id, payment = entry.id, entry.payment
            number, method = (payment.number, payment.method) if payment else ("", "")
            free = checks.free_of(payment) if payment else 0
        answer = self.house.visitor("treasurer").post(
            f"/treasury/queue/{entry_id}", {"resolution": way, "note": "looked at"}, page="/treasury"
        )
        if answer.status_code != 303 or not number:
            return
        order, today = self._read_order(number), self.today
        if way == "allocated":

            def allocate(books: Books) -> None:
                member = books.members[order.person]
                offered = member.offer(order.plan, today, even_if_renewed=True)
                assert offered is not None
                books.owners[number] = order.person
                books.purses[number].has_bought = True
                member.buy(number, order.plan, offered.anchor, offered.first, offered.last)

            self._did(allocate)
        elif way == "donated":
            self._did(lambda books: setattr(books.purses[number], "donated", books.purses[number].donated + free))
        elif way == "refunded" and method != "online":
            self._did(lambda books: books.give_back(number, free, today))

    def _changes_a_fee(self, tier: str, change: int) -> None:
        """From tomorrow on."""
        self.tick()
        tomorrow = self.today + DAY
        cents = self.fee_on(tier, self.today) + change
        fee = f"{cents // 100}.{cents % 100:02d}"
        code, _said = self.house.command("memberships", "set-price", tier, "--fee", fee, "--from", tomorrow.isoformat())
        if code == 0:
            self.prices[tier].append((tomorrow, cents))

    @rule(
        name=people, tier=tiers, pick=picks,
        what=st.sampled_from(("order", "stop", "choose", "unchoose", "hold", "fee", "decline", "succeed", "old news")),
    )  # fmt: skip
    def something_small(self, what: str, name: str, tier: str, pick: int) -> None:
        """What is quickly done and matters later."""
        acts: dict[str, Callable[[], None]] = {
            "order": lambda: self._orders_a_transfer(name, tier), "stop": lambda: self._stops_renewing_by_itself(name),
            "choose": lambda: self._chooses_the_next_tier(name, tier),
            "unchoose": lambda: self._chooses_the_next_tier(name, ""), "hold": lambda: self._holds_or_releases(name),
            "fee": lambda: self._changes_a_fee(tier, (-200, 300, 450)[pick % 3]),
            "decline": lambda: self._the_saved_card_changes(pick, "decline"),
            "succeed": lambda: self._the_saved_card_changes(pick, "succeed"),
            "old news": lambda: self._old_news_again(pick),
        }  # fmt: skip
        acts[what]()

    def fee_on(self, tier: str, day: date) -> int:
        return [cents for since, cents in self.prices[tier] if since <= day][-1]

    def _did(self, tell: Callable[[Books], None]) -> None:
        self.own_facts.append(Fact(self.house.now.timestamp(), 9 + len(self.own_facts), tell))
        self.tick()

    # -- comparing -------------------------------------------------------------------------------------------------

    def books(self) -> Books:
        """The second opinion on all that has happened by now."""
        kinds = ("event", "charge", "refund", "dispute")
        objects = {kind: self.house.objects(kind) for kind in kinds}
        number_of = {
            intent["id"]: intent["metadata"]["carnet_payment"]
            for intent in self.house.objects("payment_intent") if "carnet_payment" in intent["metadata"]
        }  # fmt: skip
        number_of |= self._charged_by_themselves()
        facts = [*provider_facts(objects, number_of), *self.own_facts]
        return told(facts, Books(orders=self.orders, fee_of=self.fee_on))

    def _charged_by_themselves(self) -> dict[str, str]:
        """Our payment of each intent that a subscription's invoice was paid by."""
        intents = {
            it["invoice"]: it["payment"]["payment_intent"] for it in self.house.objects("invoice_payment")
        }  # fmt: skip
        charges = defaultdict(list)
        for charge in self.house.objects("charge"):
            charges[charge["payment_intent"]].append(charge)
        found = {}
        with self.house.books():
            rows = db.session.execute(select(Payment).where(Payment.stripe_invoice_id.is_not(None))).scalars()
            for row in rows:
                order = self._as_order(row)
                invoice = self.house.account.get("invoice", row.stripe_invoice_id or "")
                order.charged_on = day_of(invoice["created"])
                found[intents[invoice["id"]]] = row.number
                renewal = db.session.get_one(AutoRenewal, int(row.opened_by.partition(":")[2]))
                paid = [it for it in charges[intents[invoice["id"]]] if it["paid"]]
                order.is_late = bool(
                    paid and renewal.off_at is not None and renewal.off_because != "replaced"
                    and datetime.fromtimestamp(paid[-1]["created"], UTC) > renewal.off_at
                )  # fmt: skip
        return found

    def settle_down(self) -> None:
        """All news is heard and all work done."""
        for _ in range(6):
            known = self._last_event()
            self.house.set_clock(self.house.now + timedelta(hours=1))
            self.hear_all()
            if self._last_event() == known and not self.house.unfinished():
                return

    def _last_event(self) -> int:
        rows = self.house.account.store.rows("SELECT max(seq) AS seq FROM object WHERE kind = 'event'")
        return int(rows[0]["seq"] or 0)

    @precondition(lambda self: self.since_checked > 7)
    @rule()
    def everything_agrees(self) -> None:
        self.since_checked = 0
        self.house.set_clock(self.house.now + timedelta(hours=2))  # what the provider takes is known by then
        self.settle_down()
        checks.all_of_it(self)

    @invariant()
    def nobody_has_a_day_twice(self) -> None:
        if self.began:
            type(self).steps += 1
            self.since_checked += 1
            checks.no_overlap(self.house)

    def teardown(self) -> None:
        if self.began and sys.exc_info()[0] is None:
            self.everything_agrees()
            type(self).seen.update(checks.tally(self.house))
