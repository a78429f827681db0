"""The examples for those who carry on do what they say, on real services."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from sqlalchemy import text

from contract.errors import CtrError
from ctr_platform.definitions import defs
from ctr_platform.resources import Platform
from examples.extend.alert import SOURCE, little_traffic, watch_traffic
from examples.extend.check import WINDOWS, some_clicks
from examples.extend.operation import SAVEPOINT_JOB
from tests.support.documents import ROOT, page
from tests.support.isolation import use_settings
from tests.support.pipeline import end_all_jobs
from tests.support.stores import empty, writing_engine

if TYPE_CHECKING:
    from contract.settings import Settings
    from tests.support.stack import RunningStack


@pytest.fixture
def settings(stores: RunningStack, monkeypatch: pytest.MonkeyPatch) -> Settings:
    empty(stores.settings.postgres_url)
    return use_settings(monkeypatch, stores)


def count(settings: Settings, minutes: int, impressions: int, clicks: int) -> None:
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(
            text(
                "insert into realtime.counts_1min select at, at + interval '1 minute', 'news', 1, :i, :c "
                "from generate_series(timestamptz '2026-01-31 09:00Z', timestamptz '2026-01-31 09:00Z' "
                "+ (:m - 1) * interval '1 minute', interval '1 minute') as at "
                "on conflict (window_start, site_category, device_type) "
                "do update set impressions = excluded.impressions, clicks = excluded.clicks"
            ),
            {"i": impressions, "c": clicks, "m": minutes},
        )


@pytest.mark.usefixtures("settings")
def test_the_check_warns_of_half_an_hour_without_a_click(settings: Settings) -> None:
    for minutes, clicks, passed in ((WINDOWS - 1, 0, True), (WINDOWS, 0, False), (WINDOWS, 1, True)):
        count(settings, minutes, impressions=200, clicks=clicks)
        result = some_clicks(Platform())
        assert isinstance(result, dg.AssetCheckResult)
        assert result.passed is passed


def test_the_alert_opens_and_is_over(settings: Settings) -> None:
    opened = "select count(*) from quality.alerts where source = :s and recovered_at is null"
    for impressions, alerts in ((200, 0), (99, 1), (200, 0)):
        count(settings, 1, impressions=impressions, clicks=1)
        assert len(little_traffic(settings)) == alerts
        with dg.build_sensor_context(resources={"platform": Platform()}) as context:
            watch_traffic(context)
        with writing_engine(settings.postgres_url).connect() as connection:
            assert connection.scalar(text(opened), {"s": SOURCE}) == alerts


@pytest.mark.parametrize("dry_run", [True, False])
def test_the_operation_needs_one_running_job(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch, *, dry_run: bool
) -> None:
    use_settings(monkeypatch, stack)
    end_all_jobs(stack.settings)
    config = {"directory": stack.settings.flink_checkpoint_dir, "dry_run": dry_run}
    with pytest.raises(CtrError, match="0 jobs ctr_windows are alive"):
        SAVEPOINT_JOB.execute_in_process(
            run_config={"ops": {"take_savepoint": {"config": config}}},
            resources={"platform": Platform()},
        )


def test_they_fit_beside_the_platforms_definitions() -> None:
    own = dg.Definitions(asset_checks=[some_clicks], sensors=[watch_traffic], jobs=[SAVEPOINT_JOB])
    dg.Definitions.validate_loadable(dg.Definitions.merge(defs(), own))


def test_the_block_of_the_page_works() -> None:
    [block] = [each for each in page(ROOT / "examples/extend/README.md").blocks if each.language == "python"]
    names: dict[str, dg.Definitions] = {}
    exec(compile(block.code, os.devnull, "exec"), names)  # noqa: S102 - the page's own code
    checks = names["defs"].resolve_asset_graph().asset_check_keys
    assert "some_clicks" in {key.name for key in checks}
