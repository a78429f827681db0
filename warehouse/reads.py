"""The read side of Postgres: final windows and the ledger, typed.

What is read of the windows is bounded by a number of windows, however long the history is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, exists, func, literal, select

from warehouse.ctr import percent
from warehouse.models.accounting import LedgerRow
from warehouse.models.operation import Heartbeat
from warehouse.models.recount import RecountProgress
from warehouse.models.stream import DimensionNameRow
from warehouse.read_connections import MAX_WINDOWS, ReadConnections, require_few_windows
from warehouse.segments import segment_of
from warehouse.streams import counted_stream, tables_of
from warehouse.views import CONSERVATION
from warehouse.windows import EVERYTHING, Window, WindowDetail, epoch_ms, window_length

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Label, Select

    from warehouse.stream_tables import StreamTables
    from warehouse.streams import CountedStream
    from warehouse.windows import Segment, Selection, WindowType

MAX_SEGMENTS: Final = 10_000
"""The most segments of one read, the largest first."""


MAX_NAMES: Final = 50_000
"""The most names of values, over all dimensions: some 10 MB of a reader's memory, five times the segments of
one read."""

MAX_NAME_CHARACTERS: Final = 200
"""A longer name is cut: nobody reads it, and a page would carry it."""


@dataclass(frozen=True, kw_only=True)
class LedgerTotals:
    """What became of the records read from one partition; see the view `quality.conservation`."""

    topic: str
    partition: int
    first_offset: int
    last_offset: int
    records_read: int
    counted: int
    late: int
    malformed: int
    unknown_schema: int
    invalid: int
    dead: int
    """The three before, together."""
    unaccounted: int
    """Read, but neither counted nor late nor dead: 0, by the conservation law."""
    uncovered_offsets: int
    """Between two rows of the ledger: markers of transactions, or records never read."""
    overlapping_offsets: int
    """In two rows of the ledger: 0, else something was counted twice."""


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """How recent the warehouse is; None where there is nothing yet."""

    latest_window_end: datetime | None
    latest_written_at: datetime | None
    """When the job last wrote its ledger, which it does at every checkpoint."""


@dataclass(frozen=True, kw_only=True)
class HeartbeatStatus:
    """The last heartbeat of a watcher."""

    at: datetime
    age_s: float
    """By Postgres' clock, as `at`."""

    detail: str
    """What it saw, in one line."""


@dataclass(frozen=True, kw_only=True)
class RecountPosition:
    """How far the recount has read the raw topic."""

    offsets: int
    """Next offsets, summed over the partitions: it grows with every record that is read."""

    behind: bool
    """Whether the job's ledger has accounted lately for records that were not read yet."""


LEDGER_LATELY: Final = timedelta(hours=1)
"""Older rows need not be searched: a recount that is that far behind is behind newer ones too."""


class Warehouse(ReadConnections):
    """Reads the windows and the ledger."""

    def latest_windows(self, window_type: WindowType, limit: int) -> list[Window]:
        """The newest final windows, newest first: at most `limit`, or `MAX_WINDOWS`."""
        with self._connection() as connection:
            # As constants these reach the index through the view; a subquery would not.
            tables = tables_of(connection)
            starts = _latest_starts(connection, tables, window_type, min(limit, MAX_WINDOWS))
            counted = tables.counted[window_type]
            return _windows(connection, tables, window_type, counted.c.window_start.in_(starts))

    def series(
        self, window_type: WindowType, start: datetime, end: datetime, selection: Selection = EVERYTHING
    ) -> list[Window]:
        """The final windows that start within `[start, end)`, newest first.

        Counted are the chosen segments alone; a window that has none of them is absent.

        Raises:
            ValueError: the span has room for more than `MAX_WINDOWS` windows.
        """
        require_few_windows(window_type, start, end)
        with self._connection() as connection:
            tables = tables_of(connection)
            counted = tables.counted[window_type]
            chosen = [counted.c.window_start >= start, counted.c.window_start < end]
            # A dimension that has been removed since is no choice any more.
            chosen += [
                counted.c[column].in_(values)
                for column, values in selection.by_dimension().items()
                if column in counted.c
            ]
            return _windows(connection, tables, window_type, *chosen)

    def segments(self, window_type: WindowType, start: datetime, end: datetime) -> list[Segment]:
        """Each segment's counts over all windows that start within `[start, end)`, the largest first.

        At most `MAX_SEGMENTS`.

        Raises:
            ValueError: the span has room for more than `MAX_WINDOWS` windows.
        """
        require_few_windows(window_type, start, end)
        with self._connection() as connection:
            return _segments(connection, tables_of(connection), window_type, start, end)

    def window(self, window_type: WindowType, start: datetime) -> WindowDetail | None:
        """One final window with its segments, or None if nothing was counted in it."""
        with self._connection() as connection:
            tables = tables_of(connection)
            view = tables.metrics[window_type]
            row = connection.execute(select(view).where(view.c.window_start == start)).one_or_none()
            if row is None:
                return None
            return WindowDetail(
                window_type=window_type,
                window_start_ms=epoch_ms(row.window_start),
                window_end_ms=epoch_ms(row.window_end),
                impressions=row.total_impressions,
                clicks=row.total_clicks,
                ctr=row.ctr,
                measures={each: getattr(row, each) for each in tables.sums},
                rates={each.name: getattr(row, each.rates_name) for each in tables.columns},
                segments=tuple(
                    _segments(connection, tables, window_type, start, start + window_length(window_type))
                ),
            )

    def stream(self) -> CountedStream:
        """The stream that is counted."""
        with self._connection() as connection:
            return counted_stream(connection)

    def names(self) -> Mapping[str, Mapping[str, str]]:
        """What values of the counted dimensions are called, by the dimension's column and the value as text.

        At most `MAX_NAMES`: each dimension has an even share of them, and what others leave of theirs; beyond
        it the first ones in the order of their values.
        """
        with self._connection() as connection:
            return _names(connection, tables_of(connection).dimensions)

    def ledger_totals(self, topic: str) -> list[LedgerTotals]:
        """The conservation law of a topic, by partition."""
        query = select(CONSERVATION).where(CONSERVATION.c.topic == topic).order_by(CONSERVATION.c.partition)
        with self._connection() as connection:
            return [LedgerTotals(**row) for row in connection.execute(query).mappings()]

    def freshness(self, window_type: WindowType) -> Freshness:
        """The end of the newest final window, and when the job last wrote."""
        with self._connection() as connection:
            starts = _latest_starts(connection, tables_of(connection), window_type, 1)
            return Freshness(
                latest_window_end=starts[0] + window_length(window_type) if starts else None,
                latest_written_at=connection.scalar(select(func.max(LedgerRow.written_at))),
            )

    def recount_position(self, topic: str) -> RecountPosition:
        """How far the recount of a topic is, and whether the ledger is ahead of it."""
        read = exists().where(
            RecountProgress.topic == LedgerRow.topic,
            RecountProgress.partition == LedgerRow.partition,
            RecountProgress.next_offset > LedgerRow.last_offset,
        )
        lately = (LedgerRow.topic == topic, LedgerRow.written_at > func.now() - LEDGER_LATELY)
        offsets = func.coalesce(func.sum(RecountProgress.next_offset), 0).cast(BigInteger)
        with self._connection() as connection:
            return RecountPosition(
                offsets=connection.scalars(select(offsets).where(RecountProgress.topic == topic)).one(),
                behind=connection.scalars(select(exists().where(*lately, ~read))).one(),
            )

    def heartbeats(self) -> dict[str, HeartbeatStatus]:
        """Every watcher's last heartbeat, by name."""
        age_s = func.extract("epoch", func.now() - Heartbeat.beat_at)
        query = select(Heartbeat.name, Heartbeat.beat_at, age_s, Heartbeat.detail).order_by(Heartbeat.name)
        with self._connection() as connection:
            return {
                name: HeartbeatStatus(at=at, age_s=float(age), detail=detail)
                for name, at, age, detail in connection.execute(query)
            }


def _names(connection: Connection, dimensions: Sequence[str]) -> dict[str, dict[str, str]]:
    row = DimensionNameRow
    held = select(row.dimension, func.count()).where(row.dimension.in_(dimensions)).group_by(row.dimension)
    # The smallest first, so that what they leave is known.
    sizes = sorted(connection.execute(held), key=lambda each: each[1])
    found: dict[str, dict[str, str]] = {}
    room = MAX_NAMES
    for left, (dimension, _) in zip(range(len(sizes), 0, -1), sizes, strict=True):
        query = select(row.value, func.left(row.name, MAX_NAME_CHARACTERS)).where(row.dimension == dimension)
        rows = connection.execute(query.order_by(row.value).limit(room // left))
        found[dimension] = dict(rows.all())
        room -= len(found[dimension])
    return found


def _latest_starts(
    connection: Connection, tables: StreamTables, window_type: WindowType, limit: int
) -> list[datetime]:
    """Starts of the newest windows, newest first: one step down the indexes for each."""
    latest = _newest_start(tables, window_type, None).cte("latest", recursive=True)
    earlier = _newest_start(tables, window_type, latest.c.window_start, latest.c.position + 1)
    steps = latest.union_all(
        earlier.where(latest.c.window_start.is_not(None), latest.c.position < limit).select_from(latest)
    )
    query = select(steps.c.window_start).where(steps.c.window_start.is_not(None))
    return list(connection.scalars(query.order_by(steps.c.window_start.desc())))


def _newest_start(
    tables: StreamTables,
    window_type: WindowType,
    before: ColumnElement[datetime] | None,
    position: ColumnElement[int] | None = None,
) -> Select[Any]:
    """Start of the newest window, or of the newest one before another; NULL if there is none."""
    counted = tables.counts[window_type].c.window_start
    late = tables.late_events.c[f"window_start_{window_type}"]
    newest = [
        select(func.max(start)).where(*(() if before is None else (start < before,))).scalar_subquery()
        for start in (counted, late)
    ]
    return select(
        func.greatest(*newest).label("window_start"),
        (literal(1) if position is None else position).label("position"),
    )


def _windows(
    connection: Connection, tables: StreamTables, window_type: WindowType, *chosen: ColumnElement[bool]
) -> list[Window]:
    """Windows, newest first, with the sums of what is chosen of `counted`."""
    counted = tables.counted[window_type].c
    query = (
        select(counted.window_start, *(_sum(counted[each]) for each in tables.figures))
        .where(*chosen)
        .group_by(counted.window_start)
        .having(func.sum(counted.impressions) > 0)
        .order_by(counted.window_start.desc())
    )
    return [
        Window(
            window_type=window_type,
            window_start_ms=epoch_ms(row.window_start),
            window_end_ms=epoch_ms(row.window_start + window_length(window_type)),
            impressions=row.impressions,
            clicks=row.clicks,
            ctr=percent(row.clicks, row.impressions),
            measures={each: getattr(row, each) for each in tables.sums},
        )
        for row in connection.execute(query)
    ]


def _segments(
    connection: Connection, tables: StreamTables, window_type: WindowType, start: datetime, end: datetime
) -> list[Segment]:
    """Segments over the windows of the span, the largest first."""
    counted = tables.counted[window_type].c
    impressions = _sum(counted.impressions)
    dimensions = [counted[each] for each in tables.dimensions]
    query = (
        select(*dimensions, impressions, *(_sum(counted[each]) for each in tables.figures[1:]))
        .where(counted.window_start >= start, counted.window_start < end)
        .group_by(*dimensions)
        .having(func.sum(counted.impressions) > 0)
        .order_by(impressions.desc(), *dimensions)
        .limit(MAX_SEGMENTS)
    )
    return [segment_of(tables, tuple(row)) for row in connection.execute(query)]


def _sum(counts: ColumnElement[int]) -> Label[int]:
    return func.sum(counts).cast(BigInteger).label(counts.name)
