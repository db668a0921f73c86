"""Create photos of members for their cards."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

IS_SHOWN = sa.text("approved_at IS NOT NULL AND removed_at IS NULL")
IS_WAITING = sa.text("approved_at IS NULL AND removed_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "photo",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("jpeg", sa.LargeBinary(), nullable=True),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(removed_at IS NULL) = (jpeg IS NOT NULL)", name=op.f("ck_photo_removed_or_there")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_photo_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo")),
    )
    op.create_index(op.f("ix_photo_person_id"), "photo", ["person_id"])
    for name, where in (("shown", IS_SHOWN), ("waiting", IS_WAITING)):
        op.create_index(
            f"uq_photo_{name}_person_id", "photo", ["person_id"], unique=True,
            postgresql_where=where, sqlite_where=where,
        )  # fmt: skip


def downgrade() -> None:
    op.drop_table("photo")
