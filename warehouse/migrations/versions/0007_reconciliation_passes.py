"""Passes of the reconciliation are on record: a sensor reports them to Dagster."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; nothing else changes."""
    op.create_table(
        "reconciliation_passes",
        sa.Column("pass_id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("reading_s", sa.Double(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("records_read", "dead_letters_read", "late_after_idleness")
        ),
        sa.Column("outcomes", JSONB(), nullable=False),
        sa.Column("partitions_behind", sa.Integer(), nullable=False),
        sa.Column("closed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verifiable_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("windows", sa.Integer(), nullable=False),
        sa.Column("inexact", sa.Integer(), nullable=False),
        sa.Column("lowest_accuracy", sa.Numeric(5, 2), nullable=False),
        sa.Column("impressions", sa.BigInteger(), nullable=False),
        sa.Column("changed_results", sa.Integer(), nullable=False),
        sa.Column("changed_hours", JSONB(), nullable=False),
        sa.Column("least_accurate", JSONB(), nullable=False),
        sa.Column("partitions_compared", sa.Integer(), nullable=False),
        sa.Column("unbalanced", JSONB(), nullable=False),
        schema="quality",
    )
