"""The quality page: how exact every verified window is, and what became of every record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import insert

from tests.support.pages import alternatives, charts, csv_rows, metrics, open_page, run, said
from tests.support.stores import writing_engine
from warehouse.models.accounting import LedgerRow
from warehouse.models.recount import WindowVerification

if TYPE_CHECKING:
    from contract.settings import Settings
    from tests.dashboard.app_pages.conftest import Files

pytestmark = pytest.mark.stack

MINUTE: Final = timedelta(minutes=1)


def this_minute() -> datetime:
    return datetime.now(tz=UTC).replace(second=0, microsecond=0)


def write(settings: Settings, model: Any, rows: list[dict[str, Any]]) -> None:
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(insert(model), rows)


def put_verifications(settings: Settings) -> datetime:
    """Two exact windows, one that lacks a click, and one that lacks impressions, whose start is returned."""
    newest = this_minute() - 2 * MINUTE
    figures = [(1_000, 985, 9, 9, 98.5), (1_000, 1_000, 9, 8, 100), (50, 50, 1, 1, 100), (60, 60, 0, 0, 100)]
    write(
        settings,
        WindowVerification,
        [
            {
                "window_type": "1min",
                "window_start": newest - number * MINUTE,
                "expected_impressions": expected,
                "actual_impressions": actual,
                "expected_clicks": expected_clicks,
                "actual_clicks": actual_clicks,
                "late": 0,
                "accuracy": accuracy,
            }
            for number, (expected, actual, expected_clicks, actual_clicks, accuracy) in enumerate(figures)
        ],
    )
    return newest


def put_ledger(settings: Settings, *, lost: int = 0, refused: bool = True) -> None:
    """Two checkpoints of one partition, 100 records each; `lost` ones have no outcome."""
    late, malformed, unknown_schema, invalid = (4, 3, 2, 1) if refused else (0, 0, 0, 0)
    common = {"topic": "ad_events_raw", "partition": 0, "job_id": "j", "run_started_at": this_minute()}
    write(
        settings,
        LedgerRow,
        [
            {
                **common,
                "first_offset": first,
                "last_offset": first + 99,
                "checkpoint_id": first,
                "records_read": 100,
                "counted": 100 - late - malformed - unknown_schema - invalid - lost,
                "late": late,
                "malformed": malformed,
                "unknown_schema": unknown_schema,
                "invalid": invalid,
                "written_at": datetime.now(tz=UTC) - timedelta(minutes=10 - first // 100),
            }
            for first in (0, 100)
        ],
    )


def test_every_record_has_a_fate(settings: Settings, files: Files) -> None:
    put_ledger(settings)
    page = open_page("quality")
    assert metrics(page) == {
        "Records read": ["200"],
        "Counted": ["180"],
        "Late": ["8"],
        "Dead": ["12"],
        "Unaccounted for": [":green[0]"],
    }
    drawn = charts(page)["refused"]["data"]
    assert {bars["name"]: sum(bars["y"]) for bars in drawn} == {
        "late": 8,
        "malformed": 6,
        "unknown schema": 4,
        "invalid": 2,
    }
    assert alternatives(page)["refused"] == "Of 200 records 8 were late and 12 dead"
    rows = csv_rows(files["outcomes.csv"])
    assert sum(int(row["records_read"]) for row in rows) == 200
    for row in rows:
        parts = ("counted", "late", "malformed", "unknown_schema", "invalid")
        assert int(row["records_read"]) == sum(int(row[part]) for part in parts)


def test_where_nothing_was_refused_it_is_said(settings: Settings, files: Files) -> None:
    put_ledger(settings, refused=False)
    page = open_page("quality")
    assert "None of 200 records was late or dead." in said(page)
    assert "refused" not in charts(page)
    assert sum(int(row["counted"]) for row in csv_rows(files["outcomes.csv"])) == 200


def test_a_record_without_a_fate_is_red(settings: Settings) -> None:
    put_ledger(settings, lost=1)
    assert metrics(open_page("quality"))["Unaccounted for"] == [":red[2]"]


def test_every_verified_window_is_shown_and_what_is_not_exact_is_named(
    settings: Settings, files: Files
) -> None:
    newest = put_verifications(settings)
    page = open_page("quality")
    summary = "4 windows verified, 2 not exact, the lowest at 98.50%"
    assert summary in said(page)
    assert alternatives(page)["accuracy-1min"] == summary
    exact, inexact = charts(page)["accuracy-1min"]["data"]
    assert (exact["y"], inexact["y"]) == ([100, 100], [100, 98.5])
    assert inexact["x"][-1].startswith(newest.strftime("%Y-%m-%dT%H:%M"))
    table = page.dataframe[0].value
    assert table["window_start"].tolist() == [newest.isoformat(), (newest - MINUTE).isoformat()]
    assert table["actual_impressions"].tolist() == [985, 1_000]
    assert len(csv_rows(files["accuracy-1min.csv"])) == 4
    # Nothing of 5 min was verified.
    assert "No window of this kind was verified in this span." in said(page)
    assert "accuracy-5min" not in charts(page)


def test_the_alarm_is_where_the_reader_or_the_platform_has_it(settings: Settings) -> None:
    put_verifications(settings)
    for address, alarm in (({}, 99.0), ({"accuracy_min": "95.5"}, 95.5)):
        (line,) = charts(open_page("quality", address))["accuracy-1min"]["layout"]["shapes"]
        assert line["y0"] == alarm


def test_the_latest_verification_of_a_window_counts(settings: Settings) -> None:
    newest = put_verifications(settings)
    again = {
        "window_type": "1min",
        "window_start": newest,
        "checked_at": datetime.now(tz=UTC) + MINUTE,
        "expected_impressions": 1_000,
        "actual_impressions": 1_000,
        "expected_clicks": 9,
        "actual_clicks": 9,
        "late": 0,
        "accuracy": 100,
    }
    write(settings, WindowVerification, [again])
    assert "4 windows verified, 1 not exact, the lowest at 100.00%" in said(open_page("quality"))


def test_without_anything_verified_or_read_that_is_said(settings: Settings) -> None:
    page = open_page("quality")
    assert "No records were read in this span." in said(page)
    assert said(page).count("No window of this kind was verified in this span.") == 2
    assert not charts(page)
    (link,) = page.link_button
    assert link.url == settings.quality_url


def test_what_is_older_than_the_span_is_left_out(settings: Settings) -> None:
    put_verifications(settings)
    old = {
        "window_type": "5min",
        "window_start": this_minute() - timedelta(hours=3),
        "expected_impressions": 10,
        "actual_impressions": 10,
        "expected_clicks": 1,
        "actual_clicks": 1,
        "late": 0,
        "accuracy": 100,
    }
    write(settings, WindowVerification, [old])
    page = open_page("quality")
    assert "accuracy-5min" not in charts(page)
    page.get_by_key("choice-looked_back").set_value("day")  # type: ignore[union-attr]
    run(page)
    assert page.query_params["looked_back"] == "day"
    assert "accuracy-5min" in charts(page)
