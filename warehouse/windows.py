"""Windows as both stores hold them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

WindowType = Literal["1min", "5min"]

WINDOW_MINUTES: Final[Mapping[WindowType, int]] = {"1min": 1, "5min": 5}

_ID_FORMAT: Final = "%Y%m%dT%H%MZ"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Counts of one (`site_category`, `device_type`) pair within a window."""

    site_category: str
    device_type: int | None
    """None in the one segment `other`, which sums those beyond a document's limit."""
    impressions: int
    clicks: int


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which segments a reader has chosen; an empty set leaves its dimension whole."""

    categories: frozenset[str] = frozenset()
    devices: frozenset[int] = frozenset()

    @property
    def whole(self) -> bool:
        """Whether every segment is chosen."""
        return not (self.categories or self.devices)

    def holds(self, segment: Segment) -> bool:
        """Whether the segment is chosen; nobody knows what part of the summed segment `other` would be."""
        if segment.device_type is None:
            return self.whole
        return (not self.categories or segment.site_category in self.categories) and (
            not self.devices or segment.device_type in self.devices
        )


EVERYTHING: Final = Selection()


@dataclass(frozen=True, kw_only=True)
class Window:
    """Figures of one tumbling window `[start, end)`.

    Times are ms since the epoch; every CTR is in percent, rounded half-up to 2 decimals.
    """

    window_type: WindowType
    window_start_ms: int
    window_end_ms: int
    impressions: int
    clicks: int
    ctr: float

    @property
    def window_id(self) -> str:
        """The start in UTC as `YYYYMMDDTHHMMZ`."""
        return self.start.strftime(_ID_FORMAT)

    @property
    def start(self) -> datetime:
        """Start (inclusive), UTC."""
        return datetime.fromtimestamp(self.window_start_ms / 1000, tz=UTC)

    @property
    def end(self) -> datetime:
        """End (exclusive), UTC."""
        return datetime.fromtimestamp(self.window_end_ms / 1000, tz=UTC)


@dataclass(frozen=True, kw_only=True)
class WindowDetail(Window):
    """A window, split by its dimensions."""

    category_ctr: Mapping[str, float]
    device_ctr: Mapping[str, float]
    """By device type, written as text."""
    segments: tuple[Segment, ...]
    """The largest first."""


@dataclass(frozen=True, kw_only=True)
class WindowDocument(WindowDetail):
    """A window as Redis holds it: perhaps still open."""

    final: bool
    """Whether the window is closed; until then its figures grow."""
    revision: int
    """0 from the job, one more for each merge of late events."""
    written_ms: int
    """When it was written, ms since the epoch."""


def window_length(window_type: WindowType) -> timedelta:
    """From a window's start to its end."""
    return timedelta(minutes=WINDOW_MINUTES[window_type])


def window_start(window_id: str) -> datetime:
    """Start of the window of that id, UTC.

    Raises:
        ValueError: it is not written as `YYYYMMDDTHHMMZ`.
    """
    return datetime.strptime(window_id, _ID_FORMAT).replace(tzinfo=UTC)


def epoch_ms(moment: datetime) -> int:
    """Whole milliseconds since the epoch."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)
