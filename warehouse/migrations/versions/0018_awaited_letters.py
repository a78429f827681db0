"""Which rejected records have no dead-letter message."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; of records that were read before, no message is awaited."""
    op.create_table(
        "awaited_letters",
        sa.Column("topic", sa.Text(), primary_key=True),
        sa.Column("partition", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("first_offset", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("last_offset", sa.BigInteger(), nullable=False),
        sa.Column("offsets", INT8MULTIRANGE(), nullable=False),
        sa.Column("missing", sa.Boolean(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        schema="quality",
    )
