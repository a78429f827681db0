"""The contract's schemas, tables and views."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from datetime import datetime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL: Final = Path(__file__).parents[2] / "sql"
WINDOWS: Final = (("1min", "1 minute"), ("5min", "5 minutes"))


def upgrade() -> None:
    """Build the warehouse in an empty database."""
    for schema in ("realtime", "quality"):
        op.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
    for window_type, _ in WINDOWS:
        _create_counts(f"counts_{window_type}")
    _create_late_events()
    _create_raw_events()
    _create_ledger()
    _create_accuracy_history()
    _run("0001_ctr.sql")
    for window_type, length in WINDOWS:
        _run("0001_segments.sql", window_type=window_type, length=length)
        _run("0001_metrics.sql", window_type=window_type)
    _run("0001_ledger_current.sql")
    _run("0001_conservation.sql")
    _run("0001_window_accuracy.sql")


def _run(name: str, **values: str) -> None:
    op.execute(sa.text(Template((SQL / name).read_text(encoding="utf-8")).substitute(values)))


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _integer(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _bigint(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _time(name: str, default: sa.FetchedValue | None = None) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=False)


def _now() -> sa.DefaultClause:
    return sa.DefaultClause(sa.text("now()"))


def _bin(length: str) -> sa.Computed:
    """Start of the tumbling window, aligned to the epoch, that holds the event."""
    return sa.Computed(
        f"date_bin('{length}'::interval, event_time, '1970-01-01 00:00:00+00'::timestamp with time zone)",
        persisted=True,
    )


def _create_counts(name: str) -> None:
    op.create_table(
        name,
        _time("window_start"),
        _time("window_end"),
        _text("site_category"),
        _integer("device_type"),
        _bigint("impressions"),
        _bigint("clicks"),
        sa.PrimaryKeyConstraint("window_start", "site_category", "device_type", name=f"{name}_pkey"),
        schema="realtime",
    )


def _create_late_events() -> None:
    op.create_table(
        "late_events",
        _text("topic"),
        _integer("partition"),
        _bigint("offset"),
        _time("event_time"),
        _text("site_category"),
        _integer("device_type"),
        _integer("click"),
        _time("window_start_1min", _bin("00:01:00")),
        _time("window_start_5min", _bin("00:05:00")),
        _time("merged_at", _now()),
        sa.PrimaryKeyConstraint("topic", "partition", "offset", name="late_events_pkey"),
        schema="realtime",
    )
    for window_type, _ in WINDOWS:
        column = f"window_start_{window_type}"
        op.create_index(f"late_events_{column}_idx", "late_events", [column], schema="realtime")


def _create_raw_events() -> None:
    op.create_table(
        "raw_events",
        _text("id"),
        _integer("click"),
        _integer("hour"),
        _integer("c1"),
        _integer("banner_pos"),
        _text("site_id"),
        _text("site_category"),
        _integer("device_type"),
        _text("device_ip"),
        _time("event_time"),
        _time("created_at", _now()),
        sa.PrimaryKeyConstraint("id", name="raw_events_pkey"),
        schema="realtime",
    )
    op.create_index("raw_events_event_time_idx", "raw_events", ["event_time"], schema="realtime")


def _create_ledger() -> None:
    op.create_table(
        "ledger",
        _text("topic"),
        _integer("partition"),
        _bigint("first_offset"),
        _bigint("last_offset"),
        _bigint("checkpoint_id"),
        _bigint("records_read"),
        _bigint("counted"),
        _bigint("late"),
        _bigint("malformed"),
        _bigint("unknown_schema"),
        _bigint("invalid"),
        _text("job_id"),
        _time("run_started_at"),
        _time("written_at", _now()),
        sa.PrimaryKeyConstraint("topic", "partition", "first_offset", "run_started_at", name="ledger_pkey"),
        schema="quality",
    )
    op.create_index("ledger_written_at_idx", "ledger", ["written_at"], schema="quality")


def _create_accuracy_history() -> None:
    op.create_table(
        "window_accuracy_history",
        _text("window_type"),
        _time("window_start"),
        _time("checked_at", _now()),
        _bigint("expected_impressions"),
        _bigint("actual_impressions"),
        _bigint("expected_clicks"),
        _bigint("actual_clicks"),
        _bigint("late"),
        sa.Column("accuracy", sa.Numeric(5, 2), nullable=False),
        sa.PrimaryKeyConstraint(
            "window_type", "window_start", "checked_at", name="window_accuracy_history_pkey"
        ),
        schema="quality",
    )
    op.create_index(
        "window_accuracy_history_checked_at_idx",
        "window_accuracy_history",
        ["checked_at"],
        schema="quality",
    )
