"""The book of alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it; nothing that exists changes."""
    op.create_table(
        "alerts",
        sa.Column("alert_id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("source", "key", "title", "detail", "url")),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=True)
            for name in ("told_at", "recovered_at", "recovery_told_at")
        ),
        schema="quality",
    )
    op.create_index(
        "alerts_open_key",
        "alerts",
        ["source", "key"],
        unique=True,
        schema="quality",
        postgresql_where=sa.text("recovered_at IS NULL"),
    )
