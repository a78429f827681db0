"""Tables of the recount, of what was replayed and merged, and of repairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from datetime import datetime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; nothing that exists changes."""
    _create_recount()
    _create_replays()
    _create_window_revisions()
    _create_merge_progress()
    _create_repairs()


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _integer(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _bigint(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _time(
    name: str, *, default: sa.FetchedValue | None = None, nullable: bool = False
) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def _now() -> sa.DefaultClause:
    return sa.DefaultClause(sa.text("now()"))


def _create_recount() -> None:
    op.create_table(
        "recount_progress",
        _text("topic"),
        _integer("partition"),
        _bigint("first_offset"),
        _bigint("next_offset"),
        _bigint("highest_event_time_ms", nullable=True),
        _time("last_valid_at", nullable=True),
        _time("provable_from", nullable=True),
        _bigint("records_read"),
        _bigint("counted"),
        _bigint("late"),
        _bigint("malformed"),
        _bigint("unknown_schema"),
        _bigint("invalid"),
        sa.PrimaryKeyConstraint("topic", "partition", name="recount_progress_pkey"),
        schema="quality",
    )
    op.create_table(
        "recount_counts",
        _time("window_start"),
        _text("site_category"),
        _integer("device_type"),
        _bigint("impressions"),
        _bigint("clicks"),
        sa.PrimaryKeyConstraint("window_start", "site_category", "device_type", name="recount_counts_pkey"),
        schema="quality",
    )
    op.create_table(
        "recount_late",
        _text("topic"),
        _integer("partition"),
        _bigint("offset"),
        _time("window_start"),
        _text("site_category"),
        _integer("device_type"),
        _integer("click"),
        _flag("after_idleness"),
        sa.PrimaryKeyConstraint("topic", "partition", "offset", name="recount_late_pkey"),
        schema="quality",
    )
    op.create_index("recount_late_window_start_idx", "recount_late", ["window_start"], schema="quality")

    op.create_table(
        "recount_pending",
        _time("window_start"),
        sa.PrimaryKeyConstraint("window_start", name="recount_pending_pkey"),
        schema="quality",
    )


def _create_replays() -> None:
    op.create_table(
        "dead_letter_replays",
        _text("topic"),
        _integer("partition"),
        _bigint("offset"),
        _text("reason"),
        _text("repair", nullable=True),
        _integer("replayed_partition"),
        _bigint("replayed_offset"),
        _text("run_id"),
        _time("replayed_at"),
        sa.PrimaryKeyConstraint("topic", "partition", "offset", name="dead_letter_replays_pkey"),
        schema="quality",
    )
    op.create_index(
        "dead_letter_replays_replayed_at_idx", "dead_letter_replays", ["replayed_at"], schema="quality"
    )


def _create_window_revisions() -> None:
    op.create_table(
        "window_revisions",
        _text("window_type"),
        _time("window_start"),
        _integer("revision"),
        _integer("published_revision"),
        _time("revised_at", default=_now()),
        sa.PrimaryKeyConstraint("window_type", "window_start", name="window_revisions_pkey"),
        schema="realtime",
    )


def _create_merge_progress() -> None:
    op.create_table(
        "merge_progress",
        _text("topic"),
        _integer("partition"),
        _bigint("next_offset"),
        sa.PrimaryKeyConstraint("topic", "partition", name="merge_progress_pkey"),
        schema="realtime",
    )


def _create_repairs() -> None:
    op.create_table(
        "repairs",
        _text("repair_id"),
        _time("window_from"),
        _time("window_until"),
        _time("started_at", default=_now()),
        _time("applied_at", nullable=True),
        _bigint("rows_deleted", nullable=True),
        _bigint("rows_inserted", nullable=True),
        _bigint("rows_changed", nullable=True),
        sa.PrimaryKeyConstraint("repair_id", name="repairs_pkey"),
        schema="quality",
    )
    op.create_table(
        "repair_counts",
        _text("repair_id"),
        _time("window_start"),
        _text("site_category"),
        _integer("device_type"),
        _bigint("impressions"),
        _bigint("clicks"),
        sa.PrimaryKeyConstraint(
            "repair_id", "window_start", "site_category", "device_type", name="repair_counts_pkey"
        ),
        schema="quality",
    )
