"""Create wifi pages: how many members used the Wi-Fi in a month."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wifi_month",
        sa.Column("month_on", sa.Date(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month_on", name=op.f("pk_wifi_month")),
    )


def downgrade() -> None:
    op.drop_table("wifi_month")
