"""Every table of the warehouse, typed. Views are SQL files in `warehouse/sql`.

Times are `timestamptz`; counts are exact integers.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from sqlalchemy import (
    BigInteger,
    Computed,
    DateTime,
    Double,
    Identity,
    Index,
    MetaData,
    Numeric,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

REALTIME: Final = "realtime"
"""Schema of what the job counts."""

QUALITY: Final = "quality"
"""Schema of what proves the counts."""


class Base(DeclarativeBase):
    """Names constraints by rule, so that a migration can name them too."""

    metadata = MetaData(
        naming_convention={"pk": "%(table_name)s_pkey", "ix": "%(table_name)s_%(column_0_N_name)s_idx"}
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        datetime: DateTime(timezone=True),
        Decimal: Numeric(5, 2),
        float: Double(),
    }


def _window_start(length: str) -> Computed:
    """Start of the tumbling window, aligned to the epoch, that holds the event; as Postgres spells it."""
    return Computed(
        f"date_bin('{length}'::interval, event_time, '1970-01-01 00:00:00+00'::timestamp with time zone)",
        persisted=True,
    )


class _Counts:
    """Counts of one segment in one window, as absolute numbers: writing them again changes nothing.

    The key's index, read backwards, is also the read side's order: newest windows first.
    """

    window_start: Mapped[datetime] = mapped_column(primary_key=True)
    window_end: Mapped[datetime]
    site_category: Mapped[str] = mapped_column(primary_key=True)
    device_type: Mapped[int] = mapped_column(primary_key=True)
    impressions: Mapped[int] = mapped_column(BigInteger)
    clicks: Mapped[int] = mapped_column(BigInteger)


class Counts1Min(_Counts, Base):
    """Windows of one minute, written by the job alone."""

    __tablename__ = "counts_1min"
    __table_args__ = ({"schema": REALTIME},)


class Counts5Min(_Counts, Base):
    """Windows of five minutes, written by the job alone."""

    __tablename__ = "counts_5min"
    __table_args__ = ({"schema": REALTIME},)


class LateEvent(Base):
    """A late event that was merged afterwards, identified by its place in the topic."""

    __tablename__ = "late_events"
    __table_args__ = (
        Index(None, "window_start_1min"),
        Index(None, "window_start_5min"),
        {"schema": REALTIME},
    )

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_time: Mapped[datetime]
    site_category: Mapped[str]
    device_type: Mapped[int]
    click: Mapped[int]
    window_start_1min: Mapped[datetime] = mapped_column(_window_start("00:01:00"))
    window_start_5min: Mapped[datetime] = mapped_column(_window_start("00:05:00"))
    merged_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RawEvent(Base):
    """A valid event kept for inspection, never for counting; the first one of an id stays."""

    __tablename__ = "raw_events"
    __table_args__ = (Index(None, "event_time"), {"schema": REALTIME})

    id: Mapped[str] = mapped_column(primary_key=True)
    click: Mapped[int]
    hour: Mapped[int]
    c1: Mapped[int]
    banner_pos: Mapped[int]
    site_id: Mapped[str]
    site_category: Mapped[str]
    device_type: Mapped[int]
    device_ip: Mapped[str]
    event_time: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LedgerRow(Base):
    """What became of the records that one run of the job read from one partition up to a checkpoint.

    A run is a submission of the job. One that starts from an older checkpoint reads offsets again: the
    view `quality.ledger_current` leaves out the rows that this supersedes.
    """

    __tablename__ = "ledger"
    __table_args__ = (Index(None, "written_at"), {"schema": QUALITY})

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    last_offset: Mapped[int] = mapped_column(BigInteger)
    checkpoint_id: Mapped[int] = mapped_column(BigInteger)
    records_read: Mapped[int] = mapped_column(BigInteger)
    counted: Mapped[int] = mapped_column(BigInteger)
    late: Mapped[int] = mapped_column(BigInteger)
    malformed: Mapped[int] = mapped_column(BigInteger)
    unknown_schema: Mapped[int] = mapped_column(BigInteger)
    invalid: Mapped[int] = mapped_column(BigInteger)
    job_id: Mapped[str]
    run_started_at: Mapped[datetime] = mapped_column(primary_key=True)
    """Start of the submission: it identifies the run."""
    written_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """With its present checkpoint; a trigger sees to it when another one takes the row's place."""


class WindowVerification(Base):
    """One verification of one window against an independent recount.

    The view `quality.window_accuracy` shows the latest of each window.
    """

    __tablename__ = "window_accuracy_history"
    __table_args__ = (Index(None, "checked_at"), {"schema": QUALITY})

    window_type: Mapped[str] = mapped_column(primary_key=True)
    window_start: Mapped[datetime] = mapped_column(primary_key=True)
    checked_at: Mapped[datetime] = mapped_column(primary_key=True, server_default=func.now())
    expected_impressions: Mapped[int] = mapped_column(BigInteger)
    actual_impressions: Mapped[int] = mapped_column(BigInteger)
    expected_clicks: Mapped[int] = mapped_column(BigInteger)
    actual_clicks: Mapped[int] = mapped_column(BigInteger)
    late: Mapped[int] = mapped_column(BigInteger)
    accuracy: Mapped[Decimal]
    """Percent, truncated to 2 decimals."""


class RecountProgress(Base):
    """How far the recount has read a partition, and what it found there: state of the next pass."""

    __tablename__ = "recount_progress"
    __table_args__ = ({"schema": QUALITY},)

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_offset: Mapped[int] = mapped_column(BigInteger)
    """The first that was there to read."""
    next_offset: Mapped[int] = mapped_column(BigInteger)
    highest_event_time_ms: Mapped[int | None] = mapped_column(BigInteger)
    """Of a valid record below `next_offset`."""
    last_valid_at: Mapped[datetime | None]
    """The broker's time of the last valid record."""
    provable_from: Mapped[datetime | None]
    """Events of windows that start before this may lie below `first_offset`; None: there were none below."""
    records_read: Mapped[int] = mapped_column(BigInteger)
    counted: Mapped[int] = mapped_column(BigInteger)
    late: Mapped[int] = mapped_column(BigInteger)
    malformed: Mapped[int] = mapped_column(BigInteger)
    unknown_schema: Mapped[int] = mapped_column(BigInteger)
    invalid: Mapped[int] = mapped_column(BigInteger)


class RecountCounts(Base):
    """The recount's own windows of one minute, by segment: what the job's must equal."""

    __tablename__ = "recount_counts"
    __table_args__ = ({"schema": QUALITY},)

    window_start: Mapped[datetime] = mapped_column(primary_key=True)
    site_category: Mapped[str] = mapped_column(primary_key=True)
    device_type: Mapped[int] = mapped_column(primary_key=True)
    impressions: Mapped[int] = mapped_column(BigInteger)
    clicks: Mapped[int] = mapped_column(BigInteger)


class RecountLate(Base):
    """A record that the recount found late, by partition content or, after idleness, by its letter."""

    __tablename__ = "recount_late"
    __table_args__ = (Index(None, "window_start"), {"schema": QUALITY})

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    window_start: Mapped[datetime]
    """Of its minute."""
    site_category: Mapped[str]
    device_type: Mapped[int]
    click: Mapped[int]
    after_idleness: Mapped[bool]


class RecountPending(Base):
    """A minute whose recount has changed since it was verified."""

    __tablename__ = "recount_pending"
    __table_args__ = ({"schema": QUALITY},)

    window_start: Mapped[datetime] = mapped_column(primary_key=True)


class DeadLetterReplay(Base):
    """A dead record that was put into the raw topic again, built from the replay ledger in Kafka."""

    __tablename__ = "dead_letter_replays"
    __table_args__ = (Index(None, "replayed_at"), {"schema": QUALITY})

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    reason: Mapped[str]
    repair: Mapped[str | None]
    """Name of the repair function; None: it went back unchanged."""
    replayed_partition: Mapped[int]
    replayed_offset: Mapped[int] = mapped_column(BigInteger)
    run_id: Mapped[str]
    replayed_at: Mapped[datetime]


class WindowRevision(Base):
    """How often late events were merged into a closed window, and which revision readers have been sent."""

    __tablename__ = "window_revisions"
    __table_args__ = ({"schema": REALTIME},)

    window_type: Mapped[str] = mapped_column(primary_key=True)
    window_start: Mapped[datetime] = mapped_column(primary_key=True)
    revision: Mapped[int]
    published_revision: Mapped[int]
    revised_at: Mapped[datetime] = mapped_column(server_default=func.now())


class MergeProgress(Base):
    """Up to where the letters of late events have been merged; letters below are done."""

    __tablename__ = "merge_progress"
    __table_args__ = ({"schema": REALTIME},)

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    next_offset: Mapped[int] = mapped_column(BigInteger)


class Repair(Base):
    """A span of closed windows that was recomputed from the topic; not applied while `applied_at` is NULL."""

    __tablename__ = "repairs"
    __table_args__ = ({"schema": QUALITY},)

    repair_id: Mapped[str] = mapped_column(primary_key=True)
    window_from: Mapped[datetime]
    window_until: Mapped[datetime]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    applied_at: Mapped[datetime | None]
    rows_deleted: Mapped[int | None] = mapped_column(BigInteger)
    rows_inserted: Mapped[int | None] = mapped_column(BigInteger)
    rows_changed: Mapped[int | None] = mapped_column(BigInteger)


class RepairCounts(Base):
    """Staging: windows of one minute as a repair has recomputed them."""

    __tablename__ = "repair_counts"
    __table_args__ = ({"schema": QUALITY},)

    repair_id: Mapped[str] = mapped_column(primary_key=True)
    window_start: Mapped[datetime] = mapped_column(primary_key=True)
    site_category: Mapped[str] = mapped_column(primary_key=True)
    device_type: Mapped[int] = mapped_column(primary_key=True)
    impressions: Mapped[int] = mapped_column(BigInteger)
    clicks: Mapped[int] = mapped_column(BigInteger)


class Alert(Base):
    """A problem from its beginning to its end, and what has been told of it."""

    __tablename__ = "alerts"
    __table_args__ = (
        # Of a key at most one is open.
        Index("alerts_open_key", "source", "key", unique=True, postgresql_where=text("recovered_at IS NULL")),
        {"schema": QUALITY},
    )

    alert_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    source: Mapped[str]
    """Who noticed it."""
    key: Mapped[str]
    title: Mapped[str]
    detail: Mapped[str]
    url: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(server_default=func.now())
    told_at: Mapped[datetime | None]
    """When it was last told; None: not yet."""
    recovered_at: Mapped[datetime | None]
    recovery_told_at: Mapped[datetime | None]


class JobOrder(Base):
    """What a person, or an operation, wants of the streaming job; the newest order holds."""

    __tablename__ = "job_orders"
    __table_args__ = ({"schema": QUALITY},)

    order_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    given_at: Mapped[datetime] = mapped_column(server_default=func.now())
    operation: Mapped[str]
    why: Mapped[str]
    running: Mapped[bool]
    release: Mapped[str]
    """Of the job's code."""
    parallelism: Mapped[int | None]
    """None: as the settings have it."""
    restore_from: Mapped[str | None]
    """Snapshot to begin with."""
    barred_from: Mapped[datetime | None]
    """Snapshots completed after this and before the order are never gone on with, by later orders either."""
    bounds: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Which windows are the job's business; None: all."""


SUPERVISOR: Final = "supervisor"
WATCHDOG: Final = "watchdog"
"""Watchers by name: of the Flink job, and of the supervisor."""


class Heartbeat(Base):
    """When a watcher last looked."""

    __tablename__ = "heartbeats"
    __table_args__ = ({"schema": QUALITY},)

    name: Mapped[str] = mapped_column(primary_key=True)
    beat_at: Mapped[datetime]
    detail: Mapped[str]


class VitalSignsRow(Base):
    """One look at the Flink job: its recent history, for readers who cannot ask Flink."""

    __tablename__ = "vital_signs"
    __table_args__ = ({"schema": QUALITY},)

    observed_at: Mapped[datetime] = mapped_column(primary_key=True)
    job_id: Mapped[str]
    checkpoint_age_s: Mapped[float]
    """Since the newest completed, or since the job's start."""
    checkpoint_duration_ms: Mapped[int | None] = mapped_column(BigInteger)
    checkpoint_bytes: Mapped[int | None] = mapped_column(BigInteger)
    checkpoints_completed: Mapped[int]
    checkpoints_failed: Mapped[int]
    records_waiting: Mapped[int | None] = mapped_column(BigInteger)
    watermark_lag_s: Mapped[float | None]
    busy_percent: Mapped[float | None]
    backpressured_percent: Mapped[float | None]
    heap_percent: Mapped[float | None]
