"""The comparison page: two lengths, two choices of segments, two days; what differs is named."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.pages import charts, csv_rows, deltas, metrics, open_page, run, said, titled
from tests.support.windows import put_rows

if TYPE_CHECKING:
    from contract.settings import Settings
    from flink.documents import Counts
    from tests.dashboard.app_pages.conftest import Files

pytestmark = pytest.mark.stack

MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)


def put_quarter(
    settings: Settings, *, changed: Counts | None = None, day: timedelta = timedelta(0)
) -> datetime:
    """Three 5 min windows and their minutes, well before now; returns the newest one's start.

    Args:
        settings: where to put them.
        changed: counts of the newest 5 min window, instead of the sum of its minutes.
        day: by how much they are earlier.
    """
    newest = datetime.fromtimestamp(time.time() // 300 * 300, tz=UTC) - timedelta(minutes=10) - day
    for number in range(3):
        start = newest - 5 * number * MINUTE
        for minute in range(5):
            put_rows(
                settings, "1min", start + minute * MINUTE, {("news", 1): [200, 20], ("sports", 0): [20, 5]}
            )
        whole: Counts = {("news", 1): [1_000, 100], ("sports", 0): [100, 25]}
        put_rows(settings, "5min", start, changed if changed and not number else whole)
    return newest


def test_minutes_sum_to_their_5_minutes(settings: Settings, files: Files) -> None:
    put_quarter(settings)
    page = open_page("comparison")
    assert page.get_by_key("choice-compare").value == "lengths"  # type: ignore[union-attr]
    assert not page.error
    (box,) = page.success
    assert box.value == "All 3 windows of 5 min are the sums of their 1 min windows."
    assert metrics(page) == {"Impressions": ["3,300"] * 2, "Clicks": ["375"] * 2, "CTR": ["11.36%"] * 2}
    drawn = charts(page)
    for line in drawn["comparison-lengths-impressions"]["data"]:
        assert line["y"] == [1_100] * 3
    for line in drawn["comparison-lengths-ctr"]["data"]:
        assert line["y"] == [11.36] * 3
    rows = csv_rows(files["comparison-lengths-impressions.csv"])
    assert {row["series"] for row in rows} == {"1 min windows, summed", "5 min windows"}
    assert [int(row["impressions"]) for row in rows] == [1_100] * 6


def test_what_differs_is_named(settings: Settings) -> None:
    newest = put_quarter(settings, changed={("news", 1): [1_001, 100], ("sports", 0): [100, 24]})
    page = open_page("comparison", {"compare": "lengths"})
    (box,) = page.error
    assert box.value == "1 of 3 windows of 5 min are not the sums of their 1 min windows."
    assert not page.success
    table = page.dataframe[0].value
    assert table["start"].tolist() == [newest]
    assert table[["summed_impressions", "impressions", "summed_clicks", "clicks"]].to_numpy().tolist() == [
        [1_100, 1_101, 125, 124]
    ]
    # Nothing differs in what the reader has chosen to look at, if it is elsewhere.
    page = open_page("comparison", {"compare": "lengths", "device": "7"})
    assert not page.error


def test_a_5_minute_window_without_its_minutes_differs(settings: Settings) -> None:
    start = datetime.fromtimestamp(time.time() // 300 * 300, tz=UTC) - timedelta(minutes=10)
    put_rows(settings, "5min", start, {("news", 1): [10, 1]})
    page = open_page("comparison")
    assert page.error[0].value.startswith("1 of 1 windows")
    assert page.dataframe[0].value[["summed_impressions", "impressions"]].to_numpy().tolist() == [[0, 10]]


def test_two_choices_of_segments(settings: Settings, files: Files) -> None:
    put_quarter(settings)
    page = open_page("comparison", {"compare": "segments", "category": "news", "category_2": "sports"})
    assert "**news**" in said(page)
    assert "**sports**" in said(page)
    assert metrics(page) == {
        "Impressions": ["3,000", "300"],
        "Clicks": ["300", "75"],
        "CTR": ["10.00%", "25.00%"],
    }
    assert deltas(page)["Impressions"][0] == "+900.0%"
    assert deltas(page)["CTR"][0] == "-15.00 pp"
    first, second = charts(page)["comparison-segments-impressions"]["data"]
    assert (first["y"], second["y"]) == ([200] * 15, [20] * 15)
    assert first["x"] == second["x"]
    assert len(csv_rows(files["comparison-segments-ctr.csv"])) == 30

    page.multiselect(key="choice-category_2").set_value([])
    page.multiselect(key="choice-device_2").set_value([1])
    run(page)
    assert "category_2" not in page.query_params
    assert page.query_params["device_2"] == "1"
    assert "**Device type 1**" in said(page)
    assert metrics(page)["Impressions"] == ["3,000", "3,000"]


def test_now_and_yesterday_lie_over_each_other(settings: Settings) -> None:
    put_quarter(settings)
    newest = put_quarter(settings, day=DAY)
    page = open_page("comparison")
    page.get_by_key("choice-compare").set_value("days")  # type: ignore[union-attr]
    run(page)
    assert page.query_params["compare"] == "days"
    now, yesterday = charts(page)["comparison-days-impressions"]["data"]
    assert now["y"] == yesterday["y"] == [220] * 15
    assert now["x"] == yesterday["x"]
    assert now["x"][-1].startswith((newest + DAY + 4 * MINUTE).strftime("%Y-%m-%dT%H:%M"))
    assert metrics(page)["Impressions"] == ["3,300", "3,300"]
    # Yesterday alone tells nothing of today.
    page = open_page("comparison", {"compare": "days", "device": "0"})
    assert metrics(page)["Impressions"] == ["300", "300"]


def test_a_window_that_has_just_ended_is_not_compared(settings: Settings) -> None:
    """Its rows arrive in portions."""
    put_quarter(settings)
    ended = datetime.fromtimestamp(time.time() // 300 * 300, tz=UTC)
    put_rows(settings, "5min", ended - timedelta(minutes=5), {("news", 1): [500, 1]})
    page = open_page("comparison")
    at_s = time.time()
    if at_s < ended.timestamp() + 30:
        assert page.success[0].value.startswith("All 3 windows")
    else:
        # It has settled, and is not the sum of minutes that are not there.
        assert page.error[0].value.startswith("1 of 4 windows")


def test_nothing_to_compare_is_said(settings: Settings) -> None:
    del settings
    page = open_page("comparison")
    assert [title for title, _ in titled(page.info)] == ["Nothing to compare"]
    assert not charts(page)
    assert not page.metric


def test_the_span_can_be_chosen(settings: Settings) -> None:
    put_quarter(settings)
    put_rows(
        settings,
        "5min",
        datetime.fromtimestamp(time.time() // 300 * 300, tz=UTC) - timedelta(days=2),
        {("games", 1): [7, 1]},
    )
    page = open_page("comparison", {"compare": "segments", "category": "games", "compared_over": "week"})
    assert metrics(page)["Impressions"] == ["7", "3,307"]
    page = open_page("comparison", {"compare": "segments", "category": "games", "compared_over": "day"})
    assert metrics(page)["Impressions"][0] == "0"
