"""The sensor reports passes to Dagster: at once when a check changes, else every few minutes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from sqlalchemy import insert

from ctr_platform.defs.catalog import WINDOW_ACCURACY
from ctr_platform.defs.reconciliation.assets import accuracy_checks
from ctr_platform.defs.reconciliation.sensors import REFRESH_AFTER_S, report_reconciliation
from ctr_platform.resources import Platform
from tests.support.isolation import use_settings
from tests.support.stores import empty, writing_engine
from warehouse.models.recount import ReconciliationPass

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.stack import RunningStack

HOUR = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _settings(stores: RunningStack, monkeypatch: pytest.MonkeyPatch) -> None:
    empty(stores.settings.postgres_url)
    use_settings(monkeypatch, stores)


def _passed(stores: RunningStack, **more: Any) -> None:
    """Put a pass on record; by default one that has found nothing new, and all exact."""
    quiet = {
        "topic": stores.settings.raw_topic,
        "reading_s": 0.5,
        "records_read": 100,
        "dead_letters_read": 0,
        "late_after_idleness": 0,
        "late_not_believed": 0,
        "outcomes": {"counted": 100},
        "partitions_behind": 0,
        "windows": 7,
        "inexact": 0,
        "lowest_accuracy": Decimal(100),
        "impressions": 100,
        "changed_results": 0,
        "changed_hours": [],
        "least_accurate": [],
        "partitions_compared": 4,
        "unbalanced": [],
        "gaps": [],
    }
    with writing_engine(stores.settings.postgres_url).begin() as connection:
        connection.execute(insert(ReconciliationPass).values(quiet | more))


def _look(cursor: str | None) -> dg.SensorResult:
    with dg.build_sensor_context(cursor=cursor) as context:
        result = report_reconciliation(context, platform=Platform())
    assert isinstance(result, dg.SensorResult)
    return result


def _checks(result: dg.SensorResult) -> dict[str, dg.AssetCheckEvaluation]:
    events = [each for each in result.asset_events if isinstance(each, dg.AssetCheckEvaluation)]
    return {each.check_name: each for each in events}


def _hours(result: dg.SensorResult) -> list[str | None]:
    return [each.partition for each in result.asset_events if isinstance(each, dg.AssetMaterialization)]


def _later(cursor: str | None) -> str:
    """The cursor as it is once the last report is old."""
    values = json.loads(cursor or "")
    return json.dumps(values | {"reported_at_s": values["reported_at_s"] - REFRESH_AFTER_S})


def test_without_a_pass_there_is_nothing_to_say() -> None:
    assert "no pass" in str(_look(None).skip_reason)


def test_what_stays_as_it_is_is_reported_seldom_and_nothing_of_it_is_lost(stores: RunningStack) -> None:
    _passed(stores, changed_results=2, changed_hours=[HOUR.isoformat()])
    first = _look(None)
    assert {name: each.passed for name, each in _checks(first).items()} == {
        "windows_exact": True,
        "records_conserved": True,
        "nothing_deleted_unread": True,
    }
    assert _hours(first) == ["2026-01-01-12:00"]
    for hour in (12, 13, 13):
        _passed(stores, changed_results=1, changed_hours=[HOUR.replace(hour=hour).isoformat()])
    waits = _look(first.cursor)
    assert waits.asset_events == []
    assert "as they were" in str(waits.skip_reason)
    refreshed = _look(_later(waits.cursor))
    assert set(_checks(refreshed)) == {"windows_exact", "records_conserved", "nothing_deleted_unread"}
    assert _hours(refreshed) == ["2026-01-01-12:00", "2026-01-01-13:00"]
    [made, _] = [each for each in refreshed.asset_events if isinstance(each, dg.AssetMaterialization)]
    assert (made.metadata["records_read"].value, made.metadata["passes"].value) == (300, 3)
    assert "no pass" in str(_look(_later(refreshed.cursor)).skip_reason)


@pytest.mark.parametrize("accuracy", ["99.99", "0"])
def test_an_inexact_window_is_red_at_once_and_green_at_once(stores: RunningStack, accuracy: str) -> None:
    _passed(stores)
    good = _look(None)
    window = {"window_type": "1min", "window_start": HOUR.isoformat(), "accuracy": accuracy}
    window |= {"actual_impressions": "9", "expected_impressions": "10"}
    found = {"inexact": 1, "lowest_accuracy": Decimal(accuracy), "least_accurate": [window]}
    _passed(stores, **found)
    red = _look(good.cursor)
    exact = _checks(red)["windows_exact"]
    assert (exact.passed, exact.metadata["inexact"].value) == (False, 1)
    assert exact.severity is dg.AssetCheckSeverity.ERROR
    assert exact.description == (
        f"1 not exact, 1min of {HOUR.isoformat()} the least: {accuracy} %, 9 of 10 impressions"
    )
    table = exact.metadata["least_accurate"]
    assert isinstance(table, dg.TableMetadataValue)
    [named] = table.records
    assert named.data["window_start"] == HOUR.isoformat()
    _passed(stores, **found)
    assert _look(red.cursor).asset_events == []
    _passed(stores)
    assert _checks(_look(red.cursor))["windows_exact"].passed


def test_what_a_pass_before_the_newest_has_found_is_reported_too(stores: RunningStack) -> None:
    _passed(stores)
    good = _look(None)
    _passed(stores, inexact=1, lowest_accuracy=Decimal(50))  # an old hour that a person asked for
    _passed(stores)
    red = _look(good.cursor)
    assert not _checks(red)["windows_exact"].passed
    _passed(stores)
    assert _checks(_look(red.cursor))["windows_exact"].passed


def test_a_ledger_that_disagrees_is_red(stores: RunningStack) -> None:
    difference = {"partition": 2, "records_read": 0, "counted": 1, "late": -1}
    _passed(stores, unbalanced=[difference])
    conserved = _checks(_look(None))["records_conserved"]
    assert not conserved.passed
    assert conserved.metadata["partition 2: recount minus ledger"].value == difference


def test_what_was_deleted_unread_is_red_with_its_place(stores: RunningStack) -> None:
    gap = {"topic": "raw", "partition": 2, "reader": "job", "first_offset": 7, "end_offset": 9}
    _passed(stores, gaps=[gap])
    found = _checks(_look(None))["nothing_deleted_unread"]
    assert not found.passed
    assert "of raw, partition 2, the offsets 7 to 8 were deleted before the job" in (found.description or "")
    assert "gaps" in found.metadata


def test_a_run_of_the_checks_repeats_what_the_sensor_has_said(tmp_path: Path) -> None:
    defs = dg.Definitions(assets=[dg.AssetSpec(WINDOW_ACCURACY)], asset_checks=[accuracy_checks])
    job = defs.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:

        def run() -> dict[str, tuple[bool, str | None]]:
            done = job.execute_in_process(instance=instance)
            return {
                each.check_name: (each.passed, each.description)
                for each in done.get_asset_check_evaluations()
            }

        unknown = (False, "the sensor report_reconciliation has not evaluated it yet")
        checks = ("windows_exact", "records_conserved", "nothing_deleted_unread")
        assert run() == dict.fromkeys(checks, unknown)
        for name, passed in zip(checks, (False, True, True), strict=True):
            instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(
                    asset_key=WINDOW_ACCURACY, check_name=name, passed=passed, description="so it is"
                )
            )
        assert run() == dict(
            zip(checks, ((passed, "so it is") for passed in (False, True, True)), strict=True)
        )
