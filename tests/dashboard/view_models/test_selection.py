"""A window narrowed down counts the chosen segments, all of them and no others."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dashboard.view_models.selection import narrowed, rate_of
from tests.dashboard.examples import DEVICES, counted_segments, document, segments_of, selection, selections
from warehouse.ctr import percent
from warehouse.windows import EVERYTHING, Segment, Selection

WINDOW = document(
    1,
    final=True,
    segments=segments_of(("news", 1, 50, 5), ("sports", 1, 30, 6), ("news", 0, 20, 1), ("other", None, 7, 3)),
)


def test_a_choice_counts_only_itself() -> None:
    chosen = narrowed(WINDOW, selection(frozenset({"news"})))
    assert (chosen.impressions, chosen.clicks, chosen.ctr) == (70, 6, 8.57)
    assert chosen.rates == {"site_category": {"news": 8.57}, "device_type": {"1": 10.0, "0": 5.0}}
    assert chosen.segments == (WINDOW.segments[0], WINDOW.segments[2])


def test_both_dimensions_narrow() -> None:
    chosen = narrowed(WINDOW, selection({"news", "sports"}, frozenset({1})))
    assert (chosen.impressions, chosen.clicks) == (80, 11)


def test_what_is_not_there_counts_nothing() -> None:
    chosen = narrowed(WINDOW, selection(devices=frozenset({7})))
    assert (chosen.impressions, chosen.clicks, chosen.ctr, chosen.segments) == (0, 0, 0.0, ())


def test_what_is_no_count_stays() -> None:
    chosen = narrowed(WINDOW, selection(devices=frozenset({1})))
    unchanged = ("window_type", "window_start_ms", "window_end_ms", "final", "revision", "written_ms")
    assert [getattr(chosen, name) for name in unchanged] == [getattr(WINDOW, name) for name in unchanged]


@given(counted_segments())
@settings(deadline=None)
def test_everything_chosen_changes_nothing(segments: tuple[Segment, ...]) -> None:
    window = document(1, final=True, segments=segments)
    assert narrowed(window, EVERYTHING) == window
    # Named one by one it is the same, but for what no name stands for.
    assume(segments and not any(each.is_rest for each in segments))
    everybody = selection(frozenset(str(each.value("site_category")) for each in segments))
    assert replace(narrowed(window, everybody), rates={}) == window


@given(counted_segments(), selections)
@settings(deadline=None)
def test_a_window_is_narrowed_to_what_the_choice_holds(
    segments: tuple[Segment, ...], selection: Selection
) -> None:
    chosen = narrowed(document(1, final=True, segments=segments), selection)
    assert chosen.segments == tuple(each for each in segments if selection.holds(each))
    if not selection.whole:
        assert chosen.impressions == sum(each.impressions for each in chosen.segments)
        assert chosen.clicks == sum(each.clicks for each in chosen.segments)
        assert chosen.ctr == rate_of(chosen.clicks, chosen.impressions)
    assert narrowed(chosen, selection) == chosen


@given(counted_segments(), st.frozensets(st.sampled_from(DEVICES), min_size=1, max_size=3))
@settings(deadline=None)
def test_parts_sum_to_the_whole(segments: tuple[Segment, ...], devices: frozenset[int]) -> None:
    """Two choices that have nothing in common and leave nothing out, but for the summed segment."""
    window = document(1, final=True, segments=segments)
    halves = [narrowed(window, selection(devices=each)) for each in (devices, frozenset(DEVICES) - devices)]
    summed = [each for each in segments if each.is_rest]
    for figure in ("impressions", "clicks"):
        together = sum(getattr(each, figure) for each in (*halves, *summed))
        assert together == sum(getattr(each, figure) for each in segments)


@given(st.integers(1, 10**12), st.integers(0, 10**12))
@settings(deadline=None)
def test_a_rate_is_the_platforms_and_of_nothing_it_is_zero(impressions: int, clicks: int) -> None:
    assert rate_of(clicks, impressions) == percent(clicks, impressions)
    assert rate_of(0, 0) == 0.0
