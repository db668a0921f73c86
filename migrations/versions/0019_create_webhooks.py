"""Create webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

AN_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("events", sa.String(), nullable=False),
        sa.Column("created_at", AN_INSTANT, nullable=False),
        sa.Column("failing_from_at", AN_INSTANT, nullable=True),
        sa.Column("rests_until_at", AN_INSTANT, nullable=True),
        sa.Column("disabled_at", AN_INSTANT, nullable=True),
        sa.Column("disabled_because", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(disabled_at IS NULL) = (disabled_because IS NULL)", name=op.f("ck_webhook_endpoint_disabled_whole")
        ),
        sa.CheckConstraint(
            "disabled_because IN ('failing', 'gone', 'administrator')",
            name=op.f("ck_webhook_endpoint_disabled_because_known"),
        ),
        sa.CheckConstraint(
            "(failing_from_at IS NULL) = (rests_until_at IS NULL)", name=op.f("ck_webhook_endpoint_failing_whole")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_webhook_endpoint_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoint")),
    )
    op.create_index(op.f("ix_webhook_endpoint_service_id"), "webhook_endpoint", ["service_id"])
    op.create_table(
        "webhook_secret",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("endpoint_id", sa.Integer(), nullable=False),
        sa.Column("seed", sa.String(), nullable=False),
        sa.Column("created_at", AN_INSTANT, nullable=False),
        sa.Column("ends_at", AN_INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoint.id"], name=op.f("fk_webhook_secret_endpoint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_secret")),
        sa.UniqueConstraint("seed", name=op.f("uq_webhook_secret_seed")),
    )
    op.create_index(op.f("ix_webhook_secret_endpoint_id"), "webhook_secret", ["endpoint_id"])
    op.create_table(
        "webhook_message",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("created_at", AN_INSTANT, nullable=False),
        sa.CheckConstraint(
            "(person_id IS NULL) = (sequence IS NULL)", name=op.f("ck_webhook_message_numbered_of_a_person")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_webhook_message_person_id")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_webhook_message_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_message")),
        sa.UniqueConstraint(
            "service_id", "person_id", "sequence", name=op.f("uq_webhook_message_service_id_person_id_sequence")
        ),
    )
    op.create_index(op.f("ix_webhook_message_created_at"), "webhook_message", ["created_at"])
    op.create_index(op.f("ix_webhook_message_person_id"), "webhook_message", ["person_id"])
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("endpoint_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("next_at", AN_INSTANT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("delivered_at", AN_INSTANT, nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name=op.f("ck_webhook_delivery_state_known")),
        sa.CheckConstraint(
            "(state = 'waiting') = (next_at IS NOT NULL)", name=op.f("ck_webhook_delivery_waiting_has_a_time")
        ),
        sa.CheckConstraint(
            "(state = 'delivered') = (delivered_at IS NOT NULL)", name=op.f("ck_webhook_delivery_delivered_when")
        ),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoint.id"], name=op.f("fk_webhook_delivery_endpoint_id")),
        sa.ForeignKeyConstraint(["message_id"], ["webhook_message.id"], name=op.f("fk_webhook_delivery_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint("endpoint_id", "message_id", name=op.f("uq_webhook_delivery_endpoint_id_message_id")),
    )
    op.create_index(
        op.f("ix_webhook_delivery_endpoint_id_state_next_at"), "webhook_delivery", ["endpoint_id", "state", "next_at"]
    )
    op.create_index(op.f("ix_webhook_delivery_message_id"), "webhook_delivery", ["message_id"])
    op.create_table(
        "webhook_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("at", AN_INSTANT, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.CheckConstraint("length(answer) <= 200", name=op.f("ck_webhook_attempt_answer_short")),
        sa.ForeignKeyConstraint(["delivery_id"], ["webhook_delivery.id"], name=op.f("fk_webhook_attempt_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_attempt")),
    )
    op.create_index(op.f("ix_webhook_attempt_delivery_id"), "webhook_attempt", ["delivery_id"])
    op.create_table(
        "webhook_standing",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("facts", sa.String(), nullable=False),
        sa.Column("announced_at", AN_INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_webhook_standing_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_webhook_standing")),
    )
    op.create_table(
        "webhook_subject",
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_webhook_subject_person_id")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_webhook_subject_service_id")),
        sa.PrimaryKeyConstraint("service_id", "person_id", name=op.f("pk_webhook_subject")),
    )
    op.create_index(op.f("ix_webhook_subject_person_id"), "webhook_subject", ["person_id"])


def downgrade() -> None:
    for name in ("subject", "standing", "attempt", "delivery", "message", "secret", "endpoint"):
        op.drop_table(f"webhook_{name}")
