"""The live pages show what the stores hold, how it changed, and the chosen segments alone."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
import redis
from sqlalchemy import insert, text

from ctr_platform.defs.alerts.heartbeats import record_heartbeat
from tests.support.pages import KOREAN, charts, csv_rows, deltas, metrics, open_page, run, said, titled
from tests.support.stores import writing_engine
from tests.support.traffic import OPEN, put_closed, put_hour, put_open, starts
from tests.support.windows import put_document
from warehouse.models.operation import SUPERVISOR
from warehouse.models.recount import WindowVerification

if TYPE_CHECKING:
    from datetime import datetime

    from contract.settings import Settings
    from tests.dashboard.app_pages.conftest import Files
    from warehouse.windows import WindowType

pytestmark = pytest.mark.stack

PAGES: Final[dict[WindowType, str]] = {"1min": "live", "5min": "five_minutes"}
FIGURES: Final = ("impressions", "clicks", "ctr")


def stored(settings: Settings, window_type: WindowType) -> list[tuple[bool, int, int, float]]:
    """The windows by the stores' own words, the newest first: Redis' open one, and Postgres' view."""
    with redis.Redis(settings.redis_host, settings.redis_port, decode_responses=True) as client:
        keys = client.zrevrange(f"{settings.redis_key_prefix}metrics:{window_type}:index", 0, -1)
        found: list[Any] = [
            json.loads(str(client.get(f"{settings.redis_key_prefix}metrics:{window_type}:{key}")))
            for key in keys
        ]
    documents = [
        (False, each["total_impressions"], each["total_clicks"], each["ctr"])
        for each in found
        if not each["final"]
    ]
    with writing_engine(settings.postgres_url).connect() as connection:
        rows = connection.execute(
            text(
                "SELECT total_impressions, total_clicks, ctr::float FROM realtime.metrics_"
                f"{window_type} ORDER BY window_start DESC"
            )
        )
        return documents + [(True, int(row[0]), int(row[1]), float(row[2])) for row in rows]


def verify(settings: Settings, window_type: WindowType, start: datetime, accuracy: float) -> None:
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(
            insert(WindowVerification).values(
                window_type=window_type,
                window_start=start,
                expected_impressions=10_000,
                actual_impressions=int(100 * accuracy),
                expected_clicks=7,
                actual_clicks=7,
                late=0,
                accuracy=accuracy,
            )
        )


def test_figures_changes_charts_table_and_file_are_the_stores(
    settings: Settings, window_type: WindowType, files: Files
) -> None:
    hour = put_hour(settings, window_type)
    verify(settings, window_type, hour.closed, 100)
    page = open_page(PAGES[window_type])
    assert not page.info
    assert not page.warning
    assert metrics(page) == {
        "Impressions": ["1,234", "60,000"],
        "Clicks": ["110", "8,000"],
        "CTR": ["8.91%", "13.33%"],
        "Accuracy": [":green[100.00%]"],
        "Event to screen": [":green[0.5 s]"],
    }
    changed = deltas(page)
    assert [changed[name][1] for name in ("Impressions", "Clicks")] == ["+20.0%", "+33.3%"]
    assert changed["CTR"] == ["-4.42 pp", "+1.33 pp"]
    assert "An hour earlier: 30,000 impressions (+100.0% since), CTR 10.00% (+3.33 pp)." in said(page)

    # The hour ends with the open window, so the one of an hour ago is just outside.
    in_stores = stored(settings, window_type)[:-1]
    assert [each[1] for each in in_stores] == [1234, 60_000, 50_000]
    shown = page.dataframe[0].value
    assert [
        (state[0] == "Final", *figures)
        for state, *figures in shown[["state", *FIGURES]].itertuples(index=False)
    ] == in_stores
    assert shown["start"].tolist() == [hour.current, hour.closed, hour.before]

    bars, line = charts(page)[f"windows-{window_type}"]["data"]
    assert list(zip(bars["y"], line["y"], strict=True)) == [
        (each[1], each[3]) for each in reversed(in_stores)
    ]
    assert [
        (row["final"] == "True", int(row["impressions"]), int(row["clicks"]), float(row["ctr_percent"]))
        for row in csv_rows(files[f"windows-{window_type}.csv"])
    ] == in_stores
    assert csv_rows(files[f"windows-{window_type}.csv"])[0]["window_start"] == hour.current.isoformat()


def test_a_window_is_split_into_its_segments(settings: Settings, files: Files) -> None:
    put_hour(settings, "1min")
    page = open_page("live")
    drawn = charts(page)
    categories, devices = drawn["category-1min"]["data"][0], drawn["device-1min"]["data"][0]
    assert (categories["y"], categories["x"]) == (["news", "sports"], [1200, 34])
    assert categories["text"][0].startswith("1,200 · 8.33% · ")
    assert devices["y"] == ["1", "0"]
    assert drawn["heat-1min"]["data"][0]["text"] == [["8.33%<br>1,200", ""], ["", "29.41%<br>34"]]
    assert len(csv_rows(files["segments-1min.csv"])) == 2

    page.get_by_key("split-1min").set_value("final")  # type: ignore[union-attr]
    run(page)
    assert page.query_params["split"] == "final"
    drawn = charts(page)
    assert [text.split(" · ")[:2] for text in drawn["category-1min"]["data"][0]["text"]] == [
        ["51,000", "11.76%"],
        ["9,000", "22.22%"],
    ]
    assert [text.split(" · ")[:2] for text in drawn["device-1min"]["data"][0]["text"]] == [
        ["59,000", "13.56%"],
        ["1,000", "0.00%"],
    ]
    # News had 80 % of the window before, and now has 85 %.
    assert drawn["category-1min"]["data"][0]["text"][0].split(" · ")[2].startswith("▲")
    assert "5.00" in drawn["category-1min"]["data"][0]["text"][0]

    page = open_page("live", {"split": "span"})
    assert charts(page)["category-1min"]["data"][0]["x"] == [91_000, 10_000, 9_000]
    assert {
        (row["site_category"], row["device_type"]): int(row["impressions"])
        for row in csv_rows(files["segments-1min.csv"])
    } == {("news", "1"): 90_000, ("news", "0"): 1_000, ("sports", "1"): 9_000, ("games", "1"): 10_000}


def test_a_link_narrows_every_figure(settings: Settings, files: Files) -> None:
    put_hour(settings, "1min")
    page = open_page("live", {"category": "news", "device": "1"})
    assert {name: metrics(page)[name] for name in ("Impressions", "Clicks", "CTR")} == {
        "Impressions": ["1,200", "50,000"],
        "Clicks": ["100", "6,000"],
        "CTR": ["8.33%", "12.00%"],
    }
    assert deltas(page)["Impressions"][1] == "+25.0%"
    assert "An hour earlier: 20,000 impressions (+150.0% since), CTR 5.00% (+7.00 pp)." in said(page)
    wanted = [1_200, 50_000, 40_000]
    assert page.dataframe[0].value["impressions"].tolist() == wanted
    assert [int(row["impressions"]) for row in csv_rows(files["windows-1min.csv"])] == wanted
    drawn = charts(page)
    assert drawn["windows-1min"]["data"][0]["y"] == wanted[::-1]
    assert drawn["category-1min"]["data"][0]["y"] == ["news"]
    assert drawn["device-1min"]["data"][0]["y"] == ["1"]
    assert drawn["heat-1min"]["data"][0]["y"] == ["news"]
    assert [row["site_category"] for row in csv_rows(files["segments-1min.csv"])] == ["news"]
    assert page.multiselect(key="choice-category").value == ["news"]
    assert page.multiselect(key="choice-device").value == [1]


def test_a_choice_narrows_every_figure_and_is_kept_in_the_address(settings: Settings) -> None:
    put_hour(settings, "1min")
    page = open_page("live")
    # Of 110,000 in rows and 1,234 in the open document; what is in both stores is counted once.
    assert page.multiselect(key="choice-category").options == [
        "news · 82.9%",
        "games · 9.0%",
        "sports · 8.1%",
    ]
    page.multiselect(key="choice-category").set_value(["sports", "games"])
    run(page)
    assert page.query_params["category"] == ["sports", "games"]
    assert metrics(page)["Impressions"] == ["34", "9,000"]
    assert charts(page)["windows-1min"]["data"][0]["y"] == [10_000, 9_000, 34]
    page.multiselect(key="choice-device").set_value([0])
    run(page)
    # Nothing of it was counted in the closed windows.
    assert metrics(page)["Impressions"][0] == "34"
    assert charts(page)["windows-1min"]["data"][0]["y"][-1] == 34
    page.multiselect(key="choice-category").set_value([])
    page.multiselect(key="choice-device").set_value([])
    run(page)
    assert "category" not in page.query_params
    assert metrics(page)["Impressions"] == ["1,234", "60,000"]


def test_what_a_link_names_but_nobody_has_seen_is_offered_and_counts_nothing(settings: Settings) -> None:
    put_hour(settings, "1min")
    page = open_page("live", {"category": "no such", "device": "x"})
    assert page.multiselect(key="choice-category").value == ["no such"]
    assert page.multiselect(key="choice-device").value == []
    assert metrics(page)["Impressions"][0] == "0"


def test_the_span_of_5_minute_windows_can_be_chosen(settings: Settings) -> None:
    hour = put_hour(settings, "5min")
    page = open_page("five_minutes", {"span": "day"})
    assert len(page.dataframe[0].value) == 4
    include = charts(page)["windows-5min"]["layout"]["xaxis"]["autorangeoptions"]["include"]
    assert include[0].startswith((hour.current + timedelta(minutes=5, days=-1)).strftime("%Y-%m-%dT%H:%M"))
    page.get_by_key("choice-span").set_value("week")  # type: ignore[union-attr]
    run(page)
    assert page.query_params["span"] == "week"


def test_nothing_yet_is_said(settings: Settings, window_type: WindowType) -> None:
    del settings
    page = open_page(PAGES[window_type])
    assert [title for title, _ in titled(page.info)] == ["Waiting for events"]
    assert not page.warning
    assert not page.metric
    assert not charts(page)


def test_an_open_window_alone_is_enough_to_begin_with(settings: Settings) -> None:
    put_open(settings, "1min", starts("1min"))
    page = open_page("live")
    assert metrics(page)["Impressions"] == ["1,234", "—"]
    assert metrics(page)["Accuracy"] == ["—"]
    assert "nothing verified yet" in said(page)
    assert "no closed window yet" in said(page)


def test_figures_that_stand_still_are_noticed_with_since_when(settings: Settings) -> None:
    hour = starts("1min")
    written_s = time.time() - 3_600
    put_document(settings, "1min", hour.current, OPEN, final=False, written_ms=int(1000 * written_s))
    page = open_page("live", {"tz": "Asia/Seoul"})
    ((title, why),) = titled(page.info)
    assert title == "Waiting for events"
    seoul = time.strftime("%H:%M:%S", time.gmtime(int(written_s) + 9 * 3_600))
    assert f"{seoul} Asia/Seoul" in why
    assert "newest figure written 60 minutes ago" in said(page)
    # The figures stay.
    assert metrics(page)["Impressions"][0] == "1,234"
    put_open(settings, "1min", hour)
    assert not run(page).info


def test_when_redis_has_forgotten_the_last_window_tells_since_when(settings: Settings) -> None:
    hour = put_hour(settings, "1min")
    with redis.Redis(settings.redis_host, settings.redis_port) as client:
        client.flushall()
    page = open_page("live")
    ((title, why),) = titled(page.info)
    assert title == "Waiting for events"
    assert f"{hour.current:%H:%M:%S} UTC" in why
    assert metrics(page)["Impressions"] == ["—", "60,000"]


def test_a_korean_sentence_that_begins_with_a_date_is_a_sentence(settings: Settings) -> None:
    put_document(settings, "1min", starts("1min").current, OPEN, final=False, written_ms=1_772_719_509_000)
    page = open_page("live", browser=KOREAN)
    ((_, why),) = titled(page.info)
    assert why.startswith("2026. 3. 5. 23:05:09 Asia/Seoul")


@pytest.mark.parametrize(
    ("address", "accuracy", "colour"),
    [
        ({}, 100, "green"),
        ({}, 99.5, "orange"),
        ({}, 98.9, "red"),
        ({"accuracy_min": "98"}, 98.9, "orange"),
        ({"accuracy_min": "99.9"}, 99.5, "red"),
    ],
)
def test_accuracy_is_coloured_by_its_threshold(
    settings: Settings, address: dict[str, str], accuracy: float, colour: str
) -> None:
    hour = starts("1min")
    put_open(settings, "1min", hour)
    verify(settings, "1min", hour.before, accuracy)
    page = open_page("live", address)
    assert metrics(page)["Accuracy"] == [f":{colour}[{accuracy:.2f}%]"]
    assert f"window of {hour.before:%H:%M}" in said(page)


def test_rates_and_delay_beyond_their_thresholds_are_red(settings: Settings) -> None:
    hour = starts("1min")
    put_open(settings, "1min", hour)
    put_closed(settings, "1min", hour)
    page = open_page("live", {"ctr_min": "8.92", "delay_max": "0.4"})
    assert metrics(page)["CTR"] == [":red[8.91%]", "13.33%"]
    assert metrics(page)["Event to screen"] == [":red[0.5 s]"]
    page = open_page("live", {"ctr_max": "13.3", "delay_max": "0.6"})
    assert metrics(page)["CTR"] == ["8.91%", ":red[13.33%]"]
    assert metrics(page)["Event to screen"] == [":green[0.5 s]"]


def test_whether_the_job_is_looked_after_is_said(settings: Settings) -> None:
    page = open_page("live")
    assert ":red[nobody looks after the job]" in said(page)
    record_heartbeat(settings, SUPERVISOR, "ctr_windows is RUNNING")
    assert "the job was last looked after" in said(run(page))
    assert ":red[" not in said(page)
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(text("UPDATE quality.heartbeats SET beat_at = now() - interval '10 min'"))
    assert ":red[the job was last looked after 10 minutes ago]" in said(run(page))
