"""Every page runs, shows what the stores hold, and says so when one of them is away."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from ctr_platform.watch.heartbeats import beat
from dashboard.refresh import DEFAULT_REFRESH_S
from tests.support.stores import writing_engine
from tests.support.windows import put_document, put_rows
from warehouse.models import SUPERVISOR
from warehouse.windows import WINDOW_MINUTES

if TYPE_CHECKING:
    from ctr_platform.settings import Settings
    from flink.documents import Counts
    from tests.support.stack import RunningStack
    from warehouse.windows import WindowType

pytestmark = pytest.mark.stack

SCRIPT: Final = Path(__file__).parents[2] / "dashboard" / "pages.py"
RUN_TIMEOUT_S: Final = 60
"""The first run imports everything."""

PAGES: Final[dict[WindowType, str]] = {"1min": "app_pages/one_minute.py", "5min": "app_pages/five_minutes.py"}
OPEN: Counts = {("news", 1): [1200, 100], ("sports", 0): [34, 10]}
CLOSED: Counts = {("news", 1): [50_000, 6_000], ("sports", 1): [9_000, 2_000], ("news", 0): [1_000, 0]}


def open_page(window_type: WindowType) -> AppTest:
    page = AppTest.from_file(str(SCRIPT), default_timeout=RUN_TIMEOUT_S).run()
    page.switch_page(PAGES[window_type]).run()
    assert not page.exception
    return page


def metrics(page: AppTest) -> list[tuple[str, str]]:
    return [(metric.label, metric.value) for metric in page.metric]


def charts(page: AppTest) -> list[Any]:
    """Traces of each chart of the page."""
    return [
        json.loads(json.loads(chart.proto.json)["figure"])["data"] for chart in page.get("bidi_component")
    ]


def starts(window_type: WindowType) -> tuple[datetime, datetime]:
    """Of the window that is open now, and of the one before."""
    length_s = 60 * WINDOW_MINUTES[window_type]
    current = datetime.fromtimestamp(time.time() // length_s * length_s, tz=UTC)
    return current, current - timedelta(seconds=length_s)


def figures(impressions: str, clicks: str, ctr: str) -> list[tuple[str, str]]:
    return [("Impressions", impressions), ("Clicks", clicks), ("CTR", ctr)]


@pytest.fixture(params=["1min", "5min"])
def window_type(request: pytest.FixtureRequest) -> WindowType:
    chosen: WindowType = request.param
    return chosen


def test_nothing_yet_is_said(settings: Settings, window_type: WindowType) -> None:
    del settings
    page = open_page(window_type)
    assert [info.title for info in page.info] == ["Waiting for events"]
    assert not page.warning
    assert not page.metric


def test_the_figures_are_the_stores(settings: Settings, window_type: WindowType) -> None:
    current, before = starts(window_type)
    put_document(settings, window_type, current, OPEN, final=False)
    put_document(settings, window_type, before, CLOSED, final=True)
    put_rows(settings, window_type, before, CLOSED)
    earlier = before - timedelta(hours=1)
    put_rows(settings, window_type, earlier, {("news", 1): [7, 1]})
    page = open_page(window_type)
    assert metrics(page) == figures("1,234", "110", "8.91%") + figures("60,000", "8,000", "13.33%")
    table = page.dataframe[0].value
    assert [list(each) for each in table["state"]] == [["Open"], ["Final"], ["Final"]]
    assert table["impressions"].tolist() == [1234, 60_000, 7]
    assert table["clicks"].tolist() == [110, 8_000, 1]
    assert table["ctr"].tolist() == [8.91, 13.33, 14.29]
    assert table["start"].tolist() == [current, before, earlier]
    assert not page.info
    assert not page.warning


def test_the_charts_hold_the_same_figures(settings: Settings) -> None:
    current, before = starts("1min")
    put_document(settings, "1min", current, OPEN, final=False)
    put_document(settings, "1min", before, CLOSED, final=True)
    page = open_page("1min")
    windows, categories, devices = charts(page)
    assert (windows[0]["y"], windows[1]["y"]) == ([60_000, 1234], [13.33, 8.91])
    assert (categories[0]["y"], categories[0]["x"]) == (["news", "sports"], [1200, 34])
    assert categories[0]["text"] == ["1,200 · 8.33%", "34 · 29.41%"]
    assert devices[0]["y"] == ["1", "0"]

    page.get_by_key("split-1min").set_value("Final").run()  # type: ignore[union-attr]
    assert not page.exception
    _, categories, devices = charts(page)
    assert categories[0]["text"] == ["51,000 · 11.76%", "9,000 · 22.22%"]
    assert devices[0]["text"] == ["59,000 · 13.56%", "1,000 · 0.00%"]


def test_figures_that_stand_still_are_noticed(settings: Settings) -> None:
    current, _ = starts("1min")
    an_hour_ago_ms = int(1000 * time.time()) - 3_600_000
    put_document(settings, "1min", current, OPEN, final=False, written_ms=an_hour_ago_ms)
    (freshness, *_) = open_page("1min").caption
    assert "written 60 min ago" in freshness.value
    assert "no events since" in freshness.value


def test_whether_the_job_is_looked_after_is_said(settings: Settings) -> None:
    assert ":red[nobody looks after the job]" in open_page("1min").caption[0].value
    beat(settings, SUPERVISOR, "ctr_windows is RUNNING")
    assert "the job was last looked after less than a second ago" in open_page("1min").caption[0].value
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(text("UPDATE quality.heartbeats SET beat_at = now() - interval '61 s'"))
    assert ":red[the job was last looked after 6" in open_page("1min").caption[0].value


def test_the_pace_can_be_chosen(settings: Settings) -> None:
    del settings
    page = open_page("1min")
    assert page.selectbox(key="refresh").value == DEFAULT_REFRESH_S
    page.selectbox(key="refresh").select(60).run()
    page.button(key="refresh_now").click().run()
    assert not page.exception
    assert page.selectbox(key="refresh").value == 60


def test_without_redis_the_final_windows_stay(
    settings: Settings, stores: RunningStack, window_type: WindowType
) -> None:
    _, before = starts(window_type)
    put_rows(settings, window_type, before, CLOSED)
    stores.stop("redis")
    try:
        page = open_page(window_type)
        assert [(each.title, "Redis at 127.0.0.1" in each.value) for each in page.warning] == [
            ("No live figures", True)
        ]
        assert metrics(page) == [
            ("Impressions", "—"),
            ("Clicks", "—"),
            ("CTR", "—"),
            *figures("60,000", "8,000", "13.33%"),
        ]
        _, categories, _ = charts(page)
        assert categories[0]["text"] == ["51,000 · 11.76%", "9,000 · 22.22%"]
    finally:
        stores.start("redis")
    assert not open_page(window_type).warning


def test_without_postgres_the_live_part_goes_on(
    settings: Settings, stores: RunningStack, window_type: WindowType
) -> None:
    current, before = starts(window_type)
    put_document(settings, window_type, current, OPEN, final=False)
    put_document(settings, window_type, before, CLOSED, final=True)
    stores.stop("postgres")
    try:
        page = open_page(window_type)
        assert [(each.title, "Postgres at 127.0.0.1" in each.value) for each in page.warning] == [
            ("No history", True)
        ]
        assert metrics(page) == figures("1,234", "110", "8.91%") + figures("60,000", "8,000", "13.33%")
    finally:
        stores.start("postgres")
    assert not open_page(window_type).warning


def test_without_either_it_says_so_and_recovers(settings: Settings, stores: RunningStack) -> None:
    current, _ = starts("1min")
    for name in ("redis", "postgres"):
        stores.stop(name)
    try:
        page = open_page("1min")
        assert [each.title for each in page.error] == ["Neither store answers"]
        assert not page.metric
    finally:
        for name in ("redis", "postgres"):
            stores.start(name)
    put_document(settings, "1min", current, OPEN, final=False)
    page.run()
    assert not page.exception
    assert not page.error
    assert metrics(page)[:3] == figures("1,234", "110", "8.91%")


def test_a_setting_that_cannot_be_used_is_one_line(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    del settings
    monkeypatch.setenv("REDIS_PORT", "many")
    page = AppTest.from_file(str(SCRIPT), default_timeout=RUN_TIMEOUT_S).run()
    assert not page.exception
    (error,) = page.error
    assert error.value.startswith("REDIS_PORT='many'")
