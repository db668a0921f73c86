"""Made-up facts for a look at every letter: what Alice Soler and Bob Vidal would be told. Nothing is read or kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from flask import current_app


@dataclass(frozen=True)
class Sample:
    """A letter's name in templates/mail, and its facts."""

    letter: str
    facts: dict[str, Any]


def samples(now: datetime, today: date) -> dict[str, Sample]:
    """By name: each letter, and each way it may read."""
    made = _Made(now, today)
    found = {
        "sign_in": Sample("sign_in", {"link": made.url("/sign-in/sample"), "code": "1234 5678", "minutes": 15}),
        **made.receipts(),
        **made.waiting(),
        **made.going_back(),
        **made.gifts(),
        **made.renewals(),
        **made.reminders(),
        **made.photos(),
        **made.webhooks(),
    }
    return found


class _Made:
    def __init__(self, now: datetime, today: date) -> None:
        self.now, self.today = now, today
        self.alice = SimpleNamespace(given_name="Alice", full_name="Alice Soler", member_number="M-000482")
        self.bob = SimpleNamespace(given_name="Bob", full_name="Bob Vidal", member_number="M-000517")
        self.tier = SimpleNamespace(name="Plus", code="plus", months=12)
        self.ends_on = today + timedelta(days=364)
        self.term = SimpleNamespace(starts_on=today, sold_ends_on=self.ends_on)
        self.receipt = SimpleNamespace(number=f"{today.year}-000123", amount_cents=5000, currency="EUR")
        self.gift = SimpleNamespace(
            recipient_name="Bob", recipient_email="bob@example.org", message="For your exam, at last.\nAlice",
            payment=SimpleNamespace(person=self.alice),
        )  # fmt: skip
        self.iban, self.reference = "ES9121000418450200051332", f"RF71P{today.year}000123"

    def url(self, path: str) -> str:
        return f"{current_app.config['BASE_URL']}{path}"

    def payment(self, kind: str = "join") -> SimpleNamespace:
        return SimpleNamespace(
            kind=kind, number=f"P-{self.today.year}-000123", tier=self.tier, amount_cents=5000, currency="EUR",
            paid_on=self.today, completed_at=self.now, offer_starts_on=self.today, offer_ends_on=self.ends_on,
            offer_holds_until=self.today + timedelta(days=30),
        )  # fmt: skip

    def about(self, kind: str = "join", **facts: Any) -> dict[str, Any]:
        """Facts that every letter about a payment has, and those of its own."""
        return {"person": self.alice, "payment": self.payment(kind), **facts}

    def receipts(self) -> dict[str, Sample]:
        def receipt(kind: str, **facts: Any) -> Sample:
            own = {"moved": None, "renews": False, "excess_cents": 0, **facts}
            return Sample(
                "receipt",
                self.about(kind, receipt=self.receipt, term=self.term, card_url=self.url("/card"), **own),
            )

        return {
            "receipt": receipt("join"),
            "receipt-renew": receipt("renew", renews=True),
            "receipt-rejoin": receipt("rejoin", moved="arrived"),
            "receipt-late": receipt("renew", moved="late", excess_cents=500),
            "receipt-upgrade": receipt("upgrade"),
        }

    def waiting(self) -> dict[str, Sample]:
        page = self.url(f"/payments/{self.payment().number}/done")
        until = self.today + timedelta(days=20)

        def rest(iban: str | None) -> Sample:
            facts = self.about(payment_url=page, came_cents=4500, rest_cents=500, iban=iban, reference=self.reference)
            return Sample("rest_due", facts)

        return {
            "debit_pending": Sample("debit_pending", self.about(payment_url=page, is_newcomer=True, until=None)),
            "debit_pending-renew": Sample(
                "debit_pending", self.about("renew", payment_url=page, is_newcomer=False, until=until)
            ),
            "not_paid": Sample("not_paid", self.about("renew", offer_url=self.url("/renew"), until=until)),
            "transfer_order": Sample(
                "transfer_order",
                self.about(holder="Universitat de Montjuïc Alumni", iban=self.iban, reference=self.reference,
                           payment_url=page),
            ),
            "rest_due": rest(self.iban),
            "rest_due-cash": rest(None),
            "unallocated": Sample("unallocated", self.about("renew", cents=5000, until=self.ends_on)),
        }  # fmt: skip

    def going_back(self) -> dict[str, Sample]:
        page, card = self.url("/account"), self.url("/card")
        correction = SimpleNamespace(number=f"R{self.today.year}-000007", amount_cents=5000, currency="EUR")
        nothing = {"until": None, "ended_on": None, "is_over": True, "is_gone": True}

        def rectified(cause: str, kind: str = "join", **facts: Any) -> Sample:
            own = self.about(kind, receipt=correction, rectifies=self.receipt.number, account_url=page)
            return Sample("rectified", own | {"cause": cause} | nothing | facts)

        dispute = SimpleNamespace(opened_at=self.now)
        refund = SimpleNamespace(amount_cents=5000, currency="EUR", requested_at=self.now)
        return {
            "withdrawal": Sample("withdrawal", self.about(refund=refund, term=self.term)),
            "rectified": rectified("refunded", ended_on=self.today - timedelta(days=1)),
            "rectified-part": rectified("refunded", until=self.ends_on, is_over=False, is_gone=False),
            "rectified-dispute": rectified("dispute"),
            "rectified-gift": rectified("refunded", "gift"),
            "receipt_again": Sample(
                "receipt_again", self.about(receipt=self.receipt, account_url=page, is_back=True, until=self.ends_on)
            ),
            "receipt_again-taken": Sample(
                "receipt_again", self.about(receipt=self.receipt, account_url=page, is_back=False, until=None)
            ),
            "on_hold": Sample("on_hold", self.about(dispute=dispute, term=self.term)),
            "on_hold-gift": Sample("on_hold", self.about("gift", dispute=dispute, term=self.term)),
            "off_hold": Sample("off_hold", self.about(card_url=card, until=self.ends_on)),
            "off_hold-gift": Sample("off_hold", self.about("gift", card_url=card, until=self.ends_on)),
        }

    def photos(self) -> dict[str, Sample]:
        def refused(reason: str, was_shown: bool) -> Sample:
            facts = {"person": self.alice, "reason": reason, "was_shown": was_shown, "keeps_old": not was_shown}
            return Sample("photo_refused", {**facts, "photo_url": self.url("/card/photo")})

        return {
            **{f"photo_refused-{reason}": refused(reason, False) for reason in ("face", "somebody_else", "no_photo")},
            "photo_refused-taken-down": refused("unfit", True),
        }

    def webhooks(self) -> dict[str, Sample]:
        def disabled(is_gone: bool) -> Sample:
            facts = {"service": "Universitat de Montjuïc", "is_gone": is_gone, "log_url": self.url("/admin/webhooks/1")}
            return Sample("webhook_disabled", facts)

        return {"webhook_disabled": disabled(False), "webhook_disabled-gone": disabled(True)}

    def gifts(self) -> dict[str, Sample]:
        accept = self.url("/gift/sample")

        def gift_ended(**facts: Any) -> Sample:
            own = {"gift": self.gift, "tier": self.tier, "term": self.term, "account_url": self.url("/account")}
            return Sample("gift_ended", {"person": self.bob, **own, **facts})

        return {
            "gift_paid": Sample("gift_paid", self.about("gift", receipt=self.receipt, gift=self.gift)),
            "gift": Sample(
                "gift", {"gift": self.gift, "tier": self.tier, "giver_name": "Alice Soler", "accept_url": accept}
            ),
            "gift_accepted": Sample("gift_accepted", self.about("gift", gift=self.gift, term=self.term)),
            "gift_ended": gift_ended(ended_on=self.today - timedelta(days=1), is_over=True, until=None),
            "gift_ended-own": gift_ended(ended_on=None, is_over=False, until=self.ends_on),
        }

    def renewals(self) -> dict[str, Sample]:
        own = {"person": self.alice, "tier": self.tier, "amount_cents": 5000, "currency": "EUR"}
        off, page, until = self.url("/auto-renewal/off/sample"), self.url("/account"), self.today + timedelta(days=20)
        charge_on = until + timedelta(days=1)
        return {
            "renewal_notice": Sample(
                "renewal_notice", {**own, "charge_on": charge_on, "ends_on": self.ends_on, "off_url": off}
            ),
            "renewal_failed": Sample(
                "renewal_failed",
                {**own, "card_url": page, "next_on": charge_on + timedelta(days=3), "until": until,
                 "grace_until": until + timedelta(days=30)},
            ),
            "renewal_stopped": Sample(
                "renewal_stopped", {**own, "has_failed": True, "until": until, "offer": self.offer()}
            ),
            "renewal_stopped-off": Sample(
                "renewal_stopped", {**own, "has_failed": False, "until": until, "offer": None}
            ),
        }  # fmt: skip

    def offer(self) -> SimpleNamespace:
        return SimpleNamespace(
            tier_name="Plus", ends_on=self.ends_on, fee_cents=5000, currency="EUR", url=self.url("/renew/link/sample")
        )

    def reminders(self) -> dict[str, Sample]:
        def reminder(days_left: int, in_grace: bool = False) -> Sample:
            ends_on = self.today + timedelta(days=days_left)
            facts = {
                "person": self.alice, "offer": self.offer(), "renew_url": self.offer().url, "tier_name": "Plus",
                "stop_link": self.url("/reminders/stop/sample"), "ends_on": ends_on, "days_left": days_left,
                "grace_until": ends_on + timedelta(days=30) if in_grace else None,
            }  # fmt: skip
            return Sample("reminder", facts)

        return {
            "reminder": reminder(30),
            "reminder-week": reminder(7),
            "reminder-today": reminder(0),
            "reminder-grace": reminder(-15, in_grace=True),
            "reminder-over": reminder(-45),
        }
