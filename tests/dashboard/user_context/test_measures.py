"""Sums and what one of them costs, as readers meet them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract.stream.load import parse_stream, shipped_stream
from dashboard.user_context.measures import measured, shown_measures
from tests.dashboard.examples import english, korean, row

COST = """
[[measures]]
field = "C21"
column = "cost"
title = { en = "Cost", ko = "비용" }
unit = "USD"
scale = 0.000001
per = ["click", "1000 impressions", "impression"]
"""
MEASURES = shown_measures(parse_stream(shipped_stream().text + COST, shipped_stream().event_schema))


def test_the_shipped_stream_sums_nothing_more() -> None:
    assert shown_measures(shipped_stream()) == ()


def test_a_sum_is_in_its_unit_with_its_ratios() -> None:
    window = replace(row(0, impressions=2_000, clicks=4), measures={"cost": 10_000_000})
    assert measured(english(), MEASURES, window) == {
        "Cost, USD": 10.0,
        "Cost, USD per click": 2.5,
        "Cost, USD per 1,000 impressions": 5.0,
        "Cost, USD per impression": 0.005,
    }
    assert list(measured(korean(), MEASURES, window))[:2] == ["비용, USD", "클릭당 비용, USD"]


def test_of_nothing_counted_there_is_no_ratio() -> None:
    window = replace(row(0, impressions=5, clicks=0), measures={"cost": 7})
    assert measured(english(), MEASURES, window)["Cost, USD per click"] is None


@pytest.mark.parametrize(
    ("amount", "written"), [(1234.5, "1,234.50"), (0, "0.00"), (0.0123, "0.012"), (-0.5, "-0.50")]
)
def test_small_amounts_show_something(amount: float, written: str) -> None:
    assert english().amount(amount) == written
