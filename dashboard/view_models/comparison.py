"""Windows against windows: of two lengths, of two choices of segments, of two days."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from contract.errors import WarehouseUnavailable
from dashboard.view_models.selection import rate_of
from warehouse.windows import WINDOW_MINUTES, Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dashboard.view_models.live import Stores
    from dashboard.view_models.outages import Outage
    from warehouse.windows import Segment, Selection, WindowType

Mode = Literal["lengths", "segments", "days"]

MODES: Final[tuple[Mode, ...]] = ("lengths", "segments", "days")

FIVE_MINUTES: Final = timedelta(minutes=5)
DAY: Final = timedelta(days=1)

SETTLED_AFTER_S: Final = 30
"""After its end a window has closed, and all of its rows, which arrive in portions, are there."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A 5 min window that is not the sum of its 1 min windows."""

    start: datetime
    summed: Window | None
    """The 1 min windows together; None: there is none."""
    whole: Window | None
    """The 5 min window; None: there is none."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two series of final windows of the same span."""

    at_s: float
    """When they were read, s since the epoch."""
    first: tuple[Window, ...] = ()
    """The newest first."""
    second: tuple[Window, ...] = ()
    """The newest first, at their own times."""
    shift: timedelta = timedelta(0)
    """By which the second is moved to lie over the first."""
    differences: tuple[Difference, ...] = ()
    """Differences between two window lengths, the newest first; empty for other comparisons."""
    known_segments: tuple[Segment, ...] = ()
    """What there is to choose from."""
    outages: tuple[Outage, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Totals:
    """A series, summed."""

    impressions: int
    clicks: int

    @property
    def ctr(self) -> float:
        """In percent."""
        return rate_of(self.clicks, self.impressions)


def totals(windows: Iterable[Window]) -> Totals:
    """Sum a series."""
    windows = list(windows)
    return Totals(
        impressions=sum(each.impressions for each in windows), clicks=sum(each.clicks for each in windows)
    )


def compare(
    mode: Mode, selections: tuple[Selection, Selection], span: timedelta, stores: Stores
) -> Comparison:
    """Read two series of closed windows, up to the newest 5 min window that is closed.

    Args:
        mode: what is compared with what.
        selections: of segments; the second is used by `segments` alone.
        span: of the series.
        stores: to read from.
    """
    at_s = time.time()
    warehouse = stores.warehouse
    fine: WindowType = "1min" if span <= DAY else "5min"
    first, second = selections
    try:
        newest = warehouse.latest_windows("5min", 1)
        # Without one, the clock says where the series would end.
        end = newest[0].end if newest else datetime.fromtimestamp(at_s // 300 * 300, tz=UTC)
        if 0 <= at_s - end.timestamp() < SETTLED_AFTER_S:
            end -= FIVE_MINUTES
        start = end - span
        known = tuple(warehouse.segments("5min", start, end))
        differences: tuple[Difference, ...] = ()
        shift = timedelta(0)
        if mode == "lengths":
            # Longer spans hold more 1 min windows than one may read at once.
            start = max(start, end - DAY)
            minutes = warehouse.series("1min", start, end, first)
            left, right = summed(minutes), tuple(warehouse.series("5min", start, end, first))
            differences = differing(left, right)
        elif mode == "segments":
            left = tuple(warehouse.series(fine, start, end, first))
            right = tuple(warehouse.series(fine, start, end, second))
        else:
            shift = DAY
            left = tuple(warehouse.series(fine, start, end, first))
            right = tuple(warehouse.series(fine, start - DAY, end - DAY, first))
        stores.outages.back("Postgres")
    except WarehouseUnavailable as error:
        return Comparison(at_s=at_s, outages=(stores.outages.away("Postgres", error),))
    return Comparison(
        at_s=at_s, first=left, second=right, shift=shift, differences=differences, known_segments=known
    )


def summed(minutes: Sequence[Window]) -> tuple[Window, ...]:
    """1 min windows summed to windows of 5 min, the newest first."""
    length_ms = 60_000 * WINDOW_MINUTES["5min"]
    sums: dict[int, tuple[int, int]] = {}
    for window in minutes:
        start_ms = window.window_start_ms // length_ms * length_ms
        impressions, clicks = sums.get(start_ms, (0, 0))
        sums[start_ms] = (impressions + window.impressions, clicks + window.clicks)
    return tuple(
        Window(
            window_type="5min",
            window_start_ms=start_ms,
            window_end_ms=start_ms + length_ms,
            impressions=impressions,
            clicks=clicks,
            ctr=rate_of(clicks, impressions),
        )
        for start_ms, (impressions, clicks) in sorted(sums.items(), reverse=True)
    )


def differing(left: Sequence[Window], right: Sequence[Window]) -> tuple[Difference, ...]:
    """The windows that are not the same in both series, the newest first."""
    by_sum = {window.start: window for window in left}
    whole = {window.start: window for window in right}
    return tuple(
        Difference(start=start, summed=by_sum.get(start), whole=whole.get(start))
        for start in sorted(by_sum.keys() | whole.keys(), reverse=True)
        if by_sum.get(start) != whole.get(start)
    )
