"""What the recount knows and has found."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Identity,
    Index,
    Numeric,
    func,
)
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from warehouse.models.base import QUALITY, Base


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
    """Late records of the window, merged or not."""
    accuracy: Mapped[Decimal]


class InexactWindow(Base):
    """A window whose latest verification is below 100 %: an error until it is exact or acknowledged."""

    __tablename__ = "inexact_windows"
    __table_args__ = ({"schema": QUALITY},)

    window_type: Mapped[str] = mapped_column(primary_key=True)
    window_start: Mapped[datetime] = mapped_column(primary_key=True)
    expected_impressions: Mapped[int] = mapped_column(BigInteger)
    actual_impressions: Mapped[int] = mapped_column(BigInteger)
    expected_clicks: Mapped[int] = mapped_column(BigInteger)
    actual_clicks: Mapped[int] = mapped_column(BigInteger)
    accuracy: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    found_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When it was found first."""
    acknowledged_at: Mapped[datetime | None]
    """When a person accepted these figures; other figures are an error again."""
    why: Mapped[str | None]
    """The reason for that."""


class RecountProgress(Base):
    """How far the recount has read a partition, and what it found there: state of the next pass."""

    __tablename__ = "recount_progress"
    __table_args__ = ({"schema": QUALITY},)

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_offset: Mapped[int] = mapped_column(BigInteger)
    """The first that was there to read."""
    next_offset: Mapped[int] = mapped_column(BigInteger)
    clear_offset: Mapped[int | None] = mapped_column(BigInteger)
    """From `next_offset` to this there was no record, but markers of transactions; NULL: not known."""
    highest_time_ms: Mapped[int | None] = mapped_column(BigInteger)
    """Highest of the lesser of event time and broker's time of a valid record below `next_offset`."""
    last_read_at: Mapped[datetime | None]
    """The broker's time of the last record."""
    last_valid_at: Mapped[datetime | None]
    """The broker's time of the last valid record that was not late."""
    last_timely_ms: Mapped[int | None] = mapped_column(BigInteger)
    """The same of the last record that the job cannot have called late either, ms since the epoch."""
    provable_from: Mapped[datetime | None]
    """Events of windows that start before this may lie below `first_offset`; None: there were none below."""
    records_read: Mapped[int] = mapped_column(BigInteger)
    counted: Mapped[int] = mapped_column(BigInteger)
    late: Mapped[int] = mapped_column(BigInteger)
    malformed: Mapped[int] = mapped_column(BigInteger)
    unknown_schema: Mapped[int] = mapped_column(BigInteger)
    invalid: Mapped[int] = mapped_column(BigInteger)


class AwaitedLetters(Base):
    """Rejected records, of some that the recount read at once, whose dead-letter messages are awaited."""

    __tablename__ = "awaited_letters"
    __table_args__ = ({"schema": QUALITY},)

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """The first of them."""
    last_offset: Mapped[int] = mapped_column(BigInteger)
    """The last of them."""
    offsets: Mapped[Any] = mapped_column(INT8MULTIRANGE)
    """Those whose messages have not been read yet."""
    missing: Mapped[bool]
    """Whether the error topic has been read to its end since: then the messages were not sent."""
    acknowledged_at: Mapped[datetime | None]
    """When a person accepted that they are missing."""
    why: Mapped[str | None]
    """The person's reason."""


class RecountSecond(Base):
    """Valid records of a partition of the same second, kept until all partitions have been read so far."""

    __tablename__ = "recount_seconds"
    __table_args__ = ({"schema": QUALITY},)

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    first_ms: Mapped[int] = mapped_column(BigInteger)
    """The broker's time of the first of them, ms since the epoch."""
    last_ms: Mapped[int] = mapped_column(BigInteger)
    """The same of the last."""
    latest_end_ms: Mapped[int] = mapped_column(BigInteger)
    """The latest end of their windows, but for those that are late by content."""
    highest_before_ms: Mapped[int] = mapped_column(BigInteger)
    """As `highest_time_ms` of `RecountProgress`, before the first."""
    highest_ms: Mapped[int] = mapped_column(BigInteger)
    """The same behind the last."""


class RecountIdlePeriod(Base):
    """From when on windows can have been closed without a partition: what the job calls late may be so."""

    __tablename__ = "recount_idle_periods"
    __table_args__ = ({"schema": QUALITY},)

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """Of the first record after the idle period."""
    written_ms: Mapped[int] = mapped_column(BigInteger)
    """The broker's time of it, ms since the epoch."""
    allowed_ms: Mapped[int] = mapped_column(BigInteger)
    """Windows that end by this can have been closed by then."""


class RecountHour(Base):
    """An hour of the last day, and when a pass has verified it last."""

    __tablename__ = "recount_hours"
    __table_args__ = ({"schema": QUALITY},)

    hour: Mapped[datetime] = mapped_column(primary_key=True)
    """Its start."""
    looked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When the pass was made."""


class RecountPending(Base):
    """A minute whose recount has changed since it was verified."""

    __tablename__ = "recount_pending"
    __table_args__ = ({"schema": QUALITY},)

    window_start: Mapped[datetime] = mapped_column(primary_key=True)


class ReconciliationPass(Base):
    """What a pass of the reconciliation has read and verified."""

    __tablename__ = "reconciliation_passes"
    __table_args__ = ({"schema": QUALITY},)

    pass_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    """Increases with time."""
    topic: Mapped[str]
    """The raw topic."""
    ended_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When its windows were verified."""
    reading_s: Mapped[float]
    """Seconds that it took to read what was new."""
    records_read: Mapped[int] = mapped_column(BigInteger)
    """Records of the raw topic that it has read."""
    dead_letters_read: Mapped[int] = mapped_column(BigInteger)
    """Messages of the error topic that it has read."""
    late_after_idleness: Mapped[int] = mapped_column(BigInteger)
    """Late records that only their dead-letter message tells of."""
    late_not_believed: Mapped[int] = mapped_column(BigInteger)
    """Records that a dead-letter message calls late and that cannot have been: the recount counts them."""
    outcomes: Mapped[dict[str, int]] = mapped_column(JSONB)
    """Records read, by outcome."""
    partitions_behind: Mapped[int]
    """Partitions with records that the job's ledger does not cover yet."""
    closed_until: Mapped[datetime | None]
    """Every window that ends by this was closed, so it was verified if its hour was looked at."""
    verifiable_from: Mapped[datetime | None]
    """Windows that start earlier cannot be verified: the topic no longer holds all their events."""
    windows: Mapped[int]
    """Windows verified."""
    inexact: Mapped[int]
    """Windows, however old, that are below 100 % and that nobody has acknowledged."""
    lowest_accuracy: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    """The least of their accuracies, in percent."""
    impressions: Mapped[int] = mapped_column(BigInteger)
    """Impressions that the recount has found in them."""
    changed_results: Mapped[int]
    """Windows whose result is new, or differs from their last one."""
    changed_hours: Mapped[list[str]] = mapped_column(JSONB)
    """Hours with a window whose result is new, as ISO moments."""
    least_accurate: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """The least accurate windows with their figures."""
    partitions_compared: Mapped[int]
    """Partitions whose ledger and recount reach equally far."""
    unbalanced: Mapped[list[dict[str, int]]] = mapped_column(JSONB)
    """Recount minus ledger, of the partitions where they differ."""
    gaps: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """Offsets that were deleted unread, of which nobody has acknowledged that."""
