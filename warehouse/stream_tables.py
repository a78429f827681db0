"""Tables and views of a stream: their columns are its dimensions, and what else it declares."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    column,
    func,
    table,
)
from sqlalchemy.dialects.postgresql import JSONB

from warehouse.models.base import NAMING, QUALITY, REALTIME
from warehouse.stream_columns import DimensionColumn, KeptColumn, MeasureColumn
from warehouse.windows import WINDOW_MINUTES, window_length

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import TableClause

    from contract.stream.load import DeclaredStream
    from warehouse.windows import Value, WindowType

ABOUT: Final[Mapping[str, str]] = {
    "counts": "Windows by segment, written by the job alone: absolute numbers, so that writing them again "
    "changes nothing.",
    "late_events": "Late events that were merged afterwards, identified by their place in the topic.",
    "raw_events": "Valid events kept for inspection, never for counting; the first one of an id stays.",
    "recount_counts": "The recount's own windows of one minute, by segment: what the job's must equal.",
    "recount_segments": "Segments that the recount has named in a window of one minute: so many at most, by "
    "partition.",
    "recount_late": "Records that the recount found late: by partition content or, after idleness, by their "
    "message.",
    "repair_counts": "Staging: windows of one minute as a backfill has recomputed them.",
    "metrics": "One row per window: its totals and its rates by dimension.",
    "counted": "What is counted in windows, for readers who sum it themselves: a segment may have several "
    "rows.",
    "segments": "One row per window and segment: counts, and merged late events.",
}
"""What each kind of table or view holds."""


@dataclass(frozen=True)
class StreamTables:
    """The tables and views whose columns a stream declares, and what stands in SQL files for them."""

    columns: tuple[DimensionColumn, ...]
    """Of the dimensions, in their order."""

    measures: tuple[MeasureColumn, ...] = ()
    """Of what is summed besides."""

    kept: tuple[KeptColumn, ...] = ()
    """Of what raw events have besides."""

    metadata: MetaData = field(
        default_factory=lambda: MetaData(naming_convention=NAMING), compare=False, repr=False
    )

    @classmethod
    def of(cls, stream: DeclaredStream) -> StreamTables:
        """The tables of a declared stream."""
        return cls(
            tuple(
                DimensionColumn(
                    name=each.column_name,
                    is_number=stream.is_number(each),
                    title=each.title["en"],
                    rates_name=each.rates_name,
                    blank=each.blank,
                )
                for each in stream.declaration.dimensions
            ),
            tuple(MeasureColumn(each.column_name, each.title["en"]) for each in stream.declaration.measures),
            tuple(
                KeptColumn(each.lower(), found.kind)
                for each in stream.kept_alone
                if (found := stream.fields[each]) is not None
            ),
        )

    # ---- dimensions ------------------------------------------------------------------------------

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Columns of the dimensions, in their order."""
        return tuple(each.name for each in self.columns)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Those of them that are integers."""
        return tuple(each.name for each in self.columns if each.is_number)

    @property
    def described(self) -> dict[str, str]:
        """What the columns mean that the stream declares."""
        return {
            **{each.name: _about(each) for each in self.columns},
            **{each.rates_name: f"CTR in percent by {each.title.lower()}." for each in self.columns},
            **{each.name: f"{each.title}, summed." for each in self.measures},
        }

    @property
    def sums(self) -> tuple[str, ...]:
        """Columns of what is summed besides impressions and clicks."""
        return tuple(each.name for each in self.measures)

    @property
    def figures(self) -> tuple[str, ...]:
        """Columns of everything that is summed."""
        return ("impressions", "clicks", *self.sums)

    @property
    def other(self) -> tuple[Value, ...]:
        """The segment that all are counted as which have no name of their own."""
        return tuple(each.other for each in self.columns)

    # ---- tables ----------------------------------------------------------------------------------

    @cached_property
    def counts(self) -> Mapping[WindowType, Table]:
        """Windows by segment, by their type."""
        return {
            each: self._table(
                REALTIME,
                f"counts_{each}",
                Column("window_start", _time(), primary_key=True),
                Column("window_end", _time(), nullable=False),
                *self._dimensions(key=True),
                *self._figures(),
                about="counts",
            )
            for each in WINDOW_MINUTES
        }

    @cached_property
    def late_events(self) -> Table:
        """Late events that were merged."""
        return self._table(
            REALTIME,
            "late_events",
            *_record_key(),
            Column("event_time", _time(), nullable=False, doc="The event's own time."),
            *self._dimensions(),
            Column("click", Integer, nullable=False),
            *self._sums(),
            *(
                Column(
                    f"window_start_{each}",
                    _time(),
                    _window_start(each),
                    nullable=False,
                    doc=f"Start of its {WINDOW_MINUTES[each]} minute window.",
                )
                for each in WINDOW_MINUTES
            ),
            Column(
                "merged_at", _time(), nullable=False, server_default=func.now(), doc="When it was merged."
            ),
            *(Index(None, f"window_start_{each}") for each in WINDOW_MINUTES),
            about="late_events",
        )

    @cached_property
    def raw_events(self) -> Table:
        """Valid events that were kept for a look."""
        return self._table(
            REALTIME,
            "raw_events",
            Column("id", Text, primary_key=True, doc="Identifies the impression."),
            Column("click", Integer, nullable=False),
            *self._dimensions(),
            *(Column(each.name, each.type, nullable=False, doc="As the event has it.") for each in self.kept),
            Column("event_time", _time(), nullable=False, doc="The event's own time."),
            Column(
                "created_at",
                _time(),
                nullable=False,
                server_default=func.now(),
                doc="When the job wrote the row.",
            ),
            Index(None, "event_time"),
            about="raw_events",
        )

    @cached_property
    def recount_counts(self) -> Table:
        """The recount's windows of one minute."""
        return self._table(
            QUALITY,
            "recount_counts",
            Column("window_start", _time(), primary_key=True),
            *self._dimensions(key=True),
            *self._figures(),
            about="recount_counts",
        )

    @cached_property
    def recount_segments(self) -> Table:
        """Segments that the recount has named."""
        return self._table(
            QUALITY,
            "recount_segments",
            *_partition_key(),
            Column("window_start", _time(), primary_key=True),
            *self._dimensions(key=True),
            Index(None, "window_start"),
            about="recount_segments",
        )

    @cached_property
    def recount_late(self) -> Table:
        """Records that the recount found late."""
        return self._table(
            QUALITY,
            "recount_late",
            *_record_key(),
            Column("window_start", _time(), nullable=False, doc="Start of its minute."),
            *self._dimensions(),
            Column("click", Integer, nullable=False),
            *self._sums(),
            Column(
                "after_idleness",
                Boolean,
                nullable=False,
                doc="Whether only its dead-letter message tells that it was late, not the topic's content.",
            ),
            Index(None, "window_start"),
            about="recount_late",
        )

    @cached_property
    def repair_counts(self) -> Table:
        """Windows of one minute that a backfill has recomputed."""
        return self._table(
            QUALITY,
            "repair_counts",
            Column("repair_id", Text, primary_key=True),
            Column("window_start", _time(), primary_key=True),
            *self._dimensions(key=True),
            *self._figures(),
            about="repair_counts",
        )

    @property
    def all_tables(self) -> tuple[Table, ...]:
        """All whose columns the stream declares."""
        return (
            *self.counts.values(),
            self.late_events,
            self.raw_events,
            self.recount_counts,
            self.recount_segments,
            self.recount_late,
            self.repair_counts,
        )

    # ---- views -----------------------------------------------------------------------------------

    @cached_property
    def metrics(self) -> Mapping[WindowType, TableClause]:
        """One row per window, by the windows' type."""
        return {
            each: table(
                f"metrics_{each}",
                column("window_start", _time()),
                column("window_end", _time()),
                column("total_impressions", BigInteger),
                column("total_clicks", BigInteger),
                column("ctr", Numeric(5, 2, asdecimal=False)),
                *(column(dimension.rates_name, JSONB) for dimension in self.columns),
                *(column(name, BigInteger) for name in self.sums),
                schema=REALTIME,
            )
            for each in WINDOW_MINUTES
        }

    @cached_property
    def counted(self) -> Mapping[WindowType, TableClause]:
        """What is counted in windows, not yet summed, by the windows' type."""
        return {
            each: table(
                f"counted_{each}",
                column("window_start", _time()),
                *(column(dimension.name, dimension.type) for dimension in self.columns),
                *(column(name, BigInteger) for name in self.figures),
                schema=REALTIME,
            )
            for each in WINDOW_MINUTES
        }

    @cached_property
    def segments(self) -> Mapping[WindowType, TableClause]:
        """One row per window and segment, by the windows' type."""
        return {
            each: table(
                f"segments_{each}",
                column("window_start", _time()),
                column("window_end", _time()),
                *(column(dimension.name, dimension.type) for dimension in self.columns),
                *(column(name, BigInteger) for name in self.figures),
                schema=REALTIME,
            )
            for each in WINDOW_MINUTES
        }

    @property
    def all_views(self) -> tuple[tuple[str, TableClause], ...]:
        """All whose columns the stream declares, each with its kind in `ABOUT`."""
        return tuple(
            (kind, view)
            for kind, views in (
                ("metrics", self.metrics),
                ("counted", self.counted),
                ("segments", self.segments),
            )
            for view in views.values()
        )

    # ---- columns ---------------------------------------------------------------------------------

    def _table(self, schema: str, name: str, *parts: Any, about: str) -> Table:
        return Table(name, self.metadata, *parts, schema=schema, info={"about": ABOUT[about]})

    def _figures(self) -> list[Column[Any]]:
        counts = [Column(each, BigInteger, nullable=False) for each in ("impressions", "clicks")]
        return [*counts, *self._sums()]

    def _sums(self) -> list[Column[Any]]:
        return [Column(each, BigInteger, nullable=False) for each in self.sums]

    def _dimensions(self, *, key: bool = False) -> list[Column[Any]]:
        return [
            Column(
                each.name, each.type, primary_key=key, nullable=False, autoincrement=False, doc=_about(each)
            )
            for each in self.columns
        ]


def _about(dimension: DimensionColumn) -> str:
    if dimension.is_number:
        return f"{dimension.title}."
    return f"{dimension.title}; `{dimension.blank}` where the event named none."


def _time() -> DateTime:
    return DateTime(timezone=True)


def _window_start(window_type: WindowType) -> Computed:
    """Start of the tumbling window, aligned to the epoch, that holds the event; as Postgres spells it."""
    length = f"{window_length(window_type)}".zfill(8)
    return Computed(
        f"date_bin('{length}'::interval, event_time, '1970-01-01 00:00:00+00'::timestamp with time zone)",
        persisted=True,
    )


def _partition_key() -> list[Column[Any]]:
    return [
        Column("topic", Text, primary_key=True),
        Column("partition", Integer, primary_key=True, autoincrement=False),
    ]


def _record_key() -> list[Column[Any]]:
    return [*_partition_key(), Column("offset", BigInteger, primary_key=True, autoincrement=False)]
