"""From a cold start to a running job, and again: through Dagster, on the real stack."""

from __future__ import annotations

import json
import time
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
from ctr_platform.defs.flink.assets import WHY
from ctr_platform.defs.flink.checks import runs_once
from ctr_platform.defs.flink.observe import observe_job
from ctr_platform.defs.flink.sensors import MAX_RESTARTS, _pause_s, bring_up_job, keep_job_running
from ctr_platform.defs.kafka.assets import CONFIG_CHECK, partitions_as_wanted
from ctr_platform.defs.platform import (
    CACHE_1MIN,
    CACHE_5MIN,
    COUNTS_1MIN,
    FLINK_JOB,
    LEDGER,
    METRICS_1MIN,
    RAW_EVENTS,
    TOPICS,
    Platform,
)
from ctr_platform.defs.recount.assets import HOURS
from ctr_platform.defs.recount.schedules import recount_every_minute, recount_job
from ctr_platform.defs.stream.sensors import observe_stream
from ctr_platform.errors import CtrError
from ctr_platform.flink_cluster import health
from ctr_platform.flink_cluster.bring_up import start
from ctr_platform.flink_cluster.rest import FlinkCluster
from ctr_platform.flink_cluster.snapshots import complete_snapshots
from ctr_platform.flink_cluster.submission import job_config, submit, wait_running
from ctr_platform.flink_cluster.transport import FlinkUnavailable
from ctr_platform.flink_cluster.vitals import SIGNS
from ctr_platform.kafka.topics import describe_topics
from ctr_platform.operations.moves import stop
from ctr_platform.settings import WINDOWS_TOPIC, Settings
from ctr_platform.stack.catalog import DATA_SERVICES, TASKMANAGER_NAMES
from ctr_platform.stack.probes import wait_until
from ctr_platform.traffic.plan import TrafficRequest
from ctr_platform.traffic.produce import produce
from ctr_platform.traffic.stop import Stop
from flink.config import JOB_NAME
from tests.support.stack import running_stack
from warehouse.models import SUPERVISOR
from warehouse.quality_reads import QualityRecords
from warehouse.reads import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.stack import RunningStack

STATE_WITHIN_S = 120
WINDOW_WITHIN_S = 150
"""A minute, the bound on disorder, and a slow machine."""


@pytest.fixture(scope="module")
def fresh_stack() -> Iterator[RunningStack]:
    """A stack of its own: what is made here has the contract's names."""
    with running_stack(DATA_SERVICES) as running:
        yield running


@pytest.fixture(autouse=True)
def _settings(fresh_stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("CTR_HOME", str(fresh_stack.home))


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    # On disk: a schedule is given an instance by reference.
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as made:
        yield made


def _tick(instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
        result = keep_job_running(context, platform=Platform())
    assert isinstance(result, dg.SensorResult)
    return result


def _run(instance: dg.DagsterInstance, request: dg.RunRequest | None = None) -> dg.ExecuteInProcessResult:
    """The run that the supervisor asked for, or one by hand."""
    return (
        defs()
        .resolve_job_def(bring_up_job.name)
        .execute_in_process(
            instance=instance,
            run_config=request.run_config if request else None,
            tags=request.tags if request else None,
        )
    )


def _passes(check: dg.AssetChecksDefinition) -> bool:
    """Whether a check passes now, outside any run."""
    result = check(platform=Platform())
    assert isinstance(result, dg.AssetCheckResult)
    return result.passed


def _metadata(result: dg.ExecuteInProcessResult, key: dg.AssetKey) -> dict[str, object]:
    [event] = [each for each in result.get_asset_materialization_events() if each.asset_key == key]
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_a_cold_start_comes_up_through_dagster_and_a_second_run_changes_nothing(
    instance: dg.DagsterInstance, fresh_stack: RunningStack
) -> None:
    assert not _passes(partitions_as_wanted)
    assert not any(topic.exists for topic in describe_topics(fresh_stack.settings))
    assert not _passes(runs_once)
    assert _tick(instance).run_requests
    first = _run(instance)
    assert first.success
    made = _metadata(first, FLINK_JOB)
    assert made["already_running"] is False
    assert made["restored_from"] == "nothing: the topic's beginning"
    assert {check.check_name: check.passed for check in first.get_asset_check_evaluations()} == {
        "config_as_specified": True,
        "partitions_as_wanted": True,
        "tables_as_modelled": True,
        "reader_may_read": True,
        "kept_alive": True,
        "runs_once": True,
        **dict.fromkeys(SIGNS, True),
        "nothing_dropped_late": True,
    }

    assert str(_tick(instance).skip_reason).find(str(made["job_id"])) > 0
    second = _run(instance)
    assert second.success
    again = _metadata(second, FLINK_JOB)
    assert again["already_running"] is True
    assert again["job_id"] == made["job_id"]
    assert _metadata(second, TOPICS)["created"] == 0
    with FlinkCluster(fresh_stack.settings.flink_rest_url) as cluster:
        assert [job.id for job in cluster.alive(JOB_NAME)] == [made["job_id"]]


def test_the_jobs_vital_signs_are_observed_recorded_and_judged_when_they_change(
    instance: dg.DagsterInstance, fresh_stack: RunningStack
) -> None:
    began = datetime.now(tz=UTC)

    def looked(cursor: str | None) -> dg.SensorResult:
        with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
            result = observe_job(context, platform=Platform())
        assert isinstance(result, dg.SensorResult)
        return result

    results = [looked(None)]

    def measured() -> bool:
        results.append(looked(results[-1].cursor))
        [observation] = [each for each in results[-1].asset_events if isinstance(each, dg.AssetObservation)]
        # What waits in the topic is measured from the first record on.
        return {"heap_percent", "busy_percent", "checkpoint_age_s"} <= set(observation.metadata)

    wait_until(measured, STATE_WITHIN_S, "the job's metrics")
    first, *others = results
    records = QualityRecords(fresh_stack.settings.postgres_reader_url)
    kept = records.vital_signs(began)
    records.close()
    assert len(kept) == len(results)
    last = json.loads(results[-1].cursor or "")["before"]
    assert asdict(kept[-1]) == {
        "observed_at": datetime.fromtimestamp(last["at_s"], tz=UTC),
        **{name: last[name] for name in asdict(kept[-1]) if name != "observed_at"},
    }
    assert kept[-1].heap_percent
    assert {
        each.check_name for each in first.asset_events if isinstance(each, dg.AssetCheckEvaluation)
    } == set(SIGNS)
    again = [
        each for result in others for each in result.asset_events if isinstance(each, dg.AssetCheckEvaluation)
    ]
    assert len(again) < len(SIGNS)


def test_a_topic_that_drifted_is_corrected_and_told(
    instance: dg.DagsterInstance, fresh_stack: RunningStack
) -> None:
    settings = fresh_stack.settings
    drift = ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, WINDOWS_TOPIC, incremental_configs=[drift])
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
    admin.incremental_alter_configs([resource])[resource].result(STATE_WITHIN_S)
    job = defs().resolve_implicit_global_asset_job_def()

    def passed() -> bool:
        done = job.execute_in_process(instance=instance, asset_selection=[TOPICS])
        [check] = [
            each for each in done.get_asset_check_evaluations() if each.check_name == CONFIG_CHECK.name
        ]
        return check.passed

    assert [passed(), passed()] == [False, True]


def test_what_flows_is_observed_as_materialized(
    instance: dg.DagsterInstance, fresh_stack: RunningStack
) -> None:
    produce(
        fresh_stack.settings,
        TrafficRequest(rate=500, duration_ms=75_000),
        stop=Stop(),
        on_start=lambda _plan: None,
        on_progress=lambda _delivery: None,
    )
    seen: dict[dg.AssetKey, set[str]] = {}
    cursor: str | None = None

    def observed() -> bool:
        nonlocal cursor
        with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
            result = observe_stream(context, platform=Platform())
        assert isinstance(result, dg.SensorResult)
        cursor = result.cursor
        for event in result.asset_events:
            assert isinstance(event, dg.AssetMaterialization)  # freshness policies count nothing else
            assert event.asset_key.to_user_string() in str(result.skip_reason)
            seen.setdefault(event.asset_key, set()).update(event.metadata)
        return {RAW_EVENTS, COUNTS_1MIN, METRICS_1MIN, CACHE_1MIN, CACHE_5MIN, LEDGER} <= set(
            seen
        ) and "per_second" in seen[LEDGER]

    wait_until(observed, WINDOW_WITHIN_S, "a window to be observed")
    assert {"messages", "end of partition 0"} <= seen[RAW_EVENTS]
    assert {"latest_window_end", "behind_s", "impressions"} <= seen[METRICS_1MIN]
    assert {"age_s", "open_windows", "final_windows", "final"} <= seen[CACHE_1MIN]
    assert "unaccounted" in seen[LEDGER]


def test_the_recount_verifies_what_has_flowed(instance: dg.DagsterInstance) -> None:
    def verified() -> bool:
        with dg.build_schedule_context(
            instance=instance, scheduled_execution_time=datetime.now(UTC)
        ) as context:
            request = recount_every_minute(context)
        assert isinstance(request, dg.RunRequest)
        done = (
            defs().resolve_job_def(recount_job.name).execute_in_process(instance=instance, tags=request.tags)
        )
        made = done.get_asset_materialization_events()
        assert {event.partition for event in made} <= set(HOURS.get_partition_keys())
        assert len(made) == 2
        metadata = {name: value.value for name, value in made[0].materialization.metadata.items()}
        assert metadata["windows_inexact"] == 0
        assert metadata["lowest_accuracy"] == 100
        return int(str(metadata["windows_verified"])) > 0

    wait_until(verified, WINDOW_WITHIN_S, "a verified window")


def test_a_recount_at_work_is_not_overtaken(instance: dg.DagsterInstance) -> None:
    job = defs().resolve_job_def(recount_job.name)
    run = instance.create_run_for_job(job_def=job, status=dg.DagsterRunStatus.STARTED)
    now = datetime.now(UTC)
    with dg.build_schedule_context(instance=instance, scheduled_execution_time=now) as context:
        assert isinstance(recount_every_minute(context), dg.SkipReason)
    instance.report_run_failed(run)
    with dg.build_schedule_context(instance=instance, scheduled_execution_time=now) as context:
        assert isinstance(recount_every_minute(context), dg.RunRequest)


def test_a_store_that_is_away_hides_no_other(fresh_stack: RunningStack) -> None:
    fresh_stack.stop("redis")
    try:
        with dg.build_sensor_context() as context:
            result = observe_stream(context, platform=Platform())
        assert isinstance(result, dg.SensorResult)
        assert {RAW_EVENTS, COUNTS_1MIN} <= {event.asset_key for event in result.asset_events}
        assert "Redis at" in str(result.skip_reason)
    finally:
        fresh_stack.start("redis")


def test_a_lost_job_is_brought_back_from_its_newest_snapshot(
    instance: dg.DagsterInstance, fresh_stack: RunningStack
) -> None:
    settings = fresh_stack.settings
    with FlinkCluster(settings.flink_rest_url) as cluster:
        [job] = cluster.alive(JOB_NAME)
        wait_until(lambda: cluster.checkpoints(job.id).completed > 0, STATE_WITHIN_S, "a checkpoint")
        cluster.cancel(job.id)
        wait_until(lambda: not cluster.alive(JOB_NAME), STATE_WITHIN_S, "the job's end")
    assert _tick(instance).run_requests
    newest = complete_snapshots(settings.flink_checkpoint_dir)[0]
    result = _run(instance)
    assert _metadata(result, FLINK_JOB)["restored_from"] == newest.uri
    with FlinkCluster(settings.flink_rest_url) as cluster:
        [job] = cluster.alive(JOB_NAME)
        restored = cluster.checkpoints(job.id).restored_from
        assert restored is not None
        assert restored.rstrip("/").endswith(newest.uri.rsplit("/", 2)[-1])
        savepoint = cluster.stop_with_savepoint(job.id, settings.flink_checkpoint_dir, STATE_WITHIN_S)
    assert complete_snapshots(settings.flink_checkpoint_dir)[0].uri.endswith(savepoint.rsplit("/", 1)[-1])


def test_a_job_that_has_run_never_starts_from_nothing_by_itself(
    fresh_stack: RunningStack, tmp_path: object
) -> None:
    elsewhere = fresh_stack.settings.model_copy(update={"flink_checkpoint_dir": f"file://{tmp_path}"})
    with pytest.raises(CtrError, match="from_nothing"):
        start(elsewhere)


def test_restarts_are_spaced_out_until_the_supervisor_gives_up_and_a_person_helps(
    instance: dg.DagsterInstance,
) -> None:
    [request] = _tick(instance).run_requests or []
    assert request.tags[WHY] == "missing"
    job = defs().resolve_job_def(bring_up_job.name)
    tags = {**job.tags, **request.tags}
    for _ in range(MAX_RESTARTS):
        run = instance.create_run_for_job(job_def=job, status=dg.DagsterRunStatus.STARTED, tags=tags)
        waits = _tick(instance)
        assert "is at work on the job" in str(waits.skip_reason)
        instance.report_run_failed(run)
        pauses = _tick(instance)
        assert not pauses.run_requests
    given_up = _tick(instance, waits.cursor)
    assert "gave up: missing" in str(given_up.skip_reason)
    [told] = given_up.asset_events
    assert isinstance(told, dg.AssetCheckEvaluation)
    assert (told.check_name, told.passed) == ("kept_alive", False)
    still = _tick(instance, given_up.cursor)
    assert "gave up" in str(still.skip_reason)
    assert still.asset_events == []

    assert _run(instance).success
    healthy = _tick(instance, still.cursor)
    assert "is RUNNING as" in str(healthy.skip_reason)
    [told] = healthy.asset_events
    assert isinstance(told, dg.AssetCheckEvaluation)
    assert (told.check_name, told.passed) == ("kept_alive", True)


def test_the_pause_grows_with_the_restarts(instance: dg.DagsterInstance) -> None:
    runs = instance.get_run_records(dg.RunsFilter(tags={WHY: "missing"}), limit=MAX_RESTARTS)
    ended = runs[0].end_time
    assert ended is not None
    since = datetime.now(UTC).timestamp() - ended
    pauses = [_pause_s(runs[:number]) + since for number in range(1, MAX_RESTARTS + 1)]
    assert all(
        longer == pytest.approx(wanted, abs=1) or longer == since
        for longer, wanted in zip(pauses, (10, 20, 40, 80, 160), strict=True)
    )
    assert pauses[-1] == pytest.approx(160, abs=1)
    assert _pause_s([]) == 0


def test_a_restart_waits_for_what_the_job_lives_on(
    instance: dg.DagsterInstance, fresh_stack: RunningStack
) -> None:
    with FlinkCluster(fresh_stack.settings.flink_rest_url) as cluster:
        [job] = cluster.alive(JOB_NAME)
        cluster.cancel(job.id)
        wait_until(lambda: not cluster.alive(JOB_NAME), STATE_WITHIN_S, "the job's end")
    fresh_stack.stop("registry")
    waits = _tick(instance)
    assert "so is the Schema Registry: a restart would not help" in str(waits.skip_reason)
    fresh_stack.start("registry")
    assert _tick(instance).run_requests


def test_a_job_that_is_stopped_on_purpose_is_left_alone(
    instance: dg.DagsterInstance, fresh_stack: RunningStack
) -> None:
    [request] = _tick(instance).run_requests or []
    assert _run(instance, request).success
    stop(fresh_stack.settings, why="a quiet night")
    assert "stopped on purpose: a quiet night" in str(_tick(instance).skip_reason)
    warehouse = Warehouse(fresh_stack.settings.postgres_url)
    assert warehouse.heartbeats()[SUPERVISOR].detail == "stopped on purpose: a quiet night"
    warehouse.close()
    left = _run(instance, request)  # asked for before somebody stopped it
    assert _metadata(left, FLINK_JOB) == {"left_stopped": "a quiet night"}
    assert _metadata(_run(instance), FLINK_JOB)["why"] == "by hand"


def test_one_job_takes_the_place_of_two(instance: dg.DagsterInstance, fresh_stack: RunningStack) -> None:
    settings = fresh_stack.settings
    second = submit(job_config(settings))
    with FlinkCluster(settings.flink_rest_url) as cluster:
        wait_running(cluster, second)
        before = {job.id for job in cluster.alive(JOB_NAME)}
        assert len(before) == 2
        [request] = _tick(instance).run_requests or []
        assert request.tags[WHY] == "doubled"
        assert _run(instance, request).success
        [alone] = cluster.alive(JOB_NAME)
        assert alone.id not in before
        assert cluster.checkpoints(alone.id).restored_from is not None


def test_a_job_that_restarts_in_a_loop_is_replaced(
    instance: dg.DagsterInstance, fresh_stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LOOPING_FAILURES", 1)
    settings = fresh_stack.settings
    with FlinkCluster(settings.flink_rest_url) as cluster:
        [looping] = cluster.alive(JOB_NAME)
        for name in TASKMANAGER_NAMES:
            fresh_stack.kill(name)
        wait_until(lambda: bool(cluster.failures(looping.id, 1)), STATE_WITHIN_S, "the failure")
        found = health.examine(cluster, settings)
        assert (found.problem, found.end) == ("looping", (looping.id,))
        asked: list[dg.RunRequest] = []

        def asks() -> bool:
            asked.extend(_tick(instance).run_requests or [])
            return bool(asked)

        wait_until(asks, STATE_WITHIN_S, "the pause after an earlier restart")
        assert _run(instance, asked[0]).success
        [job] = cluster.alive(JOB_NAME)
        assert job.id != looping.id
        assert health.examine(cluster, settings).problem is None


def test_a_job_without_checkpoints_is_noticed(fresh_stack: RunningStack) -> None:
    hasty = {"flink_checkpoint_interval": 0.0, "flink_checkpoint_timeout": 0.0}
    with FlinkCluster(fresh_stack.settings.flink_rest_url) as cluster:
        found = health.examine(cluster, fresh_stack.settings.model_copy(update=hasty))
        assert found.problem == "no checkpoint"
        assert len(found.end) == 1


def test_an_absent_flink_is_a_reason_to_wait(instance: dg.DagsterInstance, fresh_stack: RunningStack) -> None:
    fresh_stack.stop("jobmanager")
    try:
        assert "does not answer" in str(_tick(instance).skip_reason)
        began = time.monotonic()
        with FlinkCluster(fresh_stack.settings.flink_rest_url) as cluster, pytest.raises(FlinkUnavailable):
            cluster.jobs()
        assert time.monotonic() - began < STATE_WITHIN_S
    finally:
        fresh_stack.start("jobmanager")
