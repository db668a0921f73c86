"""Create Wi-Fi: devices, their sessions, refusals; on PostgreSQL the views that FreeRADIUS reads."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# The same decision as app/wifi/entitling.py; a test holds them together. Views read tables with their owner's rights
# but call functions with the reader's, so the rehearsal clock is read here and not through carnet_today().
ENTITLEMENT = """
CREATE VIEW radius.entitlement AS
SELECT c.id, c.person_id, c.username, c.ssha2_256,
    least(28800, greatest(60, floor(extract(epoch FROM
        (day.last + 1)::timestamp AT TIME ZONE clock.zone - clock.now))))::int AS session_timeout
FROM public.wifi_credential c
CROSS JOIN (
    SELECT a.time_zone AS zone, now() + a.clock_offset_seconds * interval '1 second' AS now,
        ((now() + a.clock_offset_seconds * interval '1 second') AT TIME ZONE a.time_zone)::date AS today
    FROM public.association a WHERE a.id = 1
) clock
CROSS JOIN LATERAL (
    SELECT t.id, t.tier_id, t.ends_on, t.grace_ends_on FROM public.term t
    WHERE t.person_id = c.person_id AND t.starts_on <= clock.today AND t.ends_on >= t.starts_on
    ORDER BY t.starts_on DESC LIMIT 1
) t
JOIN public.benefit b ON b.code = 'wifi'
JOIN public.benefit_tier bt ON bt.benefit_id = b.id AND bt.tier_id = t.tier_id
CROSS JOIN LATERAL (
    SELECT least(b.available_until, CASE
        WHEN t.ends_on = clock.today AND EXISTS (
            SELECT FROM public.term n WHERE n.person_id = c.person_id AND n.starts_on = clock.today + 1
            AND n.ends_on >= n.starts_on
        ) THEN clock.today + 1
        WHEN b.in_grace THEN t.grace_ends_on ELSE t.ends_on END) AS last
) day
WHERE c.revoked_at IS NULL AND day.last >= clock.today
    AND (b.available_from IS NULL OR b.available_from <= clock.today)
    AND (b.closed_at IS NULL OR b.closed_at > clock.now)
    AND NOT EXISTS (
        SELECT FROM public.suspension s WHERE s.term_id = t.id
        AND s.from_at <= clock.now AND (s.until_at IS NULL OR s.until_at > clock.now)
    )
    AND NOT EXISTS (
        SELECT FROM public.suspension s WHERE s.person_id = c.person_id
        AND s.from_at <= clock.now AND (s.until_at IS NULL OR s.until_at > clock.now)
    )
"""
ATTRIBUTES = {
    "radcheck": ("SSHA2-256-Password", "'0x' || e.ssha2_256"),
    "radreply": ("Session-Timeout", "e.session_timeout::text"),
}


def upgrade() -> None:
    op.create_table(
        "wifi_credential",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=True),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("ssha2_256", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("slot BETWEEN 1 AND 5", name=op.f("ck_wifi_credential_slot_sane")),
        sa.CheckConstraint(
            "(slot IS NULL) = (revoked_at IS NOT NULL)", name=op.f("ck_wifi_credential_slot_while_live")
        ),
        sa.CheckConstraint("username = lower(username)", name=op.f("ck_wifi_credential_username_lower")),
        sa.CheckConstraint("label <> ''", name=op.f("ck_wifi_credential_labelled")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_wifi_credential_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wifi_credential")),
        sa.UniqueConstraint("person_id", "slot", name=op.f("uq_wifi_credential_person_id_slot")),
        sa.UniqueConstraint("username", name=op.f("uq_wifi_credential_username")),
    )
    op.create_table(
        "wifi_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("acct_unique_id", sa.String(), nullable=False),
        sa.Column("credential_id", sa.Integer(), nullable=False),
        sa.Column("controller", sa.String(), nullable=True),
        sa.Column("session_ref", sa.String(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("octets_sent", sa.BigInteger(), nullable=False),
        sa.Column("octets_received", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(), nullable=True),
        sa.CheckConstraint(
            "stopped_at IS NULL OR (controller IS NULL AND session_ref IS NULL)",
            name=op.f("ck_wifi_session_ended_nowhere"),
        ),
        sa.CheckConstraint(
            "stopped_at IS NULL OR stopped_at >= started_at", name=op.f("ck_wifi_session_ends_after_start")
        ),
        sa.CheckConstraint("octets_sent >= 0 AND octets_received >= 0", name=op.f("ck_wifi_session_octets_counted")),
        sa.ForeignKeyConstraint(["credential_id"], ["wifi_credential.id"], name=op.f("fk_wifi_session_credential_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wifi_session")),
        sa.UniqueConstraint("acct_unique_id", name=op.f("uq_wifi_session_acct_unique_id")),
    )
    op.create_index(op.f("ix_wifi_session_controller"), "wifi_session", ["controller"])
    op.create_index(op.f("ix_wifi_session_credential_id"), "wifi_session", ["credential_id"])
    op.create_table(
        "wifi_refusal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("credential_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["credential_id"], ["wifi_credential.id"], name=op.f("fk_wifi_refusal_credential_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wifi_refusal")),
    )
    op.create_index(op.f("ix_wifi_refusal_at"), "wifi_refusal", ["at"])
    op.create_index(op.f("ix_wifi_refusal_credential_id"), "wifi_refusal", ["credential_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SCHEMA radius")
        op.execute(ENTITLEMENT)
        for view, (attribute, value) in ATTRIBUTES.items():
            op.execute(
                f"CREATE VIEW radius.{view} AS SELECT e.id, e.username, '{attribute}'::varchar AS attribute, "  # noqa: S608
                f"({value})::varchar AS value, ':='::varchar AS op FROM radius.entitlement e"
            )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP SCHEMA radius CASCADE")
    op.drop_table("wifi_refusal")
    op.drop_table("wifi_session")
    op.drop_table("wifi_credential")
