"""Which jobs this installation has submitted: snapshots are known by job and checkpoint, no longer by time.

The jobs so far are those that the ledger and the samples name. A deployment that excluded the snapshots of a
time excludes what came after the one that it began with: each has excluded just that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

SQL: Final = Path(__file__).parents[2] / "sql"


def upgrade() -> None:
    """Add the tables, and fill them from what is on record."""
    op.create_table(
        "submitted_jobs",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("deployment_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "submitted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        schema="quality",
    )
    op.create_index("submitted_jobs_job_id_idx", "submitted_jobs", ["job_id"], unique=True, schema="quality")
    op.create_table(
        "installations",
        sa.Column("job_name", sa.Text(), primary_key=True),
        sa.Column("installation_id", sa.Text(), nullable=False),
        schema="quality",
    )
    for column in (
        sa.Column("restore_job_id", sa.Text(), nullable=True),
        sa.Column("restore_checkpoint_id", sa.BigInteger(), nullable=True),
        sa.Column("excludes_since", sa.Boolean(), server_default=sa.false(), nullable=False),
    ):
        op.add_column("deployments", column, schema="quality")
    for name in ("0014_submitted_jobs.sql", "0014_deployments.sql"):
        op.execute(sa.text((SQL / name).read_text(encoding="utf-8")))
    op.drop_column("deployments", "excluded_from", schema="quality")
