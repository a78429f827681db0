"""From a cold start to a running job, and again: through Dagster, on the real stack."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from ctr_platform.definitions import defs
from ctr_platform.defs.catalog import (
    CACHE_1MIN,
    CACHE_5MIN,
    COUNTS_1MIN,
    FLINK_JOB,
    LEDGER,
    METRICS_1MIN,
    RAW_EVENTS,
    TOPICS,
    WINDOW_ACCURACY,
)
from ctr_platform.defs.flink_job.checks import JOB_HEALTH, single_instance
from ctr_platform.defs.flink_job.metrics_sensor import observe_job
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.kafka.assets import CONFIG_CHECK, partitions_as_wanted
from ctr_platform.defs.kafka.topics import describe_topics
from ctr_platform.defs.observations import sensors
from ctr_platform.defs.observations.sensors import observe_stream
from ctr_platform.defs.reconciliation.assets import HOURS
from ctr_platform.defs.reconciliation.follower import Follower
from ctr_platform.defs.reconciliation.sensors import report_reconciliation
from ctr_platform.devstack.probes import wait_until
from ctr_platform.resources import RESOURCES, Platform
from flink.config import JOB_NAME
from tests.ctr_platform.defs.flink_job.bring_up.conftest import TRAFFIC
from tests.support.bring_up import bring_up, metadata, tick
from tests.support.sending import send
from warehouse.quality_reads import QualityRecords

if TYPE_CHECKING:
    from tests.support.stack import RunningStack
    from warehouse.windows import Window

STATE_WITHIN_S = 120
WINDOW_WITHIN_S = 150
"""A minute, the bound on disorder, and a slow machine."""


def _resources(names: set[str]) -> dict[str, object]:
    """Those of the platform; Dagster's own, such as an io_manager, it adds itself."""
    return {name: resource for name, resource in RESOURCES.items() if name in names}


def _passes(check: dg.AssetChecksDefinition) -> bool:
    """Whether a check passes now, outside any run."""
    result = check(**_resources(set(check.required_resource_keys)))
    assert isinstance(result, dg.AssetCheckResult)
    return result.passed


def _observe_stream(context: dg.SensorEvaluationContext) -> object:
    return observe_stream(context, **_resources(set(observe_stream.required_resource_keys)))


def test_a_cold_start_comes_up_through_dagster_and_a_second_run_changes_nothing(
    instance: dg.DagsterInstance, cold_stack: RunningStack
) -> None:
    assert not _passes(partitions_as_wanted)
    assert not any(topic.exists for topic in describe_topics(cold_stack.settings))
    assert not _passes(single_instance)
    assert tick(instance).run_requests
    first = bring_up(instance)
    assert first.success
    made = metadata(first, FLINK_JOB)
    assert made["already_running"] is False
    assert made["restored_from"] == "nothing: the topic's beginning"
    assert {check.check_name: check.passed for check in first.get_asset_check_evaluations()} == {
        "config_as_specified": True,
        "partitions_as_wanted": True,
        "tables_as_modelled": True,
        "stream_as_declared": True,
        "reader_may_read": True,
        "single_instance": True,
        "nothing_dropped_late": True,
    }

    assert str(tick(instance).skip_reason).find(str(made["job_id"])) > 0
    second = bring_up(instance)
    assert second.success
    again = metadata(second, FLINK_JOB)
    assert again["already_running"] is True
    assert again["job_id"] == made["job_id"]
    assert metadata(second, TOPICS)["created"] == 0
    with FlinkCluster(cold_stack.settings.flink_rest_url) as cluster:
        assert [job.id for job in cluster.alive(JOB_NAME)] == [made["job_id"]]


def test_the_jobs_vital_signs_are_observed_recorded_and_judged_when_they_change(
    instance: dg.DagsterInstance, own_stack: RunningStack, job: str
) -> None:
    del job
    began = datetime.now(tz=UTC)

    def sampled(cursor: str | None) -> dg.SensorResult:
        with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
            result = observe_job(context, platform=Platform())
        assert isinstance(result, dg.SensorResult)
        return result

    results = [sampled(None)]

    def measured() -> bool:
        results.append(sampled(results[-1].cursor))
        [observation] = [each for each in results[-1].asset_events if isinstance(each, dg.AssetObservation)]
        # What waits in the topic is measured from the first record on.
        return {"heap_percent", "busy_percent", "checkpoint_age_s"} <= set(observation.metadata)

    wait_until(measured, STATE_WITHIN_S, "the job's metrics")
    first, *others = results
    records = QualityRecords(own_stack.settings.postgres_reader_url)
    kept = records.vital_signs(began)
    records.close()
    assert len(kept) == len(results)
    last = json.loads(results[-1].cursor or "")["before"]
    assert asdict(kept[-1]) == {
        "observed_at": datetime.fromtimestamp(last["at_s"], tz=UTC),
        **{name: last[name] for name in asdict(kept[-1]) if name != "observed_at"},
    }
    assert kept[-1].heap_percent
    assert {each.check_name for each in first.asset_events if isinstance(each, dg.AssetCheckEvaluation)} == {
        spec.name for spec in JOB_HEALTH
    }
    again = [
        each for result in others for each in result.asset_events if isinstance(each, dg.AssetCheckEvaluation)
    ]
    assert len(again) < len(JOB_HEALTH)


@pytest.mark.usefixtures("job")
def test_a_topic_that_drifted_is_corrected_and_told(
    instance: dg.DagsterInstance, own_stack: RunningStack
) -> None:
    settings = own_stack.settings
    drift = ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, settings.windows_topic, incremental_configs=[drift])
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
    admin.incremental_alter_configs([resource])[resource].result(STATE_WITHIN_S)
    all_assets = defs().resolve_implicit_global_asset_job_def()

    def passed() -> bool:
        done = all_assets.execute_in_process(instance=instance, asset_selection=[TOPICS])
        [check] = [
            each for each in done.get_asset_check_evaluations() if each.check_name == CONFIG_CHECK.name
        ]
        return check.passed

    assert [passed(), passed()] == [False, True]


@pytest.mark.usefixtures("traffic")
def test_what_flows_is_observed_as_materialized(
    instance: dg.DagsterInstance, own_stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every look reports what has moved since the one before.
    monkeypatch.setattr(sensors, "REPORT_FRESH_EVERY_S", 0)
    monkeypatch.setattr(sensors, "REPORT_OTHERS_EVERY_S", 0)
    seen: dict[dg.AssetKey, set[str]] = {}
    cursor: str | None = None

    def observed() -> bool:
        nonlocal cursor
        with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
            result = _observe_stream(context)
        assert isinstance(result, dg.SensorResult)
        cursor = result.cursor
        for event in result.asset_events:
            assert isinstance(event, dg.AssetMaterialization)  # freshness policies count nothing else
            assert event.asset_key.to_user_string() in str(result.skip_reason)
            seen.setdefault(event.asset_key, set()).update(event.metadata)
        return {RAW_EVENTS, COUNTS_1MIN, METRICS_1MIN, CACHE_1MIN, CACHE_5MIN, LEDGER} <= set(seen)

    wait_until(observed, WINDOW_WITHIN_S, "a window to be observed")
    send(own_stack.settings, TRAFFIC)
    wait_until(
        lambda: observed() and all("per_second" in seen[key] for key in (RAW_EVENTS, LEDGER)),
        WINDOW_WITHIN_S,
        "growth to be observed",
    )
    assert {"messages", "end of partition 0"} <= seen[RAW_EVENTS]
    assert {"latest_window_end", "behind_s", "impressions"} <= seen[METRICS_1MIN]
    assert {"age_s", "open_windows", "final_windows", "final"} <= seen[CACHE_1MIN]
    assert "unaccounted" in seen[LEDGER]


@pytest.mark.usefixtures("traffic")
def test_what_has_flowed_is_verified_and_reported(
    instance: dg.DagsterInstance, own_stack: RunningStack
) -> None:
    follower = Follower(own_stack.settings)
    found: dict[str, bool] = {}

    def verified() -> bool:
        assert follower.follow_once() is not None
        with dg.build_sensor_context(instance=instance) as context:
            result = report_reconciliation(context, platform=Platform())
        assert isinstance(result, dg.SensorResult)
        checks = [each for each in result.asset_events if isinstance(each, dg.AssetCheckEvaluation)]
        found.update({each.check_name: each.passed for each in checks})
        return any(isinstance(each, dg.AssetMaterialization) for each in result.asset_events)

    wait_until(verified, WINDOW_WITHIN_S, "a verified window")
    assert found == {"windows_exact": True, "records_conserved": True, "nothing_deleted_unread": True}


def test_an_hour_that_a_person_asks_for_is_verified(instance: dg.DagsterInstance, traffic: Window) -> None:
    hour = datetime.fromtimestamp(traffic.window_start_ms / 1000, tz=UTC).replace(minute=0)
    all_assets = defs().resolve_implicit_global_asset_job_def()

    def verified() -> bool:
        done = all_assets.execute_in_process(
            instance=instance, asset_selection=[WINDOW_ACCURACY], partition_key=f"{hour:{HOURS.fmt}}"
        )
        made = metadata(done, WINDOW_ACCURACY)
        assert (made["windows_inexact"], made["lowest_accuracy"]) == (0, 100)
        return int(str(made["windows_verified"])) > 0

    # What the ledger has just learned, the recount leaves to its next pass.
    wait_until(verified, WINDOW_WITHIN_S, "a verified window")


@pytest.mark.usefixtures("traffic")
def test_a_store_that_is_unavailable_hides_no_other(own_stack: RunningStack) -> None:
    own_stack.stop("redis")
    try:
        with dg.build_sensor_context() as context:
            result = _observe_stream(context)
        assert isinstance(result, dg.SensorResult)
        assert {RAW_EVENTS, COUNTS_1MIN} <= {event.asset_key for event in result.asset_events}
        assert "Redis at" in str(result.skip_reason)
    finally:
        own_stack.start("redis")
