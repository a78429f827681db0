"""Values with a name are called so everywhere, addresses keep the ids, and without Postgres ids are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import delete

from dashboard.components import stores as shared
from tests.support.pages import alternatives, charts, csv_rows, metrics, open_page, run, said
from tests.support.stores import silent_port, writing_engine
from tests.support.traffic import put_hour
from tests.support.windows import put_rows
from warehouse.dimension_names import keep_names
from warehouse.models.stream import DimensionNameRow

if TYPE_CHECKING:
    from contract.settings import Settings
    from tests.dashboard.app_pages.conftest import Files

pytestmark = pytest.mark.stack

SITES: Final = {"news": "Daily News", "sports": "=Sports *Today*"}


@pytest.fixture
def named(settings: Settings) -> Settings:
    keep_names(settings.postgres_url, {"site_category": SITES, "device_type": {"1": "Mobile"}})
    return settings


def test_bars_and_fields_have_names(named: Settings) -> None:
    put_hour(named, "1min")
    page = open_page("live")
    drawn = charts(page)
    assert drawn["category-1min"]["layout"]["yaxis"]["ticktext"] == ["Daily News ", "=Sports *Today* "]
    assert drawn["category-1min"]["data"][0]["customdata"][0] == "Daily News (news)"
    assert drawn["device-1min"]["layout"]["yaxis"]["ticktext"] == ["Mobile ", "0 "]
    assert drawn["heat-1min"]["layout"]["xaxis"]["ticktext"] == ["Mobile", "Device type 0"]
    assert "the largest is Daily News with 1,200" in alternatives(page)["category-1min"]


def test_a_file_has_names_beside_ids(named: Settings, files: Files) -> None:
    put_hour(named, "1min")
    open_page("live", {"split": "span"})
    rows = csv_rows(files["segments-1min.csv"])
    assert list(rows[0])[:4] == ["site_category", "site_category_name", "device_type", "device_type_name"]
    assert {row["site_category"]: row["site_category_name"] for row in rows} == {
        "news": "Daily News",
        "sports": "'=Sports *Today*",
        "games": "games",
    }
    assert {row["device_type"]: row["device_type_name"] for row in rows} == {"1": "Mobile", "0": "0"}
    with writing_engine(named.postgres_url).begin() as connection:
        connection.execute(delete(DimensionNameRow).where(DimensionNameRow.dimension == "device_type"))
    open_page("live", {"split": "span"})
    assert list(csv_rows(files["segments-1min.csv"])[0])[:3] == [
        "site_category",
        "site_category_name",
        "device_type",
    ]


def test_a_choice_by_name_is_an_id_in_the_address(named: Settings) -> None:
    hour = put_hour(named, "1min")
    page = open_page("live")
    choice = page.multiselect(key="choice-category")
    assert choice.options[:2] == ["Daily News (news) · 82.9%", "games · 9.0%"]
    choice.set_value(["sports", "games"])
    run(page)
    assert page.query_params["category"] == ["sports", "games"]
    assert metrics(page)["Impressions"] == ["34", "9,000"]
    # Shares move on, and what was chosen stays that.
    put_rows(named, "1min", hour.before, {("sports", 4): [100_000, 0]})
    page.multiselect(key="choice-device").set_value([0])
    run(page)
    assert page.query_params["category"] == ["sports", "games"]
    assert page.query_params["device"] == "0"
    assert page.multiselect(key="choice-category").value == ["sports", "games"]
    assert page.multiselect(key="choice-category").options[0].startswith("=Sports *Today* (sports) · ")
    run(page)
    page.multiselect(key="choice-category").set_value([])
    run(page)
    assert "category" not in page.query_params
    assert metrics(page)["Impressions"][0] == "34"


def test_the_sides_of_a_comparison_have_names(named: Settings, files: Files) -> None:
    hour = put_hour(named, "5min")
    put_rows(named, "1min", hour.before, {("news", 1): [10, 1], ("sports", 0): [20, 2]})
    address = {"compare": "segments", "category": "news", "category_2": "sports", "device_2": "0"}
    page = open_page("comparison", address)
    assert "**Daily News**" in said(page)
    assert r"**\=Sports \*Today\* · Device type 0**" in said(page)
    assert {row["series"] for row in csv_rows(files["comparison-segments-ctr.csv"])} == {
        "Daily News",
        "'=Sports *Today* · Device type 0",
    }


def test_without_postgres_the_last_names_are_shown_and_else_the_ids(
    named: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_hour(named, "1min")
    shared._last_names.clear()
    with silent_port() as port:
        monkeypatch.setenv("POSTGRES_PORT", str(port))
        page = open_page("live")
        assert charts(page)["category-1min"]["layout"]["yaxis"]["ticktext"] == ["news ", "sports "]
        assert page.multiselect(key="choice-category").options[0].startswith("news · ")
        monkeypatch.setenv("POSTGRES_PORT", str(named.postgres_port))
        assert charts(run(page))["category-1min"]["layout"]["yaxis"]["ticktext"][0] == "Daily News "
        monkeypatch.setenv("POSTGRES_PORT", str(port))
        assert charts(run(page))["category-1min"]["layout"]["yaxis"]["ticktext"][0] == "Daily News "
    shared._last_names.clear()
