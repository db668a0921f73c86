"""Create tiers and benefits."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tier",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("fixed_start", sa.String(), nullable=True),
        sa.Column("bonus_days", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("bonus_days = 0 OR fixed_start IS NOT NULL", name=op.f("ck_tier_bonus_needs_fixed_year")),
        sa.CheckConstraint("bonus_days BETWEEN 0 AND 366", name=op.f("ck_tier_bonus_days_sane")),
        sa.CheckConstraint("fixed_start IS NULL OR months = 12", name=op.f("ck_tier_fixed_year_is_a_year")),
        sa.CheckConstraint("grace_days BETWEEN 0 AND 366", name=op.f("ck_tier_grace_days_sane")),
        sa.CheckConstraint("id BETWEEN 1 AND 255", name=op.f("ck_tier_id_fits_card")),
        sa.CheckConstraint("months BETWEEN 1 AND 120", name=op.f("ck_tier_months_sane")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tier")),
        sa.UniqueConstraint("code", name=op.f("uq_tier_code")),
    )
    op.create_table(
        "tier_price",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tier_id", sa.Integer(), nullable=False),
        sa.Column("fee_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.CheckConstraint("fee_cents > 0", name=op.f("ck_tier_price_fee_positive")),
        sa.ForeignKeyConstraint(["tier_id"], ["tier.id"], name=op.f("fk_tier_price_tier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tier_price")),
        sa.UniqueConstraint("tier_id", "from_on", name=op.f("uq_tier_price_tier_id_from_on")),
    )
    op.create_table(
        "benefit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("in_grace", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_benefit")),
        sa.UniqueConstraint("code", name=op.f("uq_benefit_code")),
    )
    op.create_table(
        "benefit_tier",
        sa.Column("benefit_id", sa.Integer(), nullable=False),
        sa.Column("tier_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["benefit_id"], ["benefit.id"], name=op.f("fk_benefit_tier_benefit_id")),
        sa.ForeignKeyConstraint(["tier_id"], ["tier.id"], name=op.f("fk_benefit_tier_tier_id")),
        sa.PrimaryKeyConstraint("benefit_id", "tier_id", name=op.f("pk_benefit_tier")),
    )


def downgrade() -> None:
    op.drop_table("benefit_tier")
    op.drop_table("benefit")
    op.drop_table("tier_price")
    op.drop_table("tier")
