"""Which windows are closed, as far as the recount has read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from ctr_platform.recount.fates import DISORDER_MS
from ctr_platform.recount.state import moment

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ctr_platform.recount.state import Progress

IDLE: Final = timedelta(seconds=45)
"""A partition without valid records holds no window open after 15 s; thrice that, as the job may have been
restarted meanwhile and waits anew. To verify later is never wrong."""

SILENT: Final = timedelta(seconds=180)
"""Likewise for the 60 s after which the last windows of a silent topic close."""


def closed_until(states: Sequence[Progress], behind: Collection[int], now: datetime) -> datetime | None:
    """Every window that ends by this is final; None: no window is.

    Args:
        states: of the raw topic's partitions.
        behind: those that hold records beyond what has been read: they are not idle.
        now: by the clock that the broker's times are compared with.
    """
    seen = [
        (
            moment(state.highest_event_time_ms - DISORDER_MS),
            timedelta(0) if state.partition in behind else now - state.last_valid_at,
        )
        for state in states
        if state.highest_event_time_ms is not None and state.last_valid_at is not None
    ]
    if not seen:
        return None
    if all(age > SILENT for _, age in seen):
        # A window of an event that is ahead of the clock stays open until the clock has passed it.
        return now - SILENT
    active = [watermark for watermark, age in seen if age <= IDLE]
    return min(active or [watermark for watermark, _ in seen])
