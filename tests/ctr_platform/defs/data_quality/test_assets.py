"""The quality report as an asset: a check per rule, told apart by severity, with the rows that break it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import pytest
from sqlalchemy import text

from ctr_platform.defs.platform import QUALITY_REPORT, Platform
from ctr_platform.defs.quality.assets import CHECKS, report
from tests.support.stores import writing_engine
from warehouse.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.stack import RunningStack


@pytest.fixture
def inexact_window(stack: RunningStack) -> Iterator[None]:
    """A verified window of this hour that is half right."""
    migrate(stack.settings.postgres_url)
    engine = writing_engine(stack.settings.postgres_url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into quality.window_accuracy_history (window_type, window_start,"
                " expected_impressions, actual_impressions, expected_clicks, actual_clicks, late, accuracy)"
                " values ('1min', date_trunc('hour', now(), 'UTC'), 100, 50, 77, 5, 0, 50)"
            )
        )
    yield
    with engine.begin() as connection:
        connection.execute(text("delete from quality.window_accuracy_history where expected_clicks = 77"))


@pytest.mark.usefixtures("inexact_window")
def test_every_rule_is_a_check_and_the_report_is_a_click_away(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTR_HOME", str(stack.home))
    done = dg.materialize([report], resources={"platform": Platform()})
    assert done.success
    checks = {each.check_name: each for each in done.get_asset_check_evaluations()}
    assert set(checks) == {each.name for each in CHECKS}
    alarm, exact = checks["accuracy_alarm"], checks["accuracy_exact"]
    assert (alarm.passed, alarm.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert (exact.passed, exact.severity) == (False, dg.AssetCheckSeverity.WARN)
    table = alarm.metadata["broken_rows"]
    assert isinstance(table, dg.TableMetadataValue)
    assert "50.0" in {record.data["accuracy"] for record in table.records}
    [made] = done.asset_materializations_for_node("quality__report")
    assert made.asset_key == QUALITY_REPORT
    assert made.metadata["report"].value == f"{stack.settings.quality_url}/index.html"
    page = str(alarm.metadata["report"].value).removeprefix(stack.settings.quality_url + "/")
    shown = (stack.settings.quality_dir / "site" / page).read_text(encoding="utf-8")
    assert "accuracy is at least" in shown
