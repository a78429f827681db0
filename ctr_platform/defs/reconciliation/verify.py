"""Compare the warehouse's windows with the recount, and keep every result that is new."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select, text

from ctr_platform.defs.reconciliation.inexact import EXACT, note_changed
from warehouse.models.recount import RecountPending
from warehouse.stream_sql import identifiers
from warehouse.streams import tables_of
from warehouse.windows import WINDOW_MINUTES, window_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from sqlalchemy import Connection, TextClause

    from warehouse.windows import WindowType

SQL: Final = Path(__file__).with_name("sql") / "verify.sql"
HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)

TimeRange = tuple[datetime, datetime]
"""Whole hours: first, and the one behind the last."""


@dataclass(frozen=True, kw_only=True)
class VerificationSummary:
    """What a comparison of windows has shown."""

    windows: int = 0
    inexact: int = 0
    """Windows below 100 %."""

    lowest_accuracy: Decimal = EXACT
    impressions: int = 0
    """Expected, of 1 min windows: those of 5 min hold the same once more."""

    changed_results: int = 0
    """Results that are new or differ from the window's last one."""

    def plus(self, other: VerificationSummary) -> VerificationSummary:
        """Both together."""
        return VerificationSummary(
            windows=self.windows + other.windows,
            inexact=self.inexact + other.inexact,
            lowest_accuracy=min(self.lowest_accuracy, other.lowest_accuracy),
            impressions=self.impressions + other.impressions,
            changed_results=self.changed_results + other.changed_results,
        )


def hour_of(moment: datetime) -> datetime:
    """The whole hour that holds a moment."""
    return moment.replace(minute=0, second=0, microsecond=0)


def pending_hours(connection: Connection) -> set[datetime]:
    """Hours with a minute whose recount has changed since it was verified."""
    return {hour_of(start) for start in connection.scalars(select(RecountPending.window_start))}


def forget_pending(connection: Connection, verifiable_from: datetime) -> None:
    """Drop what waits for a verification of windows that cannot be verified."""
    connection.execute(delete(RecountPending).where(RecountPending.window_start < verifiable_from))


def hour_ranges(hours: Iterable[datetime]) -> Iterator[TimeRange]:
    """The hours as the fewest spans, in order."""
    first: datetime | None = None
    last: datetime | None = None
    for hour in sorted(set(hours)):
        if first is None or last is None:
            first = hour
        elif hour != last:
            yield first, last
            first = hour
        last = hour + HOUR
    if first is not None and last is not None:
        yield first, last


def verify(
    connection: Connection,
    time_range: TimeRange,
    closed_until: datetime,
    verifiable_from: datetime | None = None,
) -> VerificationSummary:
    """Compare the closed windows of a span with the recount; the minutes compared are no longer pending."""
    result = VerificationSummary()
    if verifiable_from is not None:
        time_range = max(time_range[0], verifiable_from), time_range[1]
        if time_range[0] >= time_range[1]:
            return result
    values = {"first": time_range[0], "last": time_range[1], "closed_until": closed_until}
    for window_type in WINDOW_MINUTES:
        row = connection.execute(statement_of(connection, SQL, window_type), values).one()
        result = result.plus(
            VerificationSummary(
                windows=row.windows,
                inexact=row.inexact,
                lowest_accuracy=row.lowest_accuracy,
                impressions=int(row.impressions) if window_type == "1min" else 0,
                changed_results=row.changed_results,
            )
        )
    note_changed(connection)
    longest = max(WINDOW_MINUTES.values()) * MINUTE
    connection.execute(
        delete(RecountPending).where(
            RecountPending.window_start >= time_range[0],
            RecountPending.window_start < min(time_range[1], closed_until - longest),
        )
    )
    return result


def statement_of(connection: Connection, template: Path, window_type: WindowType) -> TextClause:
    """A statement on the windows of one type, from its file.

    `${window_type}` in it stands in names of views, and others for the dimensions' columns (see
    `warehouse.stream_sql`); the parameters `:window_type` and `:length` are bound.
    """
    text_ = Template(template.read_text(encoding="utf-8"))
    named = text_.substitute(window_type=window_type, **identifiers(tables_of(connection)))
    return text(named).bindparams(window_type=window_type, length=window_length(window_type))
