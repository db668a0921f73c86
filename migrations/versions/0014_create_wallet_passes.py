"""Create wallet passes and the devices that hold them."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wallet_pass",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("card_id", sa.Integer(), nullable=False),
        sa.Column("wallet", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("wallet IN ('apple', 'google')", name=op.f("ck_wallet_pass_wallet_known")),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name=op.f("fk_wallet_pass_card_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_pass")),
        sa.UniqueConstraint("card_id", "wallet", name=op.f("uq_wallet_pass_card_id_wallet")),
    )
    op.create_table(
        "wallet_registration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pass_id", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("push_token", sa.String(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["pass_id"], ["wallet_pass.id"], name=op.f("fk_wallet_registration_pass_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_registration")),
        sa.UniqueConstraint("pass_id", "device", name=op.f("uq_wallet_registration_pass_id_device")),
    )
    op.create_index(op.f("ix_wallet_registration_device"), "wallet_registration", ["device"])


def downgrade() -> None:
    op.drop_table("wallet_registration")
    op.drop_table("wallet_pass")
