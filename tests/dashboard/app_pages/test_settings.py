"""The settings page writes every choice into the address, and shows what the address says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dashboard.user_context.preferences import DEFAULT_REFRESH_S, read_preferences
from tests.support.pages import KOREAN, open_page, run

if TYPE_CHECKING:
    from contract.settings import Settings

pytestmark = pytest.mark.stack

CHOICES: dict[str, tuple[Any, str]] = {
    "refresh": (30, "30"),
    "lang": ("ko", "ko"),
    "theme": ("dark", "dark"),
    "tz": ("Asia/Seoul", "Asia/Seoul"),
    "accuracy_min": (99.5, "99.5"),
    "delay_max": (3.5, "3.5"),
    "ctr_min": (1.0, "1.0"),
    "ctr_max": (40.0, "40.0"),
}


def widget(page: Any, name: str) -> Any:
    return page.get_by_key(f"setting-{name}")


def test_every_choice_goes_into_the_address(settings: Settings) -> None:
    page = open_page("settings")
    for name, (value, _) in CHOICES.items():
        widget(page, name).set_value(value)
    run(page)
    assert dict(page.query_params) == {name: written for name, (_, written) in CHOICES.items()}
    chosen = read_preferences(page.query_params)
    assert {name: getattr(chosen, name) for name in CHOICES} == {
        name: value for name, (value, _) in CHOICES.items()
    }
    del settings


def test_the_address_is_read_back(settings: Settings) -> None:
    page = open_page("settings", {name: written for name, (_, written) in CHOICES.items()})
    assert {name: widget(page, name).value for name in CHOICES} == {
        name: value for name, (value, _) in CHOICES.items()
    }
    assert page.title[0].value == "설정"
    del settings


def test_without_choices_it_shows_what_holds(settings: Settings) -> None:
    page = open_page("settings", browser=KOREAN)
    assert {name: widget(page, name).value for name in CHOICES} == {
        "refresh": DEFAULT_REFRESH_S,
        "lang": "",
        "theme": "",
        "tz": "",
        "accuracy_min": settings.accuracy_alarm_percent,
        "delay_max": 2.0,
        "ctr_min": 0.0,
        "ctr_max": 100.0,
    }
    assert page.title[0].value == "설정"


def test_a_choice_taken_back_leaves_the_address(settings: Settings) -> None:
    page = open_page("settings", {name: written for name, (_, written) in CHOICES.items()})
    defaults = {
        "refresh": DEFAULT_REFRESH_S,
        "lang": "",
        "theme": "",
        "tz": "",
        "accuracy_min": settings.accuracy_alarm_percent,
        "delay_max": 2.0,
        "ctr_min": 0.0,
        "ctr_max": 100.0,
    }
    for name, value in defaults.items():
        widget(page, name).set_value(value)
    run(page)
    assert not page.query_params


def test_choices_of_other_pages_stay(settings: Settings) -> None:
    page = open_page("settings", {"category": "news", "split": "final"})
    widget(page, "refresh").set_value(60)
    run(page)
    assert page.query_params == {"category": ["news"], "split": ["final"], "refresh": ["60"]} or dict(
        page.query_params
    ) == {"category": "news", "split": "final", "refresh": "60"}
    del settings


def test_what_cannot_be_used_is_shown_as_if_it_were_not_there(settings: Settings) -> None:
    page = open_page("settings", {"refresh": "1", "lang": "xx", "tz": "Mars", "ctr_max": "many"})
    assert widget(page, "refresh").value == DEFAULT_REFRESH_S
    assert (widget(page, "lang").value, widget(page, "tz").value, widget(page, "ctr_max").value) == (
        "",
        "",
        100,
    )
    del settings
