"""What the recount can believe of records that are called late; which hours it has verified."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None


def _table(name: str, *columns: str) -> None:
    op.create_table(
        name,
        sa.Column("topic", sa.Text(), primary_key=True),
        sa.Column("partition", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("first_offset", sa.BigInteger(), primary_key=True, autoincrement=False),
        *(sa.Column(column, sa.BigInteger(), nullable=False) for column in columns),
        schema="quality",
    )


def upgrade() -> None:
    """Add the tables; of records that were read before, what the job says is believed."""
    _table("recount_seconds", "first_ms", "last_ms", "latest_end_ms", "highest_before_ms", "highest_ms")
    _table("recount_idle_periods", "written_ms", "allowed_ms")
    op.create_table(
        "recount_hours",
        sa.Column("hour", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        schema="quality",
    )
    op.add_column("recount_progress", sa.Column("last_timely_ms", sa.BigInteger()), schema="quality")
    op.add_column(
        "reconciliation_passes",
        sa.Column("late_not_believed", sa.BigInteger(), server_default="0", nullable=False),
        schema="quality",
    )
    op.alter_column("reconciliation_passes", "late_not_believed", server_default=None, schema="quality")
    op.execute(
        "INSERT INTO quality.recount_idle_periods"
        " SELECT topic, partition, first_offset, 0, max(highest_time_ms) OVER (PARTITION BY topic)"
        " FROM quality.recount_progress WHERE highest_time_ms IS NOT NULL"
    )
