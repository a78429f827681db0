"""Windows that are not exact stay on record until they are, or until a person has acknowledged them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

FIGURES = ("expected_impressions", "actual_impressions", "expected_clicks", "actual_clicks")


def upgrade() -> None:
    """Add the table, with what is inexact by the verifications so far."""
    op.create_table(
        "inexact_windows",
        sa.Column("window_type", sa.Text(), primary_key=True),
        sa.Column("window_start", sa.DateTime(timezone=True), primary_key=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in FIGURES),
        sa.Column("accuracy", sa.Numeric(5, 2), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        schema="quality",
    )
    columns = ", ".join(("window_type", "window_start", *FIGURES, "accuracy"))
    op.execute(
        f"INSERT INTO quality.inexact_windows ({columns}, found_at)"  # noqa: S608 - constants
        f" SELECT {columns}, checked_at FROM quality.window_accuracy WHERE accuracy < 100"
    )
