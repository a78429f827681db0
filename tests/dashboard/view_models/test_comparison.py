"""1 min windows sum to 5 min ones; those that do not are named, and no others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dashboard.view_models.comparison import Difference, differing, summed, totals
from dashboard.view_models.selection import rate_of
from tests.dashboard.examples import row

if TYPE_CHECKING:
    from warehouse.windows import Window


@st.composite
def minutes(draw: st.DrawFn) -> list[Window]:
    """1 min windows, the newest first, with gaps where nothing was counted."""
    numbers = draw(st.lists(st.integers(0, 60), unique=True))
    made = []
    for number in sorted(numbers, reverse=True):
        impressions = draw(st.integers(1, 10**6))
        made.append(row(number, impressions, draw(st.integers(0, impressions))))
    return made


def test_minutes_are_summed_to_where_they_belong() -> None:
    found = summed([row(11, 4, 1), row(9, 2, 2), row(5, 3, 0), row(4, 1, 1)])
    assert found == (
        row(2, 4, 1, window_type="5min"),
        row(1, 5, 2, window_type="5min"),
        row(0, 1, 1, window_type="5min"),
    )
    assert summed([]) == ()


@given(minutes())
@settings(deadline=None)
def test_sums_lose_nothing(windows: list[Window]) -> None:
    found = summed(windows)
    assert totals(found) == totals(windows)
    assert [each.start for each in found] == sorted({each.start for each in found}, reverse=True)
    for each in found:
        assert each.window_start_ms % 300_000 == 0
        assert each.window_end_ms - each.window_start_ms == 300_000
        assert each.ctr == rate_of(each.clicks, each.impressions)


@given(minutes())
@settings(deadline=None)
def test_the_same_differ_in_nothing(windows: list[Window]) -> None:
    found = summed(windows)
    assert differing(found, found) == ()
    assert differing(found, tuple(reversed(found))) == ()


@given(minutes(), st.data())
@settings(deadline=None)
def test_every_difference_is_named_and_nothing_else(windows: list[Window], data: st.DataObject) -> None:
    sums = summed(windows)
    assume(sums)
    outcomes = {each.start: data.draw(st.sampled_from(["same", "more", "clicked", "gone"])) for each in sums}
    whole = []
    for each in sums:
        if outcomes[each.start] == "more":
            whole.append(replace(each, impressions=each.impressions + 1))
        elif outcomes[each.start] == "clicked":
            whole.append(replace(each, clicks=each.clicks + 1))
        elif outcomes[each.start] == "same":
            whole.append(each)
    found = differing(sums, whole)
    assert [each.start for each in found] == [each.start for each in sums if outcomes[each.start] != "same"]
    assert all((each.whole is None) is (outcomes[each.start] == "gone") for each in found)


def test_a_window_that_only_one_series_has_is_a_difference() -> None:
    alone = row(1, 5, 1, window_type="5min")
    assert differing((), (alone,)) == (Difference(start=alone.start, summed=None, whole=alone),)
    assert differing((alone,), ()) == (Difference(start=alone.start, summed=alone, whole=None),)


def test_totals_of_nothing_are_nothing() -> None:
    assert (totals([]).impressions, totals([]).clicks, totals([]).ctr) == (0, 0, 0.0)
