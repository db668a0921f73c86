"""Codes of money as the treasurer reads them."""

from __future__ import annotations

from flask_babel import gettext as _


def methods() -> dict[str, str]:
    return {"online": _("Online"), "transfer": _("Transfer"), "cash": _("Cash")}


def kinds() -> dict[str, str]:
    return {
        "join": _("Joining"), "renew": _("Renewal"), "rejoin": _("Coming back"), "upgrade": _("Upgrade"),
        "gift": _("Gift"),
    }  # fmt: skip


def movements() -> dict[str, str]:
    return {
        "fee_received": _("Fee received"),
        "excess_received": _("Received, unallocated"),
        "allocated": _("Used for a fee"),
        "donated": _("Kept as a donation"),
        "provider_fee": _("Fee of the provider"),
        "provider_fee_returned": _("Fee of the provider, given back"),
        "refund_paid": _("Refund"),
        "refund_reversed": _("Refund failed"),
        "dispute_withdrawn": _("Taken by a dispute"),
        "dispute_reinstated": _("Dispute won, money back"),
    }


def accounts() -> dict[str, str]:
    return {
        "provider": _("Provider balance"), "bank": _("Bank"), "cash": _("Cash"), "fees": _("Fees"),
        "donations": _("Donations"), "unallocated": _("Unallocated"), "provider_fees": _("Provider fees"),
        "disputes": _("Disputes"),
    }  # fmt: skip


def reasons() -> dict[str, str]:
    """Why something stands in the queue: what happened, in one or two sentences."""
    return {
        "mismatch": _("The money that came is not what was asked: amount, currency or mode differ."),
        "unknown_payment": _("The provider knows a payment that we do not. Look it up there."),
        "underpaid": _("Less came than was asked, so it bought nothing yet. The payer was told what is missing."),
        "days_covered": _("These days were paid already. The money belongs to nobody yet."),
        "overpaid": _("More came than was asked. The excess belongs to nobody yet."),
        "late_payment": _("This was paid after it had been cancelled, so it bought nothing."),
        "nothing_to_upgrade": _("When the money came there was nothing left to upgrade, so it bought nothing."),
        "upgrade_without_fee": _("The fee this upgrade was bought upon went back; the upgrade ended with it."),
        "days_taken": _("The money is here again, but somebody has paid for some of these days since."),
        "refund_failed": _("The refund failed: the money is still here and the days were given back."),
        "refunded_in_part": _("A part went back. The dates stay."),
        "inquiry": _("The payer’s bank asks about this payment. Nothing was taken. Answer at the provider."),
        "dispute_open": _(
            "The payer’s bank has taken the money back and the days are on hold. Answer at the provider."
        ),
    }


def resolutions() -> dict[str, str]:
    """What the treasurer can decide: the words of the buttons."""
    return {
        "allocated": _("Use it for the next year"),
        "refunded": _("Give it back"),
        "donated": _("Keep as a donation"),
        "noted": _("Done, with a note"),
    }


def decided() -> dict[str, str]:
    """The same once it was done."""
    return {
        "allocated": _("Used for the next year"),
        "refunded": _("Given back"),
        "donated": _("Kept as a donation"),
        "noted": _("Closed with a note"),
    }


def disputes() -> dict[str, str]:
    return {"inquiry": _("The bank asks"), "open": _("Open"), "won": _("Won"), "lost": _("Lost")}


def refunds() -> dict[str, str]:
    return {
        "requested": _("Asked for"), "pending": _("On its way"), "succeeded": _("Done"), "failed": _("Failed")
    }  # fmt: skip


def causes() -> dict[str, str]:
    return {"refunded": _("Granted"), "withdrawn": _("The buyer withdrew")}


def states() -> dict[str, str]:
    """What the list of payments can be narrowed down to."""
    return {
        "paid": _("Received"), "refunded": _("Refunded"), "disputed": _("Disputed"), "donated": _("Donated"),
        "waiting": _("On its way"), "open": _("Not paid yet"), "refund_failed": _("Refund failed"),
        "mismatch": _("Does not fit"), "unallocated": _("Unallocated"), "days": _("Days to look at"),
    }  # fmt: skip
