"""Disputes: a payer's bank takes a charge back, or only asks; who wins keeps the money, the fee stays taken."""

from typing import Any

from demo.simulator.account import Account, Change
from demo.simulator.balance import record_movement
from demo.simulator.dispute_object import EVIDENCE, new_dispute
from demo.simulator.errors import ApiError
from demo.simulator.params import BOOLEAN, METADATA_CHANGE, STRING, Clearable, change_metadata
from demo.simulator.store import Stored

UPDATE = {
    "evidence": dict.fromkeys(EVIDENCE, Clearable(STRING)),
    "metadata": Clearable(METADATA_CHANGE),
    "submit": BOOLEAN,
}
FEE_CENTS = 2000
INQUIRY = ("warning_needs_response", "warning_under_review")
OPEN = ("needs_response", "under_review", "appeal_needs_response", "appeal_under_review")
REASONS = ("fraudulent", "product_not_received", "duplicate", "subscription_canceled", "debit_not_authorized")


def open_dispute(
    account: Account,
    change: Change,
    charge_id: str,
    *,
    reason: str = "fraudulent",
    amount: int | None = None,
    status: str = "needs_response",
) -> Stored:
    """`status` is needs_response, warning_needs_response (an inquiry: no money moves) or lost (a debit's return)."""
    charge = account.get("charge", charge_id, "charge")
    left = charge["amount"] - charge["amount_refunded"]
    amount = left if amount is None else amount
    if not charge["paid"] or charge["disputed"] or reason not in REASONS or not 1 <= amount <= charge["amount"]:
        raise ApiError(400, f"Charge {charge_id} cannot be disputed so.", param="charge")
    dispute = new_dispute(account, charge, amount, reason, status)
    charge["disputed"] = True
    change.save(charge)
    if status not in INQUIRY:
        _withdraw(account, change, dispute)
    change.save(dispute)
    change.emit("charge.dispute.created", dispute)
    if status not in INQUIRY:
        change.emit("charge.dispute.funds_withdrawn", dispute)
    if status == "lost":
        change.emit("charge.dispute.closed", dispute)
    return dispute


def return_debit(account: Account, change: Change, charge_id: str) -> Stored:
    """A payer has a SEPA debit returned, up to eight weeks later without a reason: lost from the beginning."""
    return open_dispute(account, change, charge_id, reason="debit_not_authorized", status="lost")


def is_refundable(account: Account, charge: Stored) -> bool:
    return not charge["disputed"] or all(
        dispute["status"] == "won" or dispute["is_charge_refundable"] for dispute in of_charge(account, charge["id"])
    )


def of_charge(account: Account, charge_id: str) -> list[Stored]:
    rows = account.store.rows(
        "SELECT id FROM object WHERE kind = 'dispute' AND json_extract(body, '$.charge') = ?", charge_id
    )
    return [account.get("dispute", row["id"]) for row in rows]


def update_dispute(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    """Evidence is staged, and with `submit` (the default) handed in, once."""
    dispute = account.get("dispute", object_id)
    _require(dispute, *OPEN, *INQUIRY)
    evidence = {name: value or None for name, value in params.get("evidence", {}).items()}
    before = {name: dispute[name] for name in ("evidence", "evidence_details", "metadata", "status")}
    dispute["evidence"] = dispute["evidence"] | evidence
    details = dispute["evidence_details"]
    dispute["evidence_details"] = details | {"has_evidence": details["has_evidence"] or bool(evidence)}
    change_metadata(dispute, params.get("metadata"))
    if evidence and params.get("submit", True):
        if details["submission_count"]:
            raise ApiError(400, "Evidence for this dispute was submitted already.")
        dispute["evidence_details"] |= {"submission_count": 1, "submission_method": "manual"}
        dispute["status"] = dispute["status"].replace("needs_response", "under_review")
    return _updated(change, dispute, before)


def close_dispute(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    """The merchant gives in, or has nothing to say to an inquiry."""
    if account.get("dispute", object_id, "dispute")["status"] in INQUIRY:
        return close_inquiry(account, change, object_id)
    return lose(account, change, object_id)


def review(account: Account, change: Change, dispute_id: str) -> Stored:
    """The bank looks at it."""
    dispute = account.get("dispute", dispute_id)
    _require(dispute, "needs_response", "warning_needs_response", "appeal_needs_response")
    before = dispute["status"]
    return _updated(change, dispute, {"status": before}, before.replace("needs_response", "under_review"))


def win(account: Account, change: Change, dispute_id: str) -> Stored:
    """The money comes back."""
    dispute = account.get("dispute", dispute_id)
    _require(dispute, *OPEN)
    dispute["status"] = "won"
    _move(account, change, dispute, dispute["amount"], "dispute_reversal", 0)
    change.save(dispute)
    change.emit("charge.dispute.funds_reinstated", dispute)
    change.emit("charge.dispute.closed", dispute)
    return dispute


def lose(account: Account, change: Change, dispute_id: str) -> Stored:
    dispute = account.get("dispute", dispute_id)
    _require(dispute, *OPEN)
    dispute["status"] = "lost"
    change.save(dispute)
    change.emit("charge.dispute.closed", dispute)
    return dispute


def appeal(account: Account, change: Change, dispute_id: str) -> Stored:
    """A status that came late to Stripe's list, and that an application may not know."""
    dispute = account.get("dispute", dispute_id)
    _require(dispute, "lost")
    return _updated(change, dispute, {"status": "lost"}, "appeal_under_review")


def close_inquiry(account: Account, change: Change, dispute_id: str) -> Stored:
    """The bank's question is answered, or was forgotten."""
    dispute = account.get("dispute", dispute_id)
    _require(dispute, *INQUIRY)
    dispute["status"] = "warning_closed"
    change.save(dispute)
    change.emit("charge.dispute.closed", dispute)
    return dispute


def escalate(account: Account, change: Change, dispute_id: str) -> Stored:
    """The bank was not satisfied by the answer: the inquiry becomes a dispute, and the money goes."""
    dispute = account.get("dispute", dispute_id)
    _require(dispute, *INQUIRY)
    before = {"status": dispute["status"]}
    _withdraw(account, change, dispute)
    _updated(change, dispute, before, "needs_response")
    change.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def _withdraw(account: Account, change: Change, dispute: Stored) -> None:
    dispute["is_charge_refundable"] = False
    _move(account, change, dispute, -dispute["amount"], "dispute", FEE_CENTS)


def _move(account: Account, change: Change, dispute: Stored, amount: int, category: str, fee: int) -> None:
    what = "withdrawal" if amount < 0 else "reversal"
    movement = record_movement(
        account,
        change,
        dispute,
        amount,
        kind="adjustment",
        category=category,
        fee=fee,
        description=f"Chargeback {what} for {dispute['charge']}",
    )
    dispute["balance_transactions"].append(movement)


def _updated(change: Change, dispute: Stored, before: dict[str, Any], status: str | None = None) -> Stored:
    dispute["status"] = status or dispute["status"]
    changed = {name: value for name, value in before.items() if dispute[name] != value}
    if changed:
        change.save(dispute)
        change.emit("charge.dispute.updated", dispute, changed)
    return dispute


def _require(dispute: Stored, *statuses: str) -> None:
    if dispute["status"] not in statuses:
        raise ApiError(400, f"This cannot be done to dispute {dispute['id']}: its status is {dispute['status']}.")
