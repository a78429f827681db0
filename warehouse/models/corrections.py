"""What was put right afterwards: replays, merges, backfills."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Index,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from warehouse.models.base import QUALITY, REALTIME, Base


class DeadLetterReplay(Base):
    """A dead record that was put into the raw topic again, built from the replay ledger in Kafka."""

    __tablename__ = "dead_letter_replays"
    __table_args__ = (Index(None, "replayed_at"), {"schema": QUALITY})

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    reason: Mapped[str]
    """Why it was dead-lettered."""
    repair: Mapped[str | None]
    """Name of the repair function; None: it went back unchanged."""
    replayed_partition: Mapped[int]
    """Partition of the record that was replayed."""
    replayed_offset: Mapped[int] = mapped_column(BigInteger)
    """Offset of the record that was replayed."""
    run_id: Mapped[str]
    """Dagster run that replayed it."""
    replayed_at: Mapped[datetime]
    """When it was replayed."""


class WindowRevision(Base):
    """How often late events were merged into a closed window, and which revision readers have been sent."""

    __tablename__ = "window_revisions"
    __table_args__ = ({"schema": REALTIME},)

    window_type: Mapped[str] = mapped_column(primary_key=True)
    window_start: Mapped[datetime] = mapped_column(primary_key=True)
    revision: Mapped[int]
    """Number of merges and backfills that changed the window."""
    published_revision: Mapped[int]
    """Newest revision whose document readers have been sent."""
    revised_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When the window was last revised."""


class MergeProgress(Base):
    """How far the dead-letter messages of late events have been merged."""

    __tablename__ = "merge_progress"
    __table_args__ = ({"schema": REALTIME},)

    topic: Mapped[str] = mapped_column(primary_key=True)
    """The error topic."""
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    next_offset: Mapped[int] = mapped_column(BigInteger)
    """The first dead-letter message that has not been merged yet."""


class BackfillRow(Base):
    """Closed windows that were recomputed from the topic; not applied while `applied_at` is NULL."""

    __tablename__ = "repairs"
    __table_args__ = ({"schema": QUALITY},)

    repair_id: Mapped[str] = mapped_column(primary_key=True)
    window_from: Mapped[datetime]
    """Start of the first window."""
    window_until: Mapped[datetime]
    """End of the last window."""
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When the backfill began."""
    applied_at: Mapped[datetime | None]
    """When its windows were replaced; NULL: not, or a dry run."""
    rows_deleted: Mapped[int | None] = mapped_column(BigInteger)
    """Rows of counts that the windows held before."""
    rows_inserted: Mapped[int | None] = mapped_column(BigInteger)
    """Rows of counts that the windows hold since."""
    rows_changed: Mapped[int | None] = mapped_column(BigInteger)
    """Segments whose numbers differed."""
