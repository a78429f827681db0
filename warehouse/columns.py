"""What the warehouse's common columns mean: a name means the same in every table and view.

What is special to one table stands below its column in `warehouse/models`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.dialects import postgresql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement

COLUMNS: Final[Mapping[str, str]] = {
    "topic": "The raw topic.",
    "partition": "Its partition.",
    "offset": "The record's offset: with topic and partition it identifies the record.",
    "next_offset": "The first offset that has not been read yet.",
    "first_offset": "First offset of the range that the row accounts for.",
    "last_offset": "Last offset of the range.",
    "window_type": "`1min` or `5min`.",
    "window_start": "Start (inclusive) of the window.",
    "window_end": "End (exclusive) of the window.",
    "click": "1 if the ad was clicked, else 0.",
    "impressions": "Counted events.",
    "clicks": "Counted events whose click is true.",
    "total_impressions": "Counted events of the window.",
    "total_clicks": "Counted events of the window whose click is true.",
    "ctr": "100 x clicks / impressions, in percent, rounded half-up to 2 decimals.",
    "records_read": "Records read: the sum of all outcomes.",
    "counted": "Records counted in windows.",
    "late": "Late records.",
    "malformed": "Records dead-lettered as `malformed`.",
    "unknown_schema": "Records dead-lettered as `unknown_schema`.",
    "invalid": "Records dead-lettered as `invalid`.",
    "dead": "Dead-lettered records of all reasons but `late`.",
    "unaccounted": "Records read that have no outcome; must be 0.",
    "uncovered_offsets": "Offsets between two rows: markers of transactions, or records never read.",
    "overlapping_offsets": "Offsets that two rows account for; must be 0.",
    "expected_impressions": "Impressions by the recount, merged late events included.",
    "actual_impressions": "Impressions in the warehouse.",
    "expected_clicks": "Clicks by the recount, merged late events included.",
    "actual_clicks": "Clicks in the warehouse.",
    "accuracy": "Percent of the impressions that are right, truncated to 2 decimals; 100: exact.",
    "checked_at": "When the window was verified.",
    "repair_id": "Names one backfill of hours.",
}


def postgres_type(column: ColumnElement[Any]) -> str:
    """Type of a column as Postgres calls it."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    name = str(column.type.compile(dialect=dialect)).lower()
    return name.replace("timestamp with time zone", "timestamptz")
