"""Dimensions as readers meet them."""

from __future__ import annotations

from dashboard.user_context.dimensions import (
    declared_dimensions,
    in_order,
    parameter_of,
    title_of,
    value_of,
)
from tests.dashboard.examples import english, korean


def test_titles_are_in_the_readers_language() -> None:
    assert [title_of(english(), each) for each in declared_dimensions()] == ["Site category", "Device type"]
    assert [title_of(korean(), each) for each in declared_dimensions()] == ["사이트 카테고리", "기기 유형"]


def test_links_that_were_shared_before_lead_where_they_did() -> None:
    assert [parameter_of(each) for each in declared_dimensions()] == ["category", "device"]


def test_a_number_has_its_title_beside_it() -> None:
    category, device = declared_dimensions()
    assert value_of(english(), category, "news") == "news"
    assert value_of(english(), device, 1) == "Device type 1"


def test_numbers_are_in_the_order_of_numbers() -> None:
    assert in_order({10, 2, -1}) == [-1, 2, 10]
    assert in_order({"b", "a10", "a2"}) == ["a10", "a2", "b"]
