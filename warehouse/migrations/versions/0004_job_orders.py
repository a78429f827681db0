"""What people want of the streaming job, and the heartbeats of those who watch it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; nothing that exists changes."""
    op.create_table(
        "job_orders",
        sa.Column("order_id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("given_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("running", sa.Boolean(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("parallelism", sa.Integer(), nullable=True),
        sa.Column("restore_from", sa.Text(), nullable=True),
        sa.Column("barred_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bounds", JSONB(), nullable=True),
        schema="quality",
    )
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        schema="quality",
    )
