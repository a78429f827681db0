"""The recount names the first segments of a window by itself, as the contract says."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; nothing else changes."""
    op.create_table(
        "recount_segments",
        sa.Column("topic", sa.Text(), primary_key=True),
        sa.Column("partition", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("window_start", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("site_category", sa.Text(), primary_key=True),
        sa.Column("device_type", sa.Integer(), primary_key=True, autoincrement=False),
        schema="quality",
    )
    op.create_index(
        "recount_segments_window_start_idx",
        "recount_segments",
        ["window_start"],
        schema="quality",
    )
