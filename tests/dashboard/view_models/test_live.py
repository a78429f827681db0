"""Where both stores know a window, the right one is shown, and how late it is on the screen."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.view_models.live import CLOSES_AFTER_S, LiveData, _counted_after_s, merge
from dashboard.view_models.outages import Outage
from tests.dashboard.examples import MINUTE_MS, document, row

if TYPE_CHECKING:
    from warehouse.windows import Window, WindowDocument

HOUR = timedelta(hours=1)


def in_order(merged: tuple[object, ...]) -> list[tuple[int, int, bool]]:
    return [
        (each.window.window_start_ms // MINUTE_MS, each.window.impressions, each.final)  # type: ignore[attr-defined]
        for each in merged
    ]


@pytest.mark.parametrize(
    ("documents", "history", "shown"),
    [
        ([], [], []),
        ([document(5, final=False)], [row(4)], [(5, 1, False), (4, 1, True)]),
        # Rows of a window that just closed arrive in portions.
        ([document(4, 90, final=True)], [row(4, 70)], [(4, 90, True)]),
        # Redis was away when the window closed.
        ([document(4, 70, final=False)], [row(4, 90)], [(4, 90, True)]),
        # Postgres is away.
        ([document(5, 2, final=False), document(4, 90, final=True)], [], [(5, 2, False), (4, 90, True)]),
    ],
)
def test_each_window_is_shown_once(
    documents: list[WindowDocument], history: list[Window], shown: list[tuple[int, int, bool]]
) -> None:
    assert in_order(merge(documents, history, HOUR)) == shown


def test_no_more_than_the_span_is_shown() -> None:
    merged = merge([document(100, final=False)], [row(minute) for minute in range(99, 20, -1)], HOUR)
    assert [number for number, _, _ in in_order(merged)] == list(range(100, 40, -1))


@settings(deadline=None)
@given(
    st.lists(st.builds(document, st.integers(0, 90), st.integers(1, 9), final=st.booleans()), max_size=8),
    st.lists(st.builds(row, st.integers(0, 90), st.integers(1, 9)), unique_by=lambda each: each.start),
)
def test_whatever_the_stores_hold_windows_come_once_in_order_within_the_span(
    documents: list[WindowDocument], history: list[Window]
) -> None:
    merged = in_order(merge(documents, history, HOUR))
    numbers = [number for number, _, _ in merged]
    known = {each.window_start_ms // MINUTE_MS for each in (*documents, *history)}
    assert numbers == sorted((each for each in known if each > max(known) - 60), reverse=True)
    closed = {each.window_start_ms // MINUTE_MS for each in (*history, *(d for d in documents if d.final))}
    assert all(final is (number in closed) for number, _, final in merged)


def written(number: int, after_s: float, *, final: bool = True, revision: int = 0) -> WindowDocument:
    """A document that was written so long after its window had to close."""
    end_ms = (number + 1) * MINUTE_MS
    return document(
        number,
        final=final,
        revision=revision,
        written_ms=int(end_ms + 1000 * (CLOSES_AFTER_S + after_s)),
    )


@pytest.mark.parametrize(
    ("documents", "after_s"),
    [
        ([], None),
        ([written(4, 0.5)], 0.5),
        # The middle one: one may have waited for events.
        ([written(4, 0.5), written(3, 40), written(2, 0.75)], 0.75),
        # An open one says nothing, nor one into which late events were merged.
        ([written(5, 9, final=False)], None),
        ([written(5, 0.25), written(4, 3000, revision=1)], 0.25),
        # A window may close before all that is possible of disorder has passed: by idleness, say.
        ([written(4, -8)], 0.0),
    ],
)
def test_how_long_events_take_is_told_by_the_windows_that_closed(
    documents: list[WindowDocument], after_s: float | None
) -> None:
    assert _counted_after_s(documents) == after_s


def test_the_delay_to_the_screen_grows_while_nothing_is_written() -> None:
    live_data = LiveData(window_type="1min", at_s=1000.0, written_ms=998_500, counted_after_s=0.25)
    assert live_data.silence_s == 1.5
    assert live_data.delay_s == 1.75


def test_the_delay_is_unknown_before_a_window_has_closed_or_anything_was_written() -> None:
    assert LiveData(window_type="1min", at_s=1000.0, written_ms=998_500).delay_s is None
    assert LiveData(window_type="1min", at_s=1000.0, counted_after_s=0.25).delay_s is None


def test_a_clock_that_runs_ahead_makes_no_negative_age() -> None:
    assert LiveData(window_type="1min", at_s=1000.0, written_ms=1_000_400, counted_after_s=0.5).delay_s == 0.5


def test_what_is_away_is_known_by_name() -> None:
    live_data = LiveData(
        window_type="1min", at_s=0.0, outages=(Outage(store="Redis", since_s=0.0, reason="refused"),)
    )
    assert live_data.away("Redis")
    assert not live_data.away("Postgres")
