"""The ledger says which windows the job had closed: the recount verifies those, and no others too early."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SQL: Final = Path(__file__).parents[2] / "sql"


def upgrade() -> None:
    """Add the column, empty in the rows so far; show it in the view, and stamp its changes."""
    op.add_column(
        "ledger", sa.Column("job_watermark", sa.DateTime(timezone=True), nullable=True), schema="quality"
    )
    for name in ("0011_ledger_current.sql", "0011_written_at.sql"):
        op.execute(sa.text((SQL / name).read_text(encoding="utf-8")))
