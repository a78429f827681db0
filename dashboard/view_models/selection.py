"""Windows narrowed down to the segments that a reader has chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from warehouse.ctr import percent
from warehouse.windows import WindowDetail

if TYPE_CHECKING:
    from collections.abc import Iterable

    from warehouse.windows import Segment, Selection

Detail = TypeVar("Detail", bound=WindowDetail)


def narrowed(window: Detail, selection: Selection) -> Detail:
    """Count only the chosen segments; everything chosen leaves the window as it is."""
    if selection.whole:
        return window
    columns = window.segments[0].dimensions if window.segments else window.rates
    held = tuple(segment for segment in window.segments if selection.holds(segment))
    impressions = sum(segment.impressions for segment in held)
    clicks = sum(segment.clicks for segment in held)
    return replace(
        window,
        segments=held,
        impressions=impressions,
        clicks=clicks,
        measures={name: sum(each.measures.get(name, 0) for each in held) for name in window.measures},
        ctr=rate_of(clicks, impressions),
        rates={column: _rates((str(each.value(column)), each) for each in held) for column in columns},
    )


def rate_of(clicks: int, impressions: int) -> float:
    """CTR in percent; of nothing it is 0."""
    return percent(clicks, impressions) if impressions else 0.0


def _rates(named: Iterable[tuple[str, Segment]]) -> dict[str, float]:
    sums: dict[str, tuple[int, int]] = {}
    for name, segment in named:
        impressions, clicks = sums.get(name, (0, 0))
        sums[name] = (impressions + segment.impressions, clicks + segment.clicks)
    return {name: percent(clicks, impressions) for name, (impressions, clicks) in sums.items()}
