"""Windows as both stores hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WindowType = Literal["1min", "5min"]

WINDOW_MINUTES: Final[Mapping[WindowType, int]] = {"1min": 1, "5min": 5}

_ID_FORMAT: Final = "%Y%m%dT%H%MZ"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


Value = str | int
"""Of a dimension."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Counts of one combination of the dimensions' values within a window."""

    dimensions: Mapping[str, Value | None]
    """Their values by column. One is None in the segment that sums those beyond a document's limit."""
    impressions: int
    clicks: int
    measures: Mapping[str, int] = field(default_factory=dict)
    """Further sums, by their columns."""

    @property
    def figures(self) -> tuple[int, ...]:
        """All that is summed."""
        return (self.impressions, self.clicks, *self.measures.values())

    @property
    def is_rest(self) -> bool:
        """Whether it sums those beyond a document's limit."""
        return None in self.dimensions.values()

    def value(self, dimension: str) -> Value | None:
        """Its value of a dimension, which its column names."""
        return self.dimensions[dimension]


@dataclass(frozen=True)
class Selection:
    """Which segments a reader has chosen; a dimension of which no value is chosen stays whole."""

    chosen: frozenset[tuple[str, Value]] = frozenset()
    """Columns of dimensions, each with a value."""

    @classmethod
    def of(cls, values: Mapping[str, Iterable[Value]]) -> Selection:
        """Choose values by the column of their dimension."""
        return cls(frozenset((column, each) for column, chosen in values.items() for each in chosen))

    @property
    def whole(self) -> bool:
        """Whether every segment is chosen."""
        return not self.chosen

    def by_dimension(self) -> dict[str, set[Value]]:
        """The chosen values of those dimensions that do not stay whole, by column."""
        found: dict[str, set[Value]] = {}
        for column, value in self.chosen:
            found.setdefault(column, set()).add(value)
        return found

    def holds(self, segment: Segment) -> bool:
        """Whether the segment is chosen; nobody knows what part of the rest would be."""
        if segment.is_rest:
            return self.whole
        return all(segment.value(column) in values for column, values in self.by_dimension().items())


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
    measures: Mapping[str, int] = field(default_factory=dict)
    """Further sums, by their columns."""

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

    rates: Mapping[str, Mapping[str, float]]
    """By column of a dimension, the CTR of its values, written as text."""
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
