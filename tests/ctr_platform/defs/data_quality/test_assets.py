"""The quality report as an asset: a check per rule, told apart by severity, with the rows that break it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import pytest
from sqlalchemy import text

from ctr_platform.defs.catalog import QUALITY_REPORT
from ctr_platform.defs.data_quality.assets import CHECKS, report
from ctr_platform.resources import Platform
from tests.support.isolation import use_settings
from tests.support.stores import writing_engine

if TYPE_CHECKING:
    from tests.support.stack import RunningStack


@pytest.fixture
def inexact_window(stores: RunningStack) -> None:
    """A verified window of this hour that is half right."""
    engine = writing_engine(stores.settings.postgres_url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into quality.window_accuracy_history (window_type, window_start,"
                " expected_impressions, actual_impressions, expected_clicks, actual_clicks, late, accuracy)"
                " values ('1min', date_trunc('hour', now(), 'UTC'), 100, 50, 77, 5, 0, 50)"
            )
        )


@pytest.mark.usefixtures("inexact_window")
def test_every_rule_is_a_check_and_the_report_is_a_click_away(
    stores: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = use_settings(monkeypatch, stores)
    done = dg.materialize([report], resources={"platform": Platform()})
    assert done.success
    checks = {each.check_name: each for each in done.get_asset_check_evaluations()}
    assert set(checks) == {each.name for each in CHECKS}
    alarm, exact = checks["accuracy_alarm"], checks["accuracy_exact"]
    assert (alarm.passed, alarm.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert (exact.passed, exact.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert checks["segments_named"].severity == dg.AssetCheckSeverity.WARN
    table = alarm.metadata["broken_rows"]
    assert isinstance(table, dg.TableMetadataValue)
    assert "50.0" in {record.data["accuracy"] for record in table.records}
    [made] = done.asset_materializations_for_node("quality__report")
    assert made.asset_key == QUALITY_REPORT
    assert made.metadata["report"].value == f"{settings.quality_url}/index.html"
    page = str(alarm.metadata["report"].value).removeprefix(settings.quality_url + "/")
    shown = (settings.quality_dir / "site" / page).read_text(encoding="utf-8")
    assert "accuracy is at least" in shown
