"""An address says what a reader has chosen; what of it cannot be used is as good as absent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.user_context.preferences import (
    DEFAULT_REFRESH_S,
    FASTEST_REFRESH_S,
    SLOWEST_REFRESH_S,
    Preferences,
    read_preferences,
)

CHOSEN = {
    "refresh": "30",
    "lang": "ko",
    "theme": "dark",
    "tz": "Asia/Seoul",
    "accuracy_min": "99.5",
    "delay_max": "3",
    "ctr_min": "1",
    "ctr_max": "40.5",
}


def test_an_address_without_choices_leaves_all_to_the_browser_and_the_platform() -> None:
    chosen = read_preferences({})
    assert chosen == Preferences()
    assert chosen.refresh == DEFAULT_REFRESH_S == 10
    assert (chosen.lang, chosen.theme, chosen.tz, chosen.accuracy_min) == (None, None, None, None)


def test_every_choice_is_read() -> None:
    assert read_preferences(CHOSEN) == Preferences(
        refresh=30,
        lang="ko",
        theme="dark",
        tz="Asia/Seoul",
        accuracy_min=99.5,
        delay_max=3.0,
        ctr_min=1.0,
        ctr_max=40.5,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("refresh", "4"),
        ("refresh", "61"),
        ("refresh", "10.5"),
        ("refresh", "soon"),
        ("refresh", ""),
        ("lang", "de"),
        ("lang", ""),
        ("theme", "black"),
        ("tz", "Mars/Olympus"),
        ("tz", "../../etc/passwd"),
        ("accuracy_min", "101"),
        ("accuracy_min", "-1"),
        ("accuracy_min", "nan"),
        ("delay_max", "0"),
        ("delay_max", "inf s"),
        ("ctr_min", "low"),
        ("ctr_max", "100.1"),
    ],
)
def test_one_that_cannot_be_used_is_as_good_as_absent_and_the_others_hold(name: str, value: str) -> None:
    others = {each: CHOSEN[each] for each in CHOSEN if each != name}
    assert read_preferences({**others, name: value}) == read_preferences(others)
    assert read_preferences({name: value}) == Preferences()


def test_the_pace_has_bounds_that_can_be_chosen() -> None:
    for pace in (FASTEST_REFRESH_S, SLOWEST_REFRESH_S):
        assert read_preferences({"refresh": str(pace)}).refresh == pace


def test_what_is_no_preference_is_left_alone() -> None:
    assert read_preferences(
        {"category": ["news", "sports"], "split": "final", "refresh": "5"}
    ) == Preferences(refresh=5)


names = st.sampled_from([*Preferences.model_fields, "category", "embed_options"]) | st.text()
values: st.SearchStrategy[Any] = (
    st.text() | st.lists(st.text()) | st.floats().map(str) | st.integers().map(str)
)


@settings(deadline=None)
@given(st.dictionaries(names, values))
def test_any_address_opens(address: dict[str, Any]) -> None:
    chosen = read_preferences(address)
    # Still valid, by its own rules.
    assert Preferences.model_validate(chosen.model_dump()) == chosen
