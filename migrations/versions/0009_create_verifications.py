"""Create verifications."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "verification",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("card_id", sa.Integer(), nullable=True),
        sa.Column("benefit_id", sa.Integer(), nullable=True),
        sa.Column("tier_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("valid", sa.Boolean(), nullable=False),
        sa.Column("entitled", sa.Boolean(), nullable=False),
        sa.Column("check_identity", sa.Boolean(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("grace_until", sa.Date(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_verification_account_id")),
        sa.ForeignKeyConstraint(["benefit_id"], ["benefit.id"], name=op.f("fk_verification_benefit_id")),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name=op.f("fk_verification_card_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_verification_person_id")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_verification_service_id")),
        sa.ForeignKeyConstraint(["tier_id"], ["tier.id"], name=op.f("fk_verification_tier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification")),
        sa.UniqueConstraint("service_id", "nonce", name=op.f("uq_verification_service_id_nonce")),
    )
    with op.batch_alter_table("verification", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_verification_checked_at"), ["checked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_verification_person_id"), ["person_id"], unique=False)


def downgrade() -> None:
    op.drop_table("verification")
