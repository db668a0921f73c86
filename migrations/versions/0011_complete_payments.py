"""Complete payments: upgrades, gifts, auto-renewal, disputes, donations, and the treasurer's decisions."""

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

from migrations.append_only import protect, release

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


ACCOUNTS = "'provider', 'bank', 'cash', 'fees', 'unallocated', 'provider_fees'"
MORE_ACCOUNTS = "'provider', 'bank', 'cash', 'fees', 'donations', 'unallocated', 'provider_fees', 'disputes'"
# What a check says before and after: table, name -> both texts.
CHANGED = {
    ("payment", "kind_known"): (
        "kind IN ('join', 'renew', 'rejoin')",
        "kind IN ('join', 'renew', 'rejoin', 'upgrade', 'gift')",
    ),
    ("ledger_entry", "accounts_known"): (
        f"debit IN ({ACCOUNTS}) AND credit IN ({ACCOUNTS})",
        f"debit IN ({MORE_ACCOUNTS}) AND credit IN ({MORE_ACCOUNTS})",
    ),
    ("ledger_entry", "movement_known"): (
        "movement IN ('fee_received', 'excess_received', 'provider_fee', 'refund_paid', 'refund_reversed')",
        "movement IN ('fee_received', 'excess_received', 'allocated', 'donated', 'provider_fee', "
        "'provider_fee_returned', 'refund_paid', 'refund_reversed', 'dispute_withdrawn', 'dispute_reinstated')",
    ),
    ("discrepancy", "reason_known"): (
        "reason IN ('mismatch', 'days_covered', 'overpaid', 'underpaid', "
        "'unknown_payment', 'refund_failed', 'refunded_in_part')",
        "reason IN ('mismatch', 'days_covered', 'overpaid', 'underpaid', 'unknown_payment', 'late_payment', "
        "'nothing_to_upgrade', 'upgrade_without_fee', 'days_taken', 'refund_failed', 'refunded_in_part', "
        "'inquiry', 'dispute_open')",
    ),
}
RESOLUTION_CHECKS = {
    "resolution_known": "resolution IN ('refunded', 'allocated', 'donated', 'noted')",
    "resolved_whole": "(resolved_at IS NULL) = (resolution IS NULL) AND (resolved_at IS NULL) = (resolved_by IS NULL)",
}
IS_ON = sa.text("off_at IS NULL")
WAS_OPEN = sa.text("method = 'online' AND paid_at IS NULL AND closed_at IS NULL")
OPEN_CHECKOUT = sa.text("method = 'online' AND stripe_invoice_id IS NULL AND paid_at IS NULL AND closed_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "dispute",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("payment_id", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_dispute_amount_positive")),
        sa.CheckConstraint("status IN ('inquiry', 'open', 'won', 'lost')", name=op.f("ck_dispute_status_known")),
        sa.CheckConstraint(
            "(closed_on IS NOT NULL) = (status IN ('won', 'lost'))", name=op.f("ck_dispute_closed_with_outcome")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_dispute_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_dispute_provider_id")),
    )
    op.create_index(op.f("ix_dispute_payment_id"), "dispute", ["payment_id"])
    op.create_table(
        "gift",
        sa.Column("payment_id", sa.Integer(), nullable=False),
        sa.Column("recipient_email", sa.String(), nullable=False),
        sa.Column("recipient_name", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recipient_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(accepted_at IS NULL) = (recipient_id IS NULL)", name=op.f("ck_gift_accepted_by_somebody")),
        sa.CheckConstraint("recipient_email = lower(recipient_email)", name=op.f("ck_gift_email_lower")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_gift_payment_id")),
        sa.ForeignKeyConstraint(["recipient_id"], ["person.id"], name=op.f("fk_gift_recipient_id")),
        sa.PrimaryKeyConstraint("payment_id", name=op.f("pk_gift")),
    )
    op.create_index(op.f("ix_gift_recipient_id"), "gift", ["recipient_id"])
    op.create_table(
        "provider_customer",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("stripe_customer_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_provider_customer_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_provider_customer")),
        sa.UniqueConstraint("stripe_customer_id", name=op.f("uq_provider_customer_stripe_customer_id")),
    )
    op.create_table(
        "auto_renewal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("tier_id", sa.Integer(), nullable=False),
        sa.Column("fee_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("charge_on", sa.Date(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("stripe_checkout_id", sa.String(), nullable=True),
        sa.Column("stripe_payment_method_id", sa.String(), nullable=False),
        sa.Column("stripe_subscription_id", sa.String(), nullable=True),
        sa.Column("on_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("off_because", sa.String(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("announced_for", sa.Date(), nullable=True),
        sa.Column("announced_on", sa.Date(), nullable=True),
        sa.CheckConstraint("(off_at IS NULL) = (off_because IS NULL)", name=op.f("ck_auto_renewal_off_with_cause")),
        sa.CheckConstraint("fee_cents > 0", name=op.f("ck_auto_renewal_fee_positive")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_auto_renewal_person_id")),
        sa.ForeignKeyConstraint(["tier_id"], ["tier.id"], name=op.f("fk_auto_renewal_tier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auto_renewal")),
        sa.UniqueConstraint("stripe_checkout_id", name=op.f("uq_auto_renewal_stripe_checkout_id")),
        sa.UniqueConstraint("stripe_subscription_id", name=op.f("uq_auto_renewal_stripe_subscription_id")),
    )
    op.create_index(op.f("ix_auto_renewal_person_id"), "auto_renewal", ["person_id"])
    op.create_index(
        "uq_auto_renewal_on_person_id", "auto_renewal", ["person_id"], unique=True,
        postgresql_where=IS_ON, sqlite_where=IS_ON,
    )  # fmt: skip
    op.drop_index("uq_payment_open_person_id", "payment")
    with op.batch_alter_table("payment") as table:
        table.add_column(sa.Column("wants_auto_renewal", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("stripe_invoice_id", sa.String(), nullable=True))
        table.create_unique_constraint(op.f("uq_payment_stripe_invoice_id"), ["stripe_invoice_id"])
        table.create_check_constraint(
            op.f("ck_payment_checkout_or_invoice"), "stripe_checkout_id IS NULL OR stripe_invoice_id IS NULL"
        )
        _change_checks("payment", table, 1)
    op.create_index(
        "uq_payment_open_person_id", "payment", ["person_id"], unique=True,
        postgresql_where=OPEN_CHECKOUT, sqlite_where=OPEN_CHECKOUT,
    )  # fmt: skip
    with op.batch_alter_table("refund") as table:
        table.add_column(sa.Column("cause", sa.String(), nullable=False, server_default="refunded"))
        table.create_check_constraint(op.f("ck_refund_cause_known"), "cause IN ('refunded', 'withdrawn')")
    with op.batch_alter_table("discrepancy") as table:
        table.add_column(sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True))
        for name in ("resolved_by", "resolution", "note"):
            table.add_column(sa.Column(name, sa.String(), nullable=True))
        for name, says in RESOLUTION_CHECKS.items():
            table.create_check_constraint(op.f(f"ck_discrepancy_{name}"), says)
        _change_checks("discrepancy", table, 1)
    release("ledger_entry")
    with op.batch_alter_table("ledger_entry") as table:
        _change_checks("ledger_entry", table, 1)
    protect("ledger_entry")
    release("receipt")
    with op.batch_alter_table("receipt") as table:
        table.add_column(sa.Column("dispute_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("vat_code", sa.String(), nullable=False, server_default="exempt"))
        table.create_unique_constraint(op.f("uq_receipt_dispute_id"), ["dispute_id"])
        table.create_foreign_key(op.f("fk_receipt_dispute_id"), "dispute", ["dispute_id"], ["id"])
        table.drop_constraint(op.f("ck_receipt_rectifies_a_refund"), type_="check")
        table.create_check_constraint(
            op.f("ck_receipt_rectifies_something"), "(refund_id IS NULL AND dispute_id IS NULL) = (series = '')"
        )
    protect("receipt")


def downgrade() -> None:
    """Refused by the old checks where rows say what only this version knows: no money is dropped to fit."""
    release("receipt")
    with op.batch_alter_table("receipt") as table:
        table.drop_constraint(op.f("ck_receipt_rectifies_something"), type_="check")
        table.create_check_constraint(op.f("ck_receipt_rectifies_a_refund"), "(refund_id IS NULL) = (series = '')")
        table.drop_constraint(op.f("fk_receipt_dispute_id"), type_="foreignkey")
        table.drop_constraint(op.f("uq_receipt_dispute_id"), type_="unique")
        table.drop_column("vat_code")
        table.drop_column("dispute_id")
    protect("receipt")
    release("ledger_entry")
    with op.batch_alter_table("ledger_entry") as table:
        _change_checks("ledger_entry", table, 0)
    protect("ledger_entry")
    with op.batch_alter_table("discrepancy") as table:
        _change_checks("discrepancy", table, 0)
        for name in RESOLUTION_CHECKS:
            table.drop_constraint(op.f(f"ck_discrepancy_{name}"), type_="check")
        for name in ("note", "resolution", "resolved_by", "resolved_at"):
            table.drop_column(name)
    with op.batch_alter_table("refund") as table:
        table.drop_constraint(op.f("ck_refund_cause_known"), type_="check")
        table.drop_column("cause")
    op.drop_index("uq_payment_open_person_id", "payment")
    with op.batch_alter_table("payment") as table:
        _change_checks("payment", table, 0)
        table.drop_constraint(op.f("ck_payment_checkout_or_invoice"), type_="check")
        table.drop_constraint(op.f("uq_payment_stripe_invoice_id"), type_="unique")
        table.drop_column("stripe_invoice_id")
        table.drop_column("wants_auto_renewal")
    op.create_index(
        "uq_payment_open_person_id", "payment", ["person_id"], unique=True,
        postgresql_where=WAS_OPEN, sqlite_where=WAS_OPEN,
    )  # fmt: skip
    for name in ("auto_renewal", "provider_customer", "gift", "dispute"):
        op.drop_table(name)


def _change_checks(table_name: str, table: BatchOperations, side: int) -> None:
    for (owner, name), says in CHANGED.items():
        if owner == table_name:
            table.drop_constraint(op.f(f"ck_{owner}_{name}"), type_="check")
            table.create_check_constraint(op.f(f"ck_{owner}_{name}"), says[side])
