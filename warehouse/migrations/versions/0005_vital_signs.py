"""The job's recent vital signs, and an index for readers of the ledger's newest rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; nothing that exists changes."""
    op.create_table(
        "vital_signs",
        sa.Column("observed_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("checkpoint_age_s", sa.Double(), nullable=False),
        sa.Column("checkpoint_duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("checkpoint_bytes", sa.BigInteger(), nullable=True),
        sa.Column("checkpoints_completed", sa.Integer(), nullable=False),
        sa.Column("checkpoints_failed", sa.Integer(), nullable=False),
        sa.Column("records_waiting", sa.BigInteger(), nullable=True),
        *(
            sa.Column(name, sa.Double(), nullable=True)
            for name in ("watermark_lag_s", "busy_percent", "backpressured_percent", "heap_percent")
        ),
        schema="quality",
    )
    op.create_index(
        "ledger_run_checkpoint_idx",
        "ledger",
        ["topic", "partition", "run_started_at", "checkpoint_id"],
        schema="quality",
    )
