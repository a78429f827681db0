"""Alerts are claimed by who notifies of them, name what mends them, and can be acknowledged and muted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns, empty in the rows so far, and the table of mutes."""
    for name in ("mend_url", "runbook"):
        op.add_column(
            "alerts", sa.Column(name, sa.Text(), server_default="", nullable=False), schema="quality"
        )
    for name in ("claimed_by", "acknowledged_by", "acknowledged_why"):
        op.add_column("alerts", sa.Column(name, sa.Text(), nullable=True), schema="quality")
    for name in ("claimed_until", "acknowledged_at"):
        op.add_column("alerts", sa.Column(name, sa.DateTime(timezone=True), nullable=True), schema="quality")
    op.create_table(
        "alert_mutes",
        sa.Column("mute_id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("pattern", "matches")),
        sa.Column("muted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("muted_until", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("muted_by", "why")),
        schema="quality",
    )
