"""Segments summed by a dimension, or laid out by both, lose nothing that they say they show."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.view_models.breakdown import MAX_PARTS, OTHER, Cell, Part, cells, parts
from tests.dashboard.examples import counted_segments, segments_of
from warehouse.windows import Segment

BOTH = ("site_category", "device_type")
WINDOW = segments_of(("news", 1, 30, 3), ("sports", 1, 20, 5), ("news", 0, 10, 1))


def figures(found: list[Part]) -> list[tuple[str, int, float]]:
    return [(part.label, part.impressions, part.ctr) for part in found]


def test_a_window_is_split_by_each_dimension() -> None:
    assert figures(parts("site_category", WINDOW)) == [("news", 40, 10.0), ("sports", 20, 25.0)]
    assert figures(parts("device_type", WINDOW)) == [("1", 50, 16.0), ("0", 10, 10.0)]


def test_many_parts_end_in_a_sum_of_the_rest() -> None:
    window = segments_of(*((f"c{number:02}", 1, 100 - number, 1) for number in range(MAX_PARTS + 2)))
    found = parts("site_category", window)
    assert len(found) == MAX_PARTS
    rest = found[-1]
    assert (rest.label, rest.values, rest.impressions, rest.ctr) == ("", 3, 93 + 92 + 91, 1.09)
    # As many as fit are all named.
    assert [part.label for part in parts("site_category", window[:MAX_PARTS])][-1] == f"c{MAX_PARTS - 1:02}"


def test_segments_that_a_document_sums_have_no_device() -> None:
    assert [
        part.label for part in parts("device_type", segments_of(("news", 1, 30, 3), ("other", None, 5, 0)))
    ] == [
        "1",
        OTHER,
    ]


def test_shares_are_compared_with_the_window_before() -> None:
    before = segments_of(("news", 1, 75, 0), ("games", 1, 25, 0))
    found = {part.label: part for part in parts("site_category", WINDOW, before)}
    assert found["news"].share == pytest.approx(66.67, abs=0.01)
    assert found["news"].share_before == 75
    assert found["sports"].share_before == 0
    assert [part.share_before for part in parts("site_category", WINDOW, None)] == [None, None]
    assert [part.share_before for part in parts("site_category", WINDOW, ())] == [None, None]


def test_the_sum_of_the_small_ones_is_compared_as_a_whole() -> None:
    before = segments_of(*((f"c{number:02}", 1, 10, 1) for number in range(10)))
    window = segments_of(*((f"c{number:02}", 1, 100 - number, 1) for number in range(10)))
    assert parts("site_category", window, before)[-1].share_before == pytest.approx(30)


dimensions: st.SearchStrategy[str] = st.sampled_from(["site_category", "device_type"])
many = st.lists(
    st.builds(
        Segment,
        dimensions=st.fixed_dictionaries(
            {
                "site_category": st.sampled_from([f"c{number}" for number in range(20)]),
                "device_type": st.integers(-1, 12),
            }
        ),
        impressions=st.integers(1, 10**6),
        clicks=st.just(0),
    ),
    min_size=1,
    max_size=60,
)


@given(dimensions, counted_segments().map(list) | many)
@settings(deadline=None)
def test_parts_sum_to_the_whole(dimension: str, segments: list[Segment]) -> None:
    found = parts(dimension, segments)
    assert len(found) <= MAX_PARTS
    for figure in ("impressions", "clicks"):
        together = sum(getattr(each, figure) for each in segments)
        assert sum(getattr(part, figure) for part in found) == together
    if segments:
        assert sum(part.share for part in found) == pytest.approx(100)
    named = [part.impressions for part in found if part.label]
    assert named == sorted(named, reverse=True)


def test_both_dimensions_are_laid_out_against_each_other() -> None:
    assert cells(BOTH, WINDOW) == [
        Cell(row="news", column="1", impressions=30, clicks=3),
        Cell(row="sports", column="1", impressions=20, clicks=5),
        Cell(row="news", column="0", impressions=10, clicks=1),
    ]
    assert cells(BOTH, ()) == []


@given(many)
@settings(deadline=None)
def test_a_field_is_there_once_with_all_of_its_counts(segments: list[Segment]) -> None:
    found = cells(BOTH, segments)
    places = [(cell.row, cell.column) for cell in found]
    assert len(places) == len(set(places))
    assert len({category for category, _ in places}) <= MAX_PARTS
    assert len({device for _, device in places}) <= MAX_PARTS
    for cell in found:
        assert cell.impressions == sum(
            each.impressions
            for each in segments
            if tuple(str(each.value(name)) for name in BOTH) == (cell.row, cell.column)
        )
