"""Windows, readers and strategies that the tests of this room are about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st

from dashboard.user_context.formatting import UserContext, user_of
from dashboard.user_context.preferences import Preferences
from dashboard.view_models.selection import rate_of
from tests.support.tables import segment
from warehouse.windows import WINDOW_MINUTES, Segment, Selection, Window, WindowDocument

if TYPE_CHECKING:
    from collections.abc import Iterable

    from warehouse.windows import WindowType

MINUTE_MS: Final = 60_000
MOMENT: Final = datetime(2026, 3, 5, 14, 5, 9, tzinfo=UTC)

Counts = tuple[str, int | None, int, int]
"""Category, device type, impressions, clicks."""


def english(zone: str = "UTC", locale: str = "en-US") -> UserContext:
    return user_of(Preferences(lang="en"), {"locale": locale, "timezone": zone})


def korean(locale: str = "ko-KR") -> UserContext:
    return user_of(Preferences(lang="ko"), {"locale": locale, "timezone": "Asia/Seoul"})


def row(number: int, impressions: int = 1, clicks: int = 0, window_type: WindowType = "1min") -> Window:
    """The window with that number, counted from the epoch."""
    length_ms = MINUTE_MS * WINDOW_MINUTES[window_type]
    return Window(
        window_type=window_type,
        window_start_ms=number * length_ms,
        window_end_ms=(number + 1) * length_ms,
        impressions=impressions,
        clicks=clicks,
        ctr=rate_of(clicks, impressions),
    )


def segments_of(*counts: Counts) -> tuple[Segment, ...]:
    return tuple(
        segment(category, device, impressions, clicks) for category, device, impressions, clicks in counts
    )


def document(
    number: int,
    impressions: int = 1,
    *,
    final: bool,
    segments: tuple[Segment, ...] = (),
    written_ms: int = 0,
    revision: int = 0,
) -> WindowDocument:
    """A document of `impressions`, or of what its segments sum to."""
    counted = sum(each.impressions for each in segments) if segments else impressions
    clicks = sum(each.clicks for each in segments)
    return WindowDocument(
        window_type="1min",
        window_start_ms=number * MINUTE_MS,
        window_end_ms=(number + 1) * MINUTE_MS,
        impressions=counted,
        clicks=clicks,
        ctr=rate_of(clicks, counted),
        rates={},
        segments=segments,
        final=final,
        revision=revision,
        written_ms=written_ms,
    )


CATEGORIES: Final = ("news", "sports", "games", "other")
DEVICES: Final = (0, 1, 4, -1)


@st.composite
def counted_segments(draw: st.DrawFn) -> tuple[Segment, ...]:
    """Different segments with counts; perhaps one of them sums those beyond a document's limit."""
    pairs = draw(st.lists(st.tuples(st.sampled_from(CATEGORIES), st.sampled_from(DEVICES)), unique=True))
    places: list[tuple[str, int | None]] = [*pairs, *([("other", None)] if draw(st.booleans()) else [])]
    made = []
    for category, device in places:
        impressions = draw(st.integers(1, 10**9))
        made.append((category, device, impressions, draw(st.integers(0, impressions))))
    return segments_of(*made)


def selection(categories: Iterable[str] = (), devices: Iterable[int] = ()) -> Selection:
    return Selection.of({"site_category": categories, "device_type": devices})


selections: Final = st.builds(
    selection,
    categories=st.frozensets(st.sampled_from(CATEGORIES)),
    devices=st.frozensets(st.sampled_from(DEVICES)),
)

locales: Final = st.sampled_from(
    ["en-US", "en-GB", "ko-KR", "de-DE", "fr-FR", "hi-IN", "ar-EG", "pt", "zz-ZZ", ""]
)
