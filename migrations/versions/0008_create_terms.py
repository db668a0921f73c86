"""Create terms."""

import sqlalchemy as sa
from alembic import op

from migrations.no_overlap import refuse_overlap

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    # Days are text on SQLite, so the day before is a function there.
    day_before = "date(starts_on, '-1 day')" if sqlite else "starts_on - 1"
    op.create_table(
        "term",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("tier_id", sa.Integer(), nullable=False),
        sa.Column("anchor_on", sa.Date(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("sold_ends_on", sa.Date(), nullable=False),
        sa.Column("grace_ends_on", sa.Date(), nullable=False),
        sa.Column("payment_id", sa.Integer(), nullable=True),
        sa.Column("granted_by", sa.String(), nullable=True),
        sa.Column("granted_because", sa.String(), nullable=True),
        sa.Column("ended_because", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(payment_id IS NULL) <> (granted_by IS NULL)", name=op.f("ck_term_paid_or_granted")),
        sa.CheckConstraint("anchor_on <= starts_on", name=op.f("ck_term_anchored_before")),
        sa.CheckConstraint(f"ends_on >= {day_before}", name=op.f("ck_term_ends_after_start")),
        sa.CheckConstraint("grace_ends_on >= ends_on", name=op.f("ck_term_grace_after_end")),
        sa.CheckConstraint("sold_ends_on >= ends_on", name=op.f("ck_term_never_longer_than_sold")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_term_payment_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_term_person_id")),
        sa.ForeignKeyConstraint(["tier_id"], ["tier.id"], name=op.f("fk_term_tier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_term")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_term_payment_id")),
    )
    with op.batch_alter_table("term", schema=None) as batch_op:
        batch_op.create_index("ix_term_person_id_starts_on", ["person_id", "starts_on"], unique=False)
    op.create_table(
        "suspension",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(term_id IS NULL) <> (person_id IS NULL)", name=op.f("ck_suspension_term_or_person")),
        sa.CheckConstraint("until_at IS NULL OR until_at >= from_at", name=op.f("ck_suspension_ends_after_start")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_suspension_person_id")),
        sa.ForeignKeyConstraint(["term_id"], ["term.id"], name=op.f("fk_suspension_term_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suspension")),
    )
    with op.batch_alter_table("suspension", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_suspension_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_suspension_term_id"), ["term_id"], unique=False)

    if sqlite:
        refuse_overlap()
    else:
        # int8range makes person_id a range, so no extension is needed; an emptied term is an empty range.
        op.execute(
            "ALTER TABLE term ADD CONSTRAINT ex_term_overlap EXCLUDE USING gist "
            "(int8range(person_id, person_id, '[]') WITH &&, daterange(starts_on, ends_on + 1) WITH &&)"
        )


def downgrade() -> None:
    op.drop_table("suspension")
    op.drop_table("term")
