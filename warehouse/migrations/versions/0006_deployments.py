"""The desired states of the job are called `deployments`."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rename table and columns; rows, keys and their numbering stay."""
    op.rename_table("job_orders", "deployments", schema="quality")
    for old, new in (
        ("order_id", "deployment_id"),
        ("given_at", "recorded_at"),
        ("barred_from", "excluded_from"),
    ):
        op.alter_column("deployments", old, new_column_name=new, schema="quality")
