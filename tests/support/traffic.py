"""An hour of traffic in both stores, as a live page finds it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tests.support.windows import put_document, put_rows
from warehouse.windows import epoch_ms, window_length

if TYPE_CHECKING:
    from contract.settings import Settings
    from flink.documents import Counts
    from warehouse.windows import WindowType

OPEN: Final[Counts] = {("news", 1): [1_200, 100], ("sports", 0): [34, 10]}
CLOSED: Final[Counts] = {("news", 1): [50_000, 6_000], ("sports", 1): [9_000, 2_000], ("news", 0): [1_000, 0]}
BEFORE: Final[Counts] = {("news", 1): [40_000, 4_000], ("games", 1): [10_000, 2_000]}
EARLIER: Final[Counts] = {("news", 1): [20_000, 1_000], ("sports", 1): [10_000, 2_000]}

CLOSES_AFTER_MS: Final = 10_000
COUNTED_AFTER_MS: Final = 500
"""From an event to Redis, by the closed window's document."""

AHEAD_MS: Final = 600_000
"""An open document of the future does not grow old while a slow machine runs a test."""


@dataclass(frozen=True)
class Hour:
    """Starts of the windows that there are."""

    current: datetime
    closed: datetime
    before: datetime
    earlier: datetime


def starts(window_type: WindowType) -> Hour:
    length = window_length(window_type)
    length_s = int(length.total_seconds())
    current = datetime.fromtimestamp(time.time() // length_s * length_s, tz=UTC)
    closed = current - length
    return Hour(current, closed, closed - length, closed - timedelta(hours=1))


def put_hour(settings: Settings, window_type: WindowType) -> Hour:
    """An open window, the one that closed last, in both stores, the one before and the one an hour ago."""
    hour = starts(window_type)
    put_open(settings, window_type, hour)
    put_closed(settings, window_type, hour)
    put_rows(settings, window_type, hour.closed, CLOSED)
    put_rows(settings, window_type, hour.before, BEFORE)
    put_rows(settings, window_type, hour.earlier, EARLIER)
    return hour


def put_open(settings: Settings, window_type: WindowType, hour: Hour) -> None:
    ahead_ms = int(1000 * time.time()) + AHEAD_MS
    put_document(settings, window_type, hour.current, OPEN, final=False, written_ms=ahead_ms)


def put_closed(settings: Settings, window_type: WindowType, hour: Hour) -> None:
    end_ms = epoch_ms(hour.closed + window_length(window_type))
    written_ms = end_ms + CLOSES_AFTER_MS + COUNTED_AFTER_MS
    put_document(settings, window_type, hour.closed, CLOSED, final=True, written_ms=written_ms)
