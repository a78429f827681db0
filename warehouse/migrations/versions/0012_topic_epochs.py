"""Of which topic the offsets on record are, which are gone unread, and what schema ids mean."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the tables; the topics and schemas that are there are put on record when they are next used."""
    op.create_table(
        "topic_epochs",
        sa.Column("topic", sa.Text(), primary_key=True),
        sa.Column("epoch", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("topic_id", sa.Text(), nullable=False),
        sa.Column("began_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        schema="quality",
    )
    op.add_column("recount_progress", sa.Column("clear_offset", sa.BigInteger()), schema="quality")
    op.add_column(
        "reconciliation_passes",
        sa.Column("gaps", JSONB(), server_default="[]", nullable=False),
        schema="quality",
    )
    op.alter_column("reconciliation_passes", "gaps", server_default=None, schema="quality")
    op.create_table(
        "writer_schemas",
        sa.Column("schema_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("schema_text", sa.Text(), nullable=False),
        sa.Column("referenced", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("seen_at", MOMENT, server_default=sa.func.now(), nullable=False),
        schema="quality",
    )
    op.create_table(
        "offset_gaps",
        sa.Column("topic", sa.Text(), primary_key=True),
        sa.Column("partition", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("reader", sa.Text(), primary_key=True),
        sa.Column("first_offset", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("end_offset", sa.BigInteger(), nullable=False),
        sa.Column("found_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.Column("acknowledged_at", MOMENT, nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        schema="quality",
    )
