"""Tables of the stream that ships."""

from __future__ import annotations

from typing import Final

from contract.stream.load import shipped_stream
from flink.config import version_0_1
from warehouse.stream_tables import StreamTables
from warehouse.windows import Segment

DIMENSIONS: Final = version_0_1().dimensions
MEASURES: Final = version_0_1().measures
"""As the job is told them."""

TABLES: Final = StreamTables.of(shipped_stream())


def segment(category: str, device: int | None, impressions: int, clicks: int) -> Segment:
    """Counts of one pair of values."""
    dimensions = dict(zip(TABLES.dimensions, (category, device), strict=True))
    return Segment(dimensions=dimensions, impressions=impressions, clicks=clicks)
