"""Every table of the warehouse, typed. Views are SQL files in `warehouse/sql`.

Times are `timestamptz`; counts are exact integers.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from sqlalchemy import BigInteger, Computed, DateTime, Index, MetaData, Numeric, Text, func
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
