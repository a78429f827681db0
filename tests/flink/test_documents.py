"""Window documents: exact rates, bounded segments, the contract's fields."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink.config import Dimension
from flink.documents import (
    MAX_BYTES,
    MAX_ENTRIES,
    TIME_TO_LIVE_S,
    WINDOW_MINUTES,
    add_segments,
    build,
    document_key,
    percent,
    to_json,
    window_end,
    window_id,
)
from tests.support.tables import DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flink.documents import Counts

START_MS = 1_793_750_700_000  # 2026-11-04 00:05 UTC
EXACT = Context(prec=80)
"""Digits enough for every quotient of two 64-bit numbers to fall on its own side of a half."""

impressions_and_clicks = st.integers(1, 2**63 - 1).flatmap(
    lambda impressions: st.tuples(st.just(impressions), st.integers(0, impressions))
)
segments = st.tuples(st.text(max_size=8), st.integers(-(2**31), 2**31 - 1))


def counts_of(maximum: int) -> st.SearchStrategy[Counts]:
    sums = st.integers(1, 10**6).flatmap(
        lambda impressions: st.tuples(st.just(impressions), st.integers(0, impressions)).map(list)
    )
    return st.dictionaries(segments, sums, min_size=1, max_size=maximum)


def document(counts: Counts, *, final: bool = True, window_type: str = "1min") -> Mapping[str, Any]:
    return build(window_type, START_MS, counts, DIMENSIONS, final=final, written_ms=START_MS + 7)


def rounded(clicks: int, impressions: int) -> float:
    """The contract's words in decimal arithmetic."""
    exact = EXACT.divide(EXACT.multiply(100, clicks), impressions)
    return float(exact.quantize(Decimal("0.01"), ROUND_HALF_UP, EXACT))


@given(impressions_and_clicks)
def test_percent_is_decimal_rounded_half_up(pair: tuple[int, int]) -> None:
    impressions, clicks = pair
    assert percent(clicks, impressions) == rounded(clicks, impressions)


@given(st.integers(0, 10_000), st.integers(1, 2**40))
def test_percent_of_a_tie_goes_up(hundredths: int, scale: int) -> None:
    # (hundredths + 1/2) / 10,000, which no binary fraction holds exactly.
    clicks, impressions = (2 * hundredths + 1) * scale, 20_000 * scale
    assert percent(clicks, impressions) == (hundredths + 1) / 100


@pytest.mark.parametrize(
    ("clicks", "impressions", "shown"),
    [(0, 1, 0.0), (1, 1, 100.0), (1, 3, 33.33), (2, 3, 66.67), (1, 200_000, 0.0), (1, 20_000, 0.01)],
)
def test_percent_by_hand(clicks: int, impressions: int, shown: float) -> None:
    assert percent(clicks, impressions) == shown


@given(st.lists(st.tuples(segments, st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=40))
def test_partial_counts_add_up_in_any_portions(rows: list[tuple[tuple[str, int], int, int]]) -> None:
    partial = [[*segment, impressions, clicks] for segment, impressions, clicks in rows]
    at_once: Counts = {}
    add_segments(at_once, partial, 2)
    one_by_one: Counts = {}
    for row in reversed(partial):
        add_segments(one_by_one, json.loads(json.dumps([row])), 2)
    assert at_once == one_by_one
    assert sum(sums[0] for sums in at_once.values()) == sum(row[1] for row in rows)
    assert sum(sums[1] for sums in at_once.values()) == sum(row[2] for row in rows)


@given(counts_of(12))
def test_rates_are_of_the_sums_by_each_dimension(counts: Counts) -> None:
    built = document(counts)
    for position, dimension in enumerate(DIMENSIONS):
        rates = built[dimension.document_key]
        assert set(rates) == {str(segment[position]) for segment in counts}
        for value, rate in rates.items():
            chosen = [sums for segment, sums in counts.items() if str(segment[position]) == value]
            assert rate == rounded(sum(s[1] for s in chosen), sum(s[0] for s in chosen))


@given(counts_of(12))
def test_totals_and_segments_say_the_same(counts: Counts) -> None:
    built = document(counts)
    assert sum(row[2] for row in built["segments"]) == built["total_impressions"]
    assert sum(row[3] for row in built["segments"]) == built["total_clicks"]
    assert built["ctr"] == rounded(built["total_clicks"], built["total_impressions"])
    assert {(row[0], row[1]): row[2:] for row in built["segments"]} == counts
    sizes = [row[2] for row in built["segments"]]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("more", [0, 1, 700])
def test_what_is_beyond_the_largest_segments_is_summed(more: int) -> None:
    counts: Counts = {(f"c{n}", 1): [n + 1, n // 2] for n in range(MAX_ENTRIES + more)}
    built = document(counts)
    named = built["segments"][:MAX_ENTRIES]
    assert [row[2] for row in named] == list(range(MAX_ENTRIES + more, more, -1))
    rest = built["segments"][MAX_ENTRIES:]
    if more:
        assert rest == [["other", None, more * (more + 1) // 2, sum(n // 2 for n in range(more))]]
    else:
        assert rest == []
    assert sum(row[2] for row in built["segments"]) == built["total_impressions"]
    assert sum(row[3] for row in built["segments"]) == built["total_clicks"]
    largest = {f"c{n}" for n in range(more, MAX_ENTRIES + more)}
    assert set(built["category_ctr"]) == largest


@pytest.mark.parametrize("character", ["x", "\x01", "뉴", "\U0001f600"])
def test_a_document_has_a_bound_however_long_its_names_are(character: str) -> None:
    """128 characters at the most are kept of a category; a control character takes six bytes in JSON."""
    counts: Counts = {(f"{n:04}{character * 124}", n): [1000 - n, 1] for n in range(2 * MAX_ENTRIES)}
    built = document(counts)
    assert len(to_json(built).encode()) <= MAX_BYTES
    assert sum(row[2] for row in built["segments"]) == built["total_impressions"]
    assert built["segments"][0][2] == 1000
    assert len(built["category_ctr"]) == len(built["segments"]) - 1 >= MAX_ENTRIES // 4


def test_a_document_is_what_the_contract_says() -> None:
    counts: Counts = {("sports", 1): [3, 1], ("unknown", 0): [7, 0]}
    built = document(counts, final=False, window_type="5min")
    assert json.loads(to_json(built)) == {
        "window_id": "20261104T0005Z",
        "window_type": "5min",
        "window_start": START_MS,
        "window_end": START_MS + 300_000,
        "total_impressions": 10,
        "total_clicks": 1,
        "ctr": 10.0,
        "category_ctr": {"sports": 33.33, "unknown": 0.0},
        "device_ctr": {"0": 0.0, "1": 33.33},
        "segments": [["unknown", 0, 7, 0], ["sports", 1, 3, 1]],
        "final": False,
        "revision": 0,
        "timestamp": START_MS + 7,
    }


@given(counts_of(3))
def test_json_keeps_every_character(counts: Counts) -> None:
    built = document(counts)
    assert json.loads(to_json(built)) == built


def test_another_dimension_has_its_rates_and_its_column() -> None:
    dimensions = (*DIMENSIONS, Dimension(field="banner_pos", type="int", document_key="banner_ctr"))
    counts: Counts = {("news", 1, 0): [2, 1], ("news", 1, 7): [2, 0]}
    built = build("1min", START_MS, counts, dimensions, final=True, written_ms=0)
    assert built["banner_ctr"] == {"0": 50.0, "7": 0.0}
    assert built["category_ctr"] == {"news": 25.0}
    assert built["segments"] == [["news", 1, 0, 2, 1], ["news", 1, 7, 2, 0]]


def test_the_rest_of_one_dimension_is_no_value_of_it() -> None:
    counts: Counts = {(f"c{number:03}",): [1000 - number, 0] for number in range(MAX_ENTRIES + 2)}
    built = build(
        "1min", START_MS, counts | {("other",): [5000, 1]}, DIMENSIONS[:1], final=True, written_ms=0
    )
    assert built["segments"][0] == ["other", 5000, 1]
    assert built["segments"][-1] == [None, 501 + 500 + 499, 0]


@pytest.mark.parametrize("more", [0, 3])
def test_a_further_measure_has_its_total_and_its_place_in_every_segment(more: int) -> None:
    counts: Counts = {(f"c{n}", 1): [n + 1, 0, 10**12, -n] for n in range(MAX_ENTRIES + more)}
    built = build("1min", START_MS, counts, DIMENSIONS, measures=("cost", "value"), final=True, written_ms=0)
    assert built["cost"] == 10**12 * (MAX_ENTRIES + more)
    assert built["value"] == sum(row[5] for row in built["segments"]) == -sum(range(MAX_ENTRIES + more))
    largest = MAX_ENTRIES + more - 1
    assert built["segments"][0] == [f"c{largest}", 1, largest + 1, 0, 10**12, -largest]
    rest = built["segments"][MAX_ENTRIES:]
    assert rest == ([["other", None, 6, 0, 3 * 10**12, -3]] if more else [])
    assert set(built) == {*document({("news", 1): [1, 0]}), "cost", "value"}
    assert json.loads(to_json(built)) == built


@pytest.mark.parametrize(
    ("start_ms", "name"),
    [(0, "19700101T0000Z"), (START_MS, "20261104T0005Z"), (4_102_444_740_000, "20991231T2359Z")],
)
def test_a_window_is_named_by_its_start_in_utc(start_ms: int, name: str) -> None:
    assert window_id(start_ms) == name


def test_windows_have_their_lengths_keys_and_lives() -> None:
    assert {kind: window_end(kind, 0) for kind in WINDOW_MINUTES} == {"1min": 60_000, "5min": 300_000}
    assert document_key("1min", "20261104T0005Z") == "metrics:1min:20261104T0005Z"
    assert TIME_TO_LIVE_S == {"1min": 300, "5min": 1500}
