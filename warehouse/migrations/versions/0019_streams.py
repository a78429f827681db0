"""Which declared stream the tables hold: so far, the one that ships."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from contract.stream.load import SHIPPED, load_stream

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table with its first row; tables and views have the shipped stream's columns."""
    streams = op.create_table(
        "streams",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("declaration", sa.Text(), nullable=False),
        sa.Column("event_schema", sa.Text(), nullable=False),
        sa.Column("counted_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        schema="quality",
    )
    shipped = load_stream(SHIPPED)
    op.bulk_insert(streams, [{"declaration": shipped.text, "event_schema": shipped.event_schema}])
