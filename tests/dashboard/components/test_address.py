"""What the address holds stays until the reader takes it back, also on the way to another page."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from warehouse.windows import Selection


def pages() -> None:
    """A page that shows what it makes of its address."""
    import streamlit as st  # noqa: PLC0415 - the script's own

    from dashboard.components.address import (  # noqa: PLC0415
        choose,
        chosen,
        chosen_segments,
        keep_choices,
        lost_choices,
    )

    st.query_params.update(lost_choices())
    keep_choices()
    st.session_state["selection"] = chosen_segments()
    st.session_state["option"] = chosen("split", ["open", "final"])
    st.button("forget", on_click=choose, args=("category", None))
    st.button("add", on_click=choose, args=("category", ["a", "b"]))


def opened(**address: str | list[str]) -> AppTest:
    page = AppTest.from_function(pages, default_timeout=120)
    for name, value in address.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


@pytest.mark.parametrize(
    ("devices", "known"),
    [
        ([], set()),
        (["1", "0", "-1"], {1, 0, -1}),
        (["", "-", "--1", "1e3", "1.0", " 1", "\u0661", "9" * 5000, "99999999999"], set()),
    ],
)
def test_device_types_are_small_whole_numbers(devices: list[str], known: set[int]) -> None:
    page = opened(device=devices) if devices else opened()
    assert page.session_state["selection"] == Selection.of({"device_type": known})


def test_categories_are_taken_as_they_are_but_for_what_no_store_takes() -> None:
    page = opened(category=["news", "50753547", "a b&c", "nul\0"])
    assert page.session_state["selection"].by_dimension()["site_category"] == {"news", "50753547", "a b&c"}


@pytest.mark.parametrize(
    ("address", "option"), [({}, "open"), ({"split": "final"}, "final"), ({"split": "x"}, "open")]
)
def test_an_option_that_there_is_not_is_the_first(address: dict[str, str], option: str) -> None:
    assert opened(**address).session_state["option"] == option


def test_what_another_page_begins_without_comes_back() -> None:
    page = opened(category="news", lang="ko")
    page.query_params.clear()
    page.run()
    assert dict(page.query_params) == {"category": "news", "lang": "ko"}
    # A link's own words count.
    page.query_params.clear()
    page.query_params["lang"] = "en"
    page.run()
    assert dict(page.query_params) == {"category": "news", "lang": "en"}


def test_what_was_taken_back_does_not() -> None:
    page = opened(category="news", lang="ko")
    page.button[0].click().run()
    page.query_params.clear()
    page.run()
    assert dict(page.query_params) == {"lang": "ko"}
    page.button[1].click().run()
    page.query_params.clear()
    page.run()
    assert page.query_params["category"] == ["a", "b"]
