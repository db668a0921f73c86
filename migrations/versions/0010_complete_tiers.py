"""Complete tiers and terms: conditions, successors, upgrades, reminders; the association's papers."""

import sqlalchemy as sa
from alembic import op

from migrations.no_overlap import allow_overlap, refuse_overlap

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


TIER_CHECKS = {
    "only_closed_has_successor": "successor_id IS NULL OR closed_on IS NOT NULL",
    "succeeded_by_another": "successor_id <> id",
    "condition_known": "condition IN ('graduated_within', 'document')",
    "years_go_with_graduation": "(condition_years IS NOT NULL) = "
    "(condition IS NOT NULL AND condition = 'graduated_within')",
    "vat_code_known": "vat_code IN ('exempt', '0', '4', '10', '21')",
}
ASSOCIATION_CHECKS = {
    "withdrawal_days_sane": "withdrawal_days BETWEEN 0 AND 365",
    "renewal_notice_days_sane": "renewal_notice_days BETWEEN 15 AND 90",
}
PAPERS = ("legal_name", "tax_id", "address", "iban", "bic")
SOLD = sa.text("continues_id IS NULL")


def upgrade() -> None:
    with op.batch_alter_table("association") as table:
        for name in PAPERS:
            table.add_column(sa.Column(name, sa.String(), nullable=True))
        table.add_column(sa.Column("withdrawal_days", sa.Integer(), nullable=False, server_default="14"))
        table.add_column(sa.Column("renewal_notice_days", sa.Integer(), nullable=False, server_default="21"))
        for name, says in ASSOCIATION_CHECKS.items():
            table.create_check_constraint(op.f(f"ck_association_{name}"), says)
    with op.batch_alter_table("tier") as table:
        table.add_column(sa.Column("closed_on", sa.Date(), nullable=True))
        table.add_column(sa.Column("successor_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("condition", sa.String(), nullable=True))
        table.add_column(sa.Column("condition_years", sa.Integer(), nullable=True))
        table.add_column(sa.Column("reminder_days", sa.String(), nullable=False, server_default="-30,-7,0,15"))
        table.add_column(sa.Column("vat_code", sa.String(), nullable=False, server_default="exempt"))
        table.create_foreign_key(op.f("fk_tier_successor_id"), "tier", ["successor_id"], ["id"])
        for name, says in TIER_CHECKS.items():
            table.create_check_constraint(op.f(f"ck_tier_{name}"), says)
    allow_overlap()
    with op.batch_alter_table("term") as table:
        table.add_column(sa.Column("upgrades_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("continues_id", sa.Integer(), nullable=True))
        table.drop_constraint(op.f("uq_term_payment_id"), type_="unique")
        table.create_unique_constraint(op.f("uq_term_continues_id"), ["continues_id"])
        table.create_foreign_key(op.f("fk_term_upgrades_id"), "term", ["upgrades_id"], ["id"])
        table.create_foreign_key(op.f("fk_term_continues_id"), "term", ["continues_id"], ["id"])
    op.create_index("ix_term_payment_id", "term", ["payment_id"])
    op.create_index(
        "uq_term_sold_payment_id", "term", ["payment_id"], unique=True, postgresql_where=SOLD, sqlite_where=SOLD
    )
    refuse_overlap()
    op.create_table(
        "seen_document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("tier_id", sa.Integer(), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False),
        sa.Column("seen_by", sa.String(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_seen_document_person_id")),
        sa.ForeignKeyConstraint(["tier_id"], ["tier.id"], name=op.f("fk_seen_document_tier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seen_document")),
        sa.UniqueConstraint("person_id", "tier_id", name=op.f("uq_seen_document_person_id_tier_id")),
    )
    op.create_table(
        "renewal_choice",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("tier_id", sa.Integer(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_renewal_choice_person_id")),
        sa.ForeignKeyConstraint(["tier_id"], ["tier.id"], name=op.f("fk_renewal_choice_tier_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_renewal_choice")),
    )
    op.create_table(
        "reminder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('sent', 'skipped')", name=op.f("ck_reminder_state_known")),
        sa.ForeignKeyConstraint(["term_id"], ["term.id"], name=op.f("fk_reminder_term_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder")),
        sa.UniqueConstraint("term_id", "kind", name=op.f("uq_reminder_term_id_kind")),
    )
    op.create_table(
        "reminder_stop",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_reminder_stop_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_reminder_stop")),
    )


def downgrade() -> None:
    """Refused by the old unique key where a payment's term was continued: nothing is dropped to fit."""
    op.drop_table("reminder_stop")
    op.drop_table("reminder")
    op.drop_table("renewal_choice")
    op.drop_table("seen_document")
    allow_overlap()
    op.drop_index("uq_term_sold_payment_id", "term")
    op.drop_index("ix_term_payment_id", "term")
    with op.batch_alter_table("term") as table:
        table.drop_constraint(op.f("fk_term_continues_id"), type_="foreignkey")
        table.drop_constraint(op.f("fk_term_upgrades_id"), type_="foreignkey")
        table.drop_constraint(op.f("uq_term_continues_id"), type_="unique")
        table.create_unique_constraint(op.f("uq_term_payment_id"), ["payment_id"])
        table.drop_column("continues_id")
        table.drop_column("upgrades_id")
    refuse_overlap()
    with op.batch_alter_table("tier") as table:
        for name in TIER_CHECKS:
            table.drop_constraint(op.f(f"ck_tier_{name}"), type_="check")
        table.drop_constraint(op.f("fk_tier_successor_id"), type_="foreignkey")
        for name in ("vat_code", "reminder_days", "condition_years", "condition", "successor_id", "closed_on"):
            table.drop_column(name)
    with op.batch_alter_table("association") as table:
        for name in ASSOCIATION_CHECKS:
            table.drop_constraint(op.f(f"ck_association_{name}"), type_="check")
        for name in ("renewal_notice_days", "withdrawal_days", *PAPERS):
            table.drop_column(name)
