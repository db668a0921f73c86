"""Complete benefits: worth, windows and limits; each use of one; single-use codes; answers that know of limits."""

import sqlalchemy as sa
from alembic import op

from migrations.redemption_guard import guard_redemptions, release_redemptions

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

BENEFIT_COLUMNS = (
    ("partner_id", sa.Integer()), ("value_cents", sa.Integer()), ("cost_cents", sa.Integer()),
    ("discount_percent", sa.Integer()), ("discount_cents", sa.Integer()), ("available_from", sa.Date()),
    ("available_until", sa.Date()), ("limit_count", sa.Integer()), ("limit_period", sa.String()),
    ("closed_at", sa.DateTime(timezone=True)),
)  # fmt: skip
BENEFIT_FACTS = (
    ("description", sa.String(), ""), ("kind", sa.String(), "campus"), ("currency", sa.String(), "EUR"),
    ("offline_ok", sa.Boolean(), sa.false()), ("by_code", sa.Boolean(), sa.false()),
)  # fmt: skip
BENEFIT_CHECKS = {
    "kind_known": "kind IN ('campus', 'partner')",
    "value_positive": "value_cents > 0",
    "cost_positive": "cost_cents > 0",
    "percent_sane": "discount_percent BETWEEN 1 AND 100",
    "discount_positive": "discount_cents > 0",
    "one_discount": "discount_percent IS NULL OR discount_cents IS NULL",
    "window_in_order": "available_until >= available_from",
    "limit_sane": "limit_count BETWEEN 1 AND 1000",
    "period_known": "limit_period IN ('day', 'month', 'term')",
    "limit_whole": "(limit_count IS NULL) = (limit_period IS NULL)",
}
REDEMPTION_CHECKS = {
    "state_known": "state IN ('reserved', 'confirmed', 'cancelled', 'expired')",
    "limit_whole": "(limit_count IS NULL) = (period_key IS NULL)",
    "within_limit": "n IS NULL OR (limit_count IS NOT NULL AND n BETWEEN 1 AND limit_count)",
    "has_a_place_while_it_counts": (
        "(n IS NOT NULL) = (limit_count IS NOT NULL AND state IN ('reserved', 'confirmed') AND NOT over_limit)"
    ),
    "reserved_until_when": "state <> 'reserved' OR reserved_until IS NOT NULL",
    "confirmed_when": (
        "CASE state WHEN 'confirmed' THEN confirmed_at IS NOT NULL "
        "WHEN 'cancelled' THEN true ELSE confirmed_at IS NULL END"
    ),
    "cancelled_when": "(state = 'cancelled') = (cancelled_at IS NOT NULL)",
    "worth_sane": "value_cents >= 0 AND cost_cents >= 0",
}
IS_RESERVED = sa.text("state = 'reserved'")
COUNTS = sa.text("state IN ('reserved', 'confirmed')")
FLAGS = "why IN ('differs', 'device_expired', 'device_revoked', 'future', 'late_undo', 'two_desks')"
MORE_FLAGS = "why IN ('differs', 'device_expired', 'device_revoked', 'future', 'late_undo', 'over_limit', 'two_desks')"


def upgrade() -> None:
    with op.batch_alter_table("benefit") as table:
        for name, kind in BENEFIT_COLUMNS:
            table.add_column(sa.Column(name, kind, nullable=True))
        for name, kind, default in BENEFIT_FACTS:
            table.add_column(sa.Column(name, kind, nullable=False, server_default=default))
        table.create_foreign_key(op.f("fk_benefit_partner_id"), "service", ["partner_id"], ["id"])
        for name, says in BENEFIT_CHECKS.items():
            table.create_check_constraint(op.f(f"ck_benefit_{name}"), says)
    op.create_table(
        "benefit_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("benefit_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("last_four", sa.String(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("expires_at > drawn_at", name=op.f("ck_benefit_code_lives_a_while")),
        sa.ForeignKeyConstraint(["benefit_id"], ["benefit.id"], name=op.f("fk_benefit_code_benefit_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_benefit_code_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_benefit_code")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_benefit_code_code_hash")),
    )
    op.create_index("ix_benefit_code_person_id_benefit_id", "benefit_code", ["person_id", "benefit_id"])
    op.create_table(
        "redemption",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("benefit_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=True),
        sa.Column("verification_id", sa.String(), nullable=True),
        sa.Column("code_id", sa.Integer(), nullable=True),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("period_key", sa.String(), nullable=True),
        sa.Column("limit_count", sa.Integer(), nullable=True),
        sa.Column("n", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reserved_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("value_cents", sa.Integer(), nullable=True),
        sa.Column("cost_cents", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("is_offline", sa.Boolean(), nullable=False),
        sa.Column("over_limit", sa.Boolean(), nullable=False),
        *(sa.CheckConstraint(says, name=op.f(f"ck_redemption_{name}")) for name, says in REDEMPTION_CHECKS.items()),
        sa.ForeignKeyConstraint(["benefit_id"], ["benefit.id"], name=op.f("fk_redemption_benefit_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_redemption_person_id")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_redemption_service_id")),
        sa.ForeignKeyConstraint(["code_id"], ["benefit_code.id"], name=op.f("fk_redemption_code_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redemption")),
        sa.UniqueConstraint(
            "benefit_id", "person_id", "period_key", "n", name=op.f("uq_redemption_benefit_id_person_id_period_key_n")
        ),
        sa.UniqueConstraint("verification_id", name=op.f("uq_redemption_verification_id")),
    )
    for owner in ("person_id", "service_id", "benefit_id"):
        op.create_index(f"ix_redemption_{owner}_created_at", "redemption", [owner, "created_at"])
    op.create_index(
        "ix_redemption_reserved_until", "redemption", ["reserved_until"],
        postgresql_where=IS_RESERVED, sqlite_where=IS_RESERVED,
    )  # fmt: skip
    op.create_index(
        "uq_redemption_code_id", "redemption", ["code_id"], unique=True, postgresql_where=COUNTS, sqlite_where=COUNTS
    )
    guard_redemptions()
    op.add_column("verification", sa.Column("limit_remaining", sa.Integer(), nullable=True))
    _let_flags_be(MORE_FLAGS)


def downgrade() -> None:
    """Refused where a scan is flagged over_limit: no flag is dropped to fit."""
    _let_flags_be(FLAGS)
    with op.batch_alter_table("verification") as table:
        table.drop_column("limit_remaining")
    release_redemptions()
    op.drop_table("redemption")
    op.drop_table("benefit_code")
    with op.batch_alter_table("benefit") as table:
        for name in BENEFIT_CHECKS:
            table.drop_constraint(op.f(f"ck_benefit_{name}"), type_="check")
        table.drop_constraint(op.f("fk_benefit_partner_id"), type_="foreignkey")
        for name, *_rest in (*reversed(BENEFIT_FACTS), *reversed(BENEFIT_COLUMNS)):
            table.drop_column(name)


def _let_flags_be(says: str) -> None:
    with op.batch_alter_table("verification_flag") as table:
        table.drop_constraint(op.f("ck_verification_flag_why_known"), type_="check")
        table.create_check_constraint(op.f("ck_verification_flag_why_known"), says)
