"""What pages read: the job's recent vital signs, views that sum once, and when ledger rows were written."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SQL: Final = Path(__file__).parents[2] / "sql"
WINDOWS: Final = (("1min", "1 minute"), ("5min", "5 minutes"))


def upgrade() -> None:
    """Add them; tables, and what the views show, stay as they are."""
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
    for window_type, length in WINDOWS:
        _run("0005_counted.sql", window_type=window_type)
        _run("0005_segments.sql", window_type=window_type, length=length)
        _run("0005_metrics.sql", window_type=window_type, length=length)
    _run("0005_written_at.sql")


def _run(name: str, **values: str) -> None:
    op.execute(sa.text(Template((SQL / name).read_text(encoding="utf-8")).substitute(values)))
