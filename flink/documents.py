"""Makes window documents: the JSON that Redis holds for readers and `ctr_windows` for other systems."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flink.config import Dimension

WINDOW_MINUTES: Final = {"1min": 1, "5min": 5}
TIME_TO_LIVE_S: Final = {"1min": 300, "5min": 1500}
"""Seconds that a document outlives its last write: five windows of its type."""

MAX_ENTRIES: Final = 500
"""A document names this many segments, and values of each dimension; the other segments are summed."""

MAX_BYTES: Final = 768 << 10
"""Of a document, whatever the events hold: it names fewer where so many do not fit."""

OTHER: Final = "other"

Row = list[Any]
"""Values of dimensions, then impressions and the measures' sums."""

Counts = dict[tuple[Any, ...], list[int]]
"""Impressions and the measures' sums, by the values of the dimensions."""


@dataclass(frozen=True)
class Summary:
    """What a document is made of, of bounded size; the ingest stage gives it as JSON of the same fields."""

    totals: list[int]
    """Impressions and the measures' sums."""

    segments: list[Row]
    """The largest, at most `MAX_ENTRIES`, largest first."""

    rest: list[int] | None
    """Sums of the other segments; None: there are no others."""

    values: list[list[Row]]
    """For each dimension, its values with their sums, likewise."""

    def plus(self, counts: Counts, dimensions: int) -> Summary:
        """Add counts by segment; what has no name here counts in the totals only."""
        total = {segment: list(sums) for segment, sums in counts.items()}
        add_segments(total, self.segments, dimensions)
        named = summarize(total, dimensions)
        if self.rest is None:
            return named
        rest = named.rest or [0] * len(self.rest)
        return replace(named, totals=_sum(named.totals, self.rest), rest=_sum(rest, self.rest))


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


def summarize(counts: Counts, dimensions: int) -> Summary:
    """Sum up the counts of a window, at least one, as `ctr.ingest.DocumentSummaries` does."""
    segments = [[*segment, *sums] for segment, sums in counts.items()]
    by_value = []
    for position in range(dimensions):
        values: Counts = {}
        add_segments(values, [[row[position], *row[dimensions:]] for row in segments], 1)
        by_value.append(_largest([[*value, *sums] for value, sums in values.items()], 1))
    named = _largest(segments, dimensions)
    totals = [sum(column) for column in zip(*counts.values(), strict=True)]
    known = [sum(column) for column in zip(*(row[dimensions:] for row in named), strict=True)]
    rest = [total - part for total, part in zip(totals, known, strict=True)]
    return Summary(
        totals=totals,
        segments=named,
        rest=None if len(named) == len(segments) else rest,
        values=by_value,
    )


def _largest(rows: list[Row], values: int) -> list[Row]:
    """The rows of most impressions, `MAX_ENTRIES` at the most; equals in the order that Java has for text."""

    def rank(row: Row) -> tuple[Any, ...]:
        named = (
            each.encode("utf-16-be", "surrogatepass") if isinstance(each, str) else each
            for each in row[:values]
        )
        return (-row[values], *named)

    return sorted(rows, key=rank)[:MAX_ENTRIES]


def _sum(sums: Sequence[int], others: Sequence[int]) -> list[int]:
    return [each + other for each, other in zip(sums, others, strict=True)]


def build(  # noqa: PLR0913 - what a document is made of
    window_type: str,
    start_ms: int,
    counts: Counts,
    dimensions: Sequence[Dimension],
    *,
    final: bool,
    written_ms: int,
    measures: Sequence[str] = (),
) -> dict[str, Any]:
    """Make the document of a window from all its counts, by segment; at least one. See `document`."""
    summary = summarize(counts, len(dimensions))
    return document(
        window_type, start_ms, summary, dimensions, final=final, written_ms=written_ms, measures=measures
    )


def document(  # noqa: PLR0913 - likewise
    window_type: str,
    start_ms: int,
    summary: Summary,
    dimensions: Sequence[Dimension],
    *,
    final: bool,
    written_ms: int,
    measures: Sequence[str] = (),
) -> dict[str, Any]:
    """Make the document of one window, as the contract spells it.

    Args:
        window_type: `1min` or `5min`.
        start_ms: the window's start, ms since the epoch.
        summary: of its counts.
        dimensions: of the segments, in their order.
        final: whether the window is closed.
        written_ms: the moment of writing, ms since the epoch.
        measures: names of the sums besides impressions and clicks.
    """
    impressions, clicks, *sums = summary.totals
    about = {
        "window_id": window_id(start_ms),
        "window_type": window_type,
        "window_start": start_ms,
        "window_end": window_end(window_type, start_ms),
        "total_impressions": impressions,
        "total_clicks": clicks,
        "ctr": percent(clicks, impressions),
        **dict(zip(measures, sums, strict=True)),
    }
    state = {"final": final, "revision": 0, "timestamp": written_ms}
    entries = MAX_ENTRIES
    while True:
        made = {**about, **_named(summary, dimensions, entries), **state}
        if entries == 1 or len(to_json(made).encode("utf-8", "surrogatepass")) <= MAX_BYTES:
            return made
        entries //= 2


def _named(summary: Summary, dimensions: Sequence[Dimension], entries: int) -> dict[str, Any]:
    """The parts of a document that grow with what it names: so many of each."""
    named: dict[str, Any] = {}
    for dimension, values in zip(dimensions, summary.values, strict=True):
        rates = {
            str(value): percent(clicks, impressions) for value, impressions, clicks, *_ in values[:entries]
        }
        named[dimension.document_key] = dict(sorted(rates.items()))
    segments = summary.segments[:entries]
    rest = list(summary.rest or [0] * len(summary.totals))
    for row in summary.segments[entries:]:
        rest = _sum(rest, row[len(dimensions) :])
    if any(rest):
        # A value may be called so too; None is in no other segment.
        of_others = [OTHER, *[None] * (len(dimensions) - 1)] if len(dimensions) > 1 else [None]
        segments = [*segments, [*of_others, *rest]]
    named["segments"] = segments
    return named


def to_json(document: Mapping[str, Any]) -> str:
    """Serialize a document without needless bytes."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)
