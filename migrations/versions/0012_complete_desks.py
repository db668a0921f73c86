"""Complete desks: paired devices, scans made without signal, undo, flags, and what stays after details are erased."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

VERIFICATION_CHECKS = {
    "offline_whole": (
        "(received_at IS NULL) = (desk_reason IS NULL) AND (received_at IS NULL) = (clock_skew_ms IS NULL)"
    ),
    "list_of_offline": "received_at IS NOT NULL OR list_issued_at IS NULL",
    "offline_has_nonce": "received_at IS NULL OR nonce IS NOT NULL",
    "desk_reason_known": (
        "desk_reason IN ('forged', 'unknown_card', 'stale_code', 'expired_card', 'clock_wrong', 'list_too_old', "
        "'revoked', 'not_entitled', 'ok')"
    ),
    "undone_whole": ("(undone_at IS NULL) = (undone_because IS NULL) AND (undone_at IS NULL) = (undone_by IS NULL)"),
    "undone_because_known": "undone_because IN ('mistake', 'wrong_person', 'left')",
    "account_or_device": "account_id IS NULL OR device_id IS NULL",
}
VERIFICATION_COLUMNS = (
    ("device_id", sa.Integer()),
    ("live_window", sa.BigInteger()),
    ("received_at", sa.DateTime(timezone=True)),
    ("desk_reason", sa.String()),
    ("list_issued_at", sa.DateTime(timezone=True)),
    ("clock_skew_ms", sa.BigInteger()),
    ("undone_at", sa.DateTime(timezone=True)),
    ("undone_because", sa.String()),
    ("undone_by", sa.String()),
)
LIVE_CODES = "ix_verification_card_id_live_window"


def upgrade() -> None:
    op.create_table(
        "desk_device",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("link_hash", sa.String(), nullable=False),
        sa.Column("link_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=True),
        sa.Column("paired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("name <> ''", name=op.f("ck_desk_device_named")),
        sa.CheckConstraint(
            "(paired_at IS NULL) = (token_hash IS NULL) AND (paired_at IS NULL) = (expires_at IS NULL)",
            name=op.f("ck_desk_device_paired_whole"),
        ),
        sa.CheckConstraint(
            "paired_at IS NOT NULL OR last_seen_at IS NULL", name=op.f("ck_desk_device_seen_once_paired")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_desk_device_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_device")),
        sa.UniqueConstraint("link_hash", name=op.f("uq_desk_device_link_hash")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_desk_device_token_hash")),
    )
    op.create_index(op.f("ix_desk_device_service_id"), "desk_device", ["service_id"])
    with op.batch_alter_table("verification") as table:
        for name, kind in VERIFICATION_COLUMNS:
            table.add_column(sa.Column(name, kind, nullable=True))
        table.create_foreign_key(op.f("fk_verification_device_id"), "desk_device", ["device_id"], ["id"])
        for name, says in VERIFICATION_CHECKS.items():
            table.create_check_constraint(op.f(f"ck_verification_{name}"), says)
        table.create_index(LIVE_CODES, ["card_id", "live_window"])
    op.create_table(
        "verification_flag",
        sa.Column("verification_id", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.CheckConstraint(
            "why IN ('differs', 'device_expired', 'device_revoked', 'future', 'late_undo', 'two_desks')",
            name=op.f("ck_verification_flag_why_known"),
        ),
        sa.ForeignKeyConstraint(
            ["verification_id"], ["verification.id"], name=op.f("fk_verification_flag_verification_id")
        ),
        sa.PrimaryKeyConstraint("verification_id", "why", name=op.f("pk_verification_flag")),
    )
    op.create_table(
        "scan_total",
        sa.Column("service_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.CheckConstraint("count > 0", name=op.f("ck_scan_total_count_positive")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_scan_total_service_id")),
        sa.PrimaryKeyConstraint("service_id", "checked_on", "reason", name=op.f("pk_scan_total")),
    )
    with op.batch_alter_table("association") as table:
        table.add_column(sa.Column("scan_days", sa.Integer(), nullable=False, server_default="90"))
        table.create_check_constraint(op.f("ck_association_scan_days_sane"), "scan_days BETWEEN 1 AND 366")


def downgrade() -> None:
    with op.batch_alter_table("association") as table:
        table.drop_constraint(op.f("ck_association_scan_days_sane"), type_="check")
        table.drop_column("scan_days")
    op.drop_table("scan_total")
    op.drop_table("verification_flag")
    with op.batch_alter_table("verification") as table:
        table.drop_index(LIVE_CODES)
        for name in VERIFICATION_CHECKS:
            table.drop_constraint(op.f(f"ck_verification_{name}"), type_="check")
        table.drop_constraint(op.f("fk_verification_device_id"), type_="foreignkey")
        for name, _kind in reversed(VERIFICATION_COLUMNS):
            table.drop_column(name)
    op.drop_table("desk_device")
