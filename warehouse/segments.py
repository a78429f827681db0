"""Segments as both stores write them: the values of the dimensions, then what is summed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warehouse.windows import Segment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warehouse.stream_tables import StreamTables


def segment_of(tables: StreamTables, row: Sequence[Any]) -> Segment:
    """A segment of its row."""
    width = len(tables.dimensions)
    impressions, clicks, *sums = row[width:]
    return Segment(
        dimensions=dict(zip(tables.dimensions, row[:width], strict=True)),
        impressions=impressions,
        clicks=clicks,
        measures=dict(zip(tables.sums, sums, strict=True)),
    )
