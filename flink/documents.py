"""Makes window documents: the JSON that Redis holds for readers and `ctr_windows` for other systems."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flink.config import Dimension

WINDOW_MINUTES: Final = {"1min": 1, "5min": 5}
TIME_TO_LIVE_S: Final = {"1min": 300, "5min": 1500}
"""Seconds that a document outlives its last write: five windows of its type."""

MAX_SEGMENTS: Final = 500
"""A document names this many segments; the rest are summed, so that its size has a bound."""

OTHER: Final = "other"

Counts = dict[tuple[Any, ...], list[int]]
"""Impressions and the measures' sums, by the values of the dimensions."""


def percent(clicks: int, impressions: int) -> float:
    """CTR in percent, rounded half-up to 2 decimals, exactly: no binary fraction is rounded."""
    return (20_000 * clicks + impressions) // (2 * impressions) / 100


def window_id(start_ms: int) -> str:
    """A window's start in UTC as `YYYYMMDDTHHMMZ`."""
    return dt.datetime.fromtimestamp(start_ms / 1000, tz=dt.UTC).strftime("%Y%m%dT%H%MZ")


def window_end(window_type: str, start_ms: int) -> int:
    """End (exclusive) of a window, ms since the epoch."""
    return start_ms + WINDOW_MINUTES[window_type] * 60_000


def document_key(window_type: str, identifier: str) -> str:
    """Redis key of a document; with `index` for the identifier, of the index of a window type."""
    return f"metrics:{window_type}:{identifier}"


def add_segments(counts: Counts, rows: Sequence[Sequence[Any]], dimensions: int) -> None:
    """Add partial aggregates, each `[dimension, ..., impressions, measure, ...]`, to `counts`."""
    for row in rows:
        segment = tuple(row[:dimensions])
        sums = counts.get(segment)
        if sums is None:
            counts[segment] = list(row[dimensions:])
        else:
            for index, value in enumerate(row[dimensions:]):
                sums[index] += value


def _rates(counts: Counts, position: int) -> dict[str, float]:
    totals: dict[str, list[int]] = {}
    for segment, sums in counts.items():
        total = totals.setdefault(str(segment[position]), [0, 0])
        total[0] += sums[0]
        total[1] += sums[1]
    return {value: percent(clicks, impressions) for value, (impressions, clicks) in sorted(totals.items())}


def _segments(counts: Counts) -> list[list[Any]]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1][0], str(item[0])))
    named = [[*segment, *sums] for segment, sums in ranked[:MAX_SEGMENTS]]
    rest = [sums for _, sums in ranked[MAX_SEGMENTS:]]
    if rest:
        dimensions = len(ranked[0][0])
        others = [OTHER, *[None] * (dimensions - 1)]
        named.append([*others, *(sum(column) for column in zip(*rest, strict=True))])
    return named


def build(  # noqa: PLR0913 - what a document is made of
    window_type: str,
    start_ms: int,
    counts: Counts,
    dimensions: Sequence[Dimension],
    *,
    final: bool,
    written_ms: int,
) -> Mapping[str, Any]:
    """Make the document of one window, as the contract spells it.

    Args:
        window_type: `1min` or `5min`.
        start_ms: the window's start, ms since the epoch.
        counts: by segment; at least one.
        dimensions: of the segments, in their order.
        final: whether the window is closed.
        written_ms: the moment of writing, ms since the epoch.
    """
    impressions = sum(sums[0] for sums in counts.values())
    clicks = sum(sums[1] for sums in counts.values())
    return {
        "window_id": window_id(start_ms),
        "window_type": window_type,
        "window_start": start_ms,
        "window_end": window_end(window_type, start_ms),
        "total_impressions": impressions,
        "total_clicks": clicks,
        "ctr": percent(clicks, impressions),
        **{d.document_key: _rates(counts, position) for position, d in enumerate(dimensions)},
        "segments": _segments(counts),
        "final": final,
        "revision": 0,
        "timestamp": written_ms,
    }


def to_json(document: Mapping[str, Any]) -> str:
    """Serialize a document without needless bytes."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)
