"""Dimensions as readers meet them."""

from __future__ import annotations

from contract.stream.load import shipped_stream
from dashboard.user_context.dimensions import in_order, shown_dimensions
from tests.dashboard.examples import english, korean

CATEGORY, DEVICE = shown_dimensions(shipped_stream())


def test_titles_are_in_the_readers_language() -> None:
    assert [each.title(english()) for each in (CATEGORY, DEVICE)] == ["Site category", "Device type"]
    assert [each.title(korean()) for each in (CATEGORY, DEVICE)] == ["사이트 카테고리", "기기 유형"]


def test_links_that_were_shared_before_lead_where_they_did() -> None:
    assert [each.parameter for each in (CATEGORY, DEVICE)] == ["category", "device"]


def test_a_number_has_its_title_beside_it() -> None:
    assert CATEGORY.value(english(), "news") == "news"
    assert DEVICE.value(english(), 1) == "Device type 1"


def test_a_value_with_a_name_is_called_so() -> None:
    names = {"site_category": {"50e219e0": "News"}, "device_type": {"1": "Mobile", "4": "  ", "5": "5"}}
    category, device = shown_dimensions(shipped_stream(), names)
    assert [category.value(english(), each) for each in ("50e219e0", "news")] == ["News", "news"]
    assert [device.value(english(), each) for each in (1, 4, 5)] == [
        "Mobile",
        "Device type 4",
        "Device type 5",
    ]
    assert [device.named_value(english(), each) for each in (1, 4)] == ["Mobile (1)", "Device type 4"]
    assert [device.name(each) for each in (1, "1", 4)] == ["Mobile", "Mobile", "4"]
    assert [category.named(each) for each in ("50e219e0", "news")] == ["News (50e219e0)", "news"]


def test_numbers_are_in_the_order_of_numbers() -> None:
    assert in_order({10, 2, -1}) == [-1, 2, 10]
    assert in_order({"b", "a10", "a2"}) == ["a10", "a2", "b"]
