"""The warehouse's views, as SQLAlchemy's queries name them. Their SQL is in `warehouse/sql`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import BigInteger, DateTime, Integer, Numeric, Text, column, table
from sqlalchemy.dialects.postgresql import JSONB

from warehouse.dimensions import TYPES
from warehouse.models import QUALITY, REALTIME, LedgerRow
from warehouse.windows import WINDOW_MINUTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import TableClause

    from warehouse.windows import WindowType


def _metrics(window_type: WindowType) -> TableClause:
    return table(
        f"metrics_{window_type}",
        column("window_start", DateTime(timezone=True)),
        column("window_end", DateTime(timezone=True)),
        column("total_impressions", BigInteger),
        column("total_clicks", BigInteger),
        column("ctr", Numeric(5, 2, asdecimal=False)),
        column("category_ctr", JSONB),
        column("device_ctr", JSONB),
        schema=REALTIME,
    )


def _counted(window_type: WindowType) -> TableClause:
    return table(
        f"counted_{window_type}",
        column("window_start", DateTime(timezone=True)),
        *(column(name, kind) for name, kind in TYPES.items()),
        column("impressions", BigInteger),
        column("clicks", BigInteger),
        schema=REALTIME,
    )


def _segments(window_type: WindowType) -> TableClause:
    return table(
        f"segments_{window_type}",
        column("window_start", DateTime(timezone=True)),
        column("window_end", DateTime(timezone=True)),
        *(column(name, kind) for name, kind in TYPES.items()),
        column("impressions", BigInteger),
        column("clicks", BigInteger),
        schema=REALTIME,
    )


METRICS: Final[Mapping[WindowType, TableClause]] = {each: _metrics(each) for each in WINDOW_MINUTES}
"""One row per window: its totals and its rates by dimension."""

COUNTED: Final[Mapping[WindowType, TableClause]] = {each: _counted(each) for each in WINDOW_MINUTES}
"""What is counted in windows, for readers who sum it themselves: a segment may have several rows."""

SEGMENTS: Final[Mapping[WindowType, TableClause]] = {each: _segments(each) for each in WINDOW_MINUTES}
"""One row per window and segment: counts, and merged late events."""

CONSERVATION: Final = table(
    "conservation",
    column("topic", Text),
    column("partition", Integer),
    *(
        column(name, BigInteger)
        for name in (
            "first_offset",
            "last_offset",
            "records_read",
            "counted",
            "late",
            "malformed",
            "unknown_schema",
            "invalid",
            "dead",
            "unaccounted",
            "uncovered_offsets",
            "overlapping_offsets",
        )
    ),
    schema=QUALITY,
)
"""One row per partition: the conservation law, summed over the ledger's current rows."""

WINDOW_ACCURACY: Final = table(
    "window_accuracy",
    column("window_type", Text),
    column("window_start", DateTime(timezone=True)),
    *(
        column(name, BigInteger)
        for name in (
            "expected_impressions",
            "actual_impressions",
            "expected_clicks",
            "actual_clicks",
            "late",
        )
    ),
    column("accuracy", Numeric(5, 2)),
    column("checked_at", DateTime(timezone=True)),
    schema=QUALITY,
)
"""One row per window: its latest verification."""

LEDGER_CURRENT: Final = table(
    "ledger_current",
    *(column(each.name, each.type) for each in LedgerRow.__table__.columns),
    schema=QUALITY,
)
"""The ledger without the rows that a restored job read again: of each offset, the newest run's row."""
