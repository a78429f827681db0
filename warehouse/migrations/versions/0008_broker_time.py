"""The recount's watermark is bounded by the broker's time, and it knows when the last record was written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Name the bound as what it is now, and add the time; what earlier releases have stored goes on."""
    op.alter_column(
        "recount_progress", "highest_event_time_ms", new_column_name="highest_time_ms", schema="quality"
    )
    op.add_column(
        "recount_progress",
        sa.Column("last_read_at", sa.DateTime(timezone=True), nullable=True),
        schema="quality",
    )
