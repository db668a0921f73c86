"""Complete services: two live keys with labels and last use, a service's own people, answers to be given again."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KEY_CHECKS = {
    "slot_known": "slot IN (1, 2)",
    "live_in_a_slot": "(revoked_at IS NULL) = (slot IS NOT NULL)",
}


def upgrade() -> None:
    with op.batch_alter_table("service_key") as table:
        table.add_column(sa.Column("label", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("slot", sa.Integer(), nullable=True))
        table.add_column(sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    # Until now a service had one key.
    op.execute("UPDATE service_key SET slot = 1 WHERE revoked_at IS NULL")
    with op.batch_alter_table("service_key") as table:
        table.create_unique_constraint(op.f("uq_service_key_service_id_slot"), ["service_id", "slot"])
        for name, says in KEY_CHECKS.items():
            table.create_check_constraint(op.f(f"ck_service_key_{name}"), says)
    op.create_table(
        "service_account",
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_service_account_service_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_service_account_account_id")),
        sa.PrimaryKeyConstraint("service_id", "account_id", name=op.f("pk_service_account")),
    )
    op.create_index(op.f("ix_service_account_account_id"), "service_account", ["account_id"])
    op.create_table(
        "idempotent_answer",
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("question_hash", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_idempotent_answer_service_id")),
        sa.PrimaryKeyConstraint("service_id", "key", name=op.f("pk_idempotent_answer")),
    )
    op.create_index(op.f("ix_idempotent_answer_asked_at"), "idempotent_answer", ["asked_at"])


def downgrade() -> None:
    op.drop_table("idempotent_answer")
    op.drop_table("service_account")
    with op.batch_alter_table("service_key") as table:
        for name in KEY_CHECKS:
            table.drop_constraint(op.f(f"ck_service_key_{name}"), type_="check")
        table.drop_constraint(op.f("uq_service_key_service_id_slot"), type_="unique")
        for name in ("last_used_at", "slot", "label"):
            table.drop_column(name)
