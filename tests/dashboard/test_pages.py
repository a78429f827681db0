"""Every page runs in every language, whatever its link says; a setting that cannot be used is one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.components.stores import read_anew
from tests.support.pages import ENGLISH, KOREAN, PAGES, RUN_TIMEOUT_S, SCRIPT, charts, metrics, open_page
from tests.support.traffic import put_hour
from tests.support.windows import put_document

if TYPE_CHECKING:
    from contract.settings import Settings

pytestmark = pytest.mark.stack

TITLES: Final = {
    "live": "Live",
    "five_minutes": "5 minutes",
    "comparison": "Comparison",
    "quality": "Quality",
    "health": "Health",
    "settings": "Settings",
}


@pytest.mark.parametrize("browser", [ENGLISH, KOREAN, {}, {"locale": "de-DE", "timezone": "Mars/Olympus"}])
def test_every_page_runs_for_every_reader(settings: Settings, browser: dict[str, str]) -> None:
    for window_type in ("1min", "5min"):
        put_hour(settings, window_type)
    korean = browser is KOREAN
    for name in PAGES:
        page = open_page(name, browser=browser)
        title = page.title[0].value
        assert (title == TITLES[name]) is not korean
        # Of one minute and 5 others the comparison says that they differ, and it is right.
        assert bool(page.error) is (name == "comparison")
        assert page.button(key="refresh_now").label.isascii() is not korean
        if name in ("live", "five_minutes"):
            drawn = charts(page)
            assert len(drawn) == 4
            for figure in drawn.values():
                # Each keeps a zoom, and writes numbers as the reader does.
                assert figure["layout"]["uirevision"]
                german = browser.get("locale") == "de-DE"
                assert figure["layout"]["separators"] == (",." if german else ".,")


@pytest.mark.parametrize(
    "address",
    [
        {
            "refresh": "0",
            "lang": "",
            "tz": "x",
            "theme": "blue",
            "span": "year",
            "compare": "x",
            "split": "all",
        },
        {
            "category": ["", "a" * 500, "nul\0", "<script>"],
            "device": ["1e3", "-", "--1", "99999999999999999999", "\u0661"],
        },
        {"category_2": "x", "device_2": "4", "compare": "segments", "looked_back": "", "ctr_max": "NaN"},
    ],
)
def test_any_link_opens(settings: Settings, address: dict[str, Any]) -> None:
    put_hour(settings, "1min")
    for name in PAGES:
        page = open_page(name, address)
        assert page.title[0].value == TITLES[name]
        # Nor does it pass for an outage.
        assert not page.warning


def test_a_refresh_by_hand_reads_anew(settings: Settings) -> None:
    hour = put_hour(settings, "1min")
    page = open_page("live")
    put_document(settings, "1min", hour.current, {("news", 1): [2_222, 0]}, final=False)
    page.button(key="refresh_now").click().run()
    assert metrics(page)["Impressions"][0] == "2,222"


def test_a_setting_that_cannot_be_used_is_one_line(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    del settings
    monkeypatch.setenv("REDIS_PORT", "many")
    read_anew()
    page = AppTest.from_file(str(SCRIPT), default_timeout=RUN_TIMEOUT_S).run()
    assert not page.exception
    (error,) = page.error
    assert error.value.startswith("REDIS_PORT='many'")
    assert not page.metric
