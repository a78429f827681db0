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


def window_start(window_id: str) -> datetime:
    """Start of the window of that id, UTC.

    Raises:
        ValueError: it is not written as `YYYYMMDDTHHMMZ`.
    """
    return datetime.strptime(window_id, _ID_FORMAT).replace(tzinfo=UTC)


def epoch_ms(moment: datetime) -> int:
    """Whole milliseconds since the epoch."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)
