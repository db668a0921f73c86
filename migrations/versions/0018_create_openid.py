"""Create the OpenID provider's clients, connections, codes and tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "openid_client",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("former_secret_hash", sa.String(), nullable=True),
        sa.Column("former_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("redirect_uris", sa.String(), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("redirect_uris <> '' AND scopes <> ''", name=op.f("ck_openid_client_complete")),
        sa.CheckConstraint(
            "(former_secret_hash IS NULL) = (former_until IS NULL)", name=op.f("ck_openid_client_former_whole")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_openid_client_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_openid_client")),
        sa.UniqueConstraint("client_id", name=op.f("uq_openid_client_client_id")),
        sa.UniqueConstraint("service_id", name=op.f("uq_openid_client_service_id")),
    )
    op.create_table(
        "openid_connection",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("allowed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["openid_client.id"], name=op.f("fk_openid_connection_client_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_openid_connection_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_openid_connection")),
    )
    op.create_index(op.f("ix_openid_connection_person_id"), "openid_connection", ["person_id"])
    op.create_index(
        "uq_openid_connection_live", "openid_connection", ["client_id", "person_id"], unique=True,
        postgresql_where=sa.text("ended_at IS NULL"), sqlite_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip
    op.create_table(
        "openid_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("redirect_uri", sa.String(), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=True),
        sa.Column("code_challenge", sa.String(), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["openid_connection.id"], name=op.f("fk_openid_code_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_openid_code")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_openid_code_code_hash")),
    )
    op.create_index(op.f("ix_openid_code_connection_id"), "openid_code", ["connection_id"])
    op.create_table(
        "openid_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("connection_id", sa.Integer(), nullable=True),
        sa.Column("code_id", sa.Integer(), nullable=True),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(connection_id IS NULL) = (code_id IS NULL)", name=op.f("ck_openid_token_of_a_code_or_alone")
        ),
        sa.ForeignKeyConstraint(["client_id"], ["openid_client.id"], name=op.f("fk_openid_token_client_id")),
        sa.ForeignKeyConstraint(["code_id"], ["openid_code.id"], name=op.f("fk_openid_token_code_id")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["openid_connection.id"], name=op.f("fk_openid_token_connection_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_openid_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_openid_token_token_hash")),
    )
    for column in ("client_id", "connection_id", "code_id"):
        op.create_index(op.f(f"ix_openid_token_{column}"), "openid_token", [column])


def downgrade() -> None:
    for table in ("openid_token", "openid_code", "openid_connection", "openid_client"):
        op.drop_table(table)
