"""A job that does not do its work is brought back: by the sensor and the run that it asks for."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from contract.errors import CtrError, FlinkUnavailable
from ctr_platform.definitions import defs
from ctr_platform.defs.catalog import FLINK_JOB
from ctr_platform.defs.deployments.steps import stop
from ctr_platform.defs.flink_job import liveness
from ctr_platform.defs.flink_job.assets import WHY
from ctr_platform.defs.flink_job.deploy import start
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.snapshots import complete_snapshots
from ctr_platform.defs.flink_job.submission import job_config, submit, wait_running
from ctr_platform.defs.flink_job.supervisor import MAX_RESTARTS, _pause_s, bring_up_job
from ctr_platform.devstack.probes import wait_until
from ctr_platform.devstack.service_list import TASKMANAGER_NAMES
from ctr_platform.loadgen.plan import TrafficRequest
from ctr_platform.loadgen.produce import produce
from ctr_platform.loadgen.stop import Stop
from flink.config import JOB_NAME
from tests.support.bring_up import bring_up, metadata, tick
from warehouse.models import SUPERVISOR
from warehouse.reads import Warehouse

if TYPE_CHECKING:
    from tests.support.stack import RunningStack

STATE_WITHIN_S = 120


def test_a_lost_job_is_brought_back_from_its_newest_snapshot(
    instance: dg.DagsterInstance, fresh_stack: RunningStack
) -> None:
    settings = fresh_stack.settings
    # Up already, unless this file runs alone.
    assert bring_up(instance).success
    produce(
        settings,
        TrafficRequest(rate=500, duration_ms=1_000),
        stop=Stop(),
        on_start=lambda _plan: None,
        on_progress=lambda _delivery: None,
    )
    with FlinkCluster(settings.flink_rest_url) as cluster:
        [job] = cluster.alive(JOB_NAME)
        wait_until(lambda: cluster.checkpoints(job.id).completed > 0, STATE_WITHIN_S, "a checkpoint")
        cluster.cancel(job.id)
        wait_until(lambda: not cluster.alive(JOB_NAME), STATE_WITHIN_S, "the job's end")
    assert tick(instance).run_requests
    newest = complete_snapshots(settings.flink_checkpoint_dir)[0]
    result = bring_up(instance)
    assert metadata(result, FLINK_JOB)["restored_from"] == newest.uri
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
    [request] = tick(instance).run_requests or []
    assert request.tags[WHY] == "missing"
    job = defs().resolve_job_def(bring_up_job.name)
    tags = {**job.tags, **request.tags}
    for _ in range(MAX_RESTARTS):
        run = instance.create_run_for_job(job_def=job, status=dg.DagsterRunStatus.STARTED, tags=tags)
        waits = tick(instance)
        assert "is at work on the job" in str(waits.skip_reason)
        instance.report_run_failed(run)
        pauses = tick(instance)
        assert not pauses.run_requests
    given_up = tick(instance, waits.cursor)
    assert "gave up: missing" in str(given_up.skip_reason)
    [notified] = given_up.asset_events
    assert isinstance(notified, dg.AssetCheckEvaluation)
    assert (notified.check_name, notified.passed) == ("supervised", False)
    still = tick(instance, given_up.cursor)
    assert "gave up" in str(still.skip_reason)
    assert still.asset_events == []

    assert bring_up(instance).success
    healthy = tick(instance, still.cursor)
    assert "is RUNNING as" in str(healthy.skip_reason)
    [notified] = healthy.asset_events
    assert isinstance(notified, dg.AssetCheckEvaluation)
    assert (notified.check_name, notified.passed) == ("supervised", True)


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
    waits = tick(instance)
    assert "so is the Schema Registry: a restart would not help" in str(waits.skip_reason)
    fresh_stack.start("registry")
    assert tick(instance).run_requests


def test_a_job_that_is_stopped_on_purpose_is_left_alone(
    instance: dg.DagsterInstance, fresh_stack: RunningStack
) -> None:
    [request] = tick(instance).run_requests or []
    assert bring_up(instance, request).success
    stop(fresh_stack.settings, why="a quiet night")
    assert "stopped on purpose: a quiet night" in str(tick(instance).skip_reason)
    warehouse = Warehouse(fresh_stack.settings.postgres_url)
    assert warehouse.heartbeats()[SUPERVISOR].detail == "stopped on purpose: a quiet night"
    warehouse.close()
    left = bring_up(instance, request)  # asked for before somebody stopped it
    assert metadata(left, FLINK_JOB) == {"left_stopped": "a quiet night"}
    assert metadata(bring_up(instance), FLINK_JOB)["why"] == "by hand"


def test_one_job_takes_the_place_of_two(instance: dg.DagsterInstance, fresh_stack: RunningStack) -> None:
    settings = fresh_stack.settings
    second = submit(job_config(settings))
    with FlinkCluster(settings.flink_rest_url) as cluster:
        wait_running(cluster, second)
        before = {job.id for job in cluster.alive(JOB_NAME)}
        assert len(before) == 2
        [request] = tick(instance).run_requests or []
        assert request.tags[WHY] == "duplicated"
        assert bring_up(instance, request).success
        [alone] = cluster.alive(JOB_NAME)
        assert alone.id not in before
        assert cluster.checkpoints(alone.id).restored_from is not None


def test_a_job_that_restarts_in_a_loop_is_replaced(
    instance: dg.DagsterInstance, fresh_stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(liveness, "LOOPING_FAILURES", 1)
    settings = fresh_stack.settings
    with FlinkCluster(settings.flink_rest_url) as cluster:
        [looping] = cluster.alive(JOB_NAME)
        for name in TASKMANAGER_NAMES:
            fresh_stack.kill(name)
        wait_until(lambda: bool(cluster.failures(looping.id, 1)), STATE_WITHIN_S, "the failure")
        found = liveness.check_liveness(cluster, settings)
        assert (found.problem, found.end) == ("crash-looping", (looping.id,))
        asked: list[dg.RunRequest] = []

        def asks() -> bool:
            asked.extend(tick(instance).run_requests or [])
            return bool(asked)

        wait_until(asks, STATE_WITHIN_S, "the pause after an earlier restart")
        assert bring_up(instance, asked[0]).success
        [job] = cluster.alive(JOB_NAME)
        assert job.id != looping.id
        assert liveness.check_liveness(cluster, settings).problem is None


def test_a_job_without_checkpoints_is_noticed(fresh_stack: RunningStack) -> None:
    hasty = {"flink_checkpoint_interval": 0.0, "flink_checkpoint_timeout": 0.0}
    with FlinkCluster(fresh_stack.settings.flink_rest_url) as cluster:
        found = liveness.check_liveness(cluster, fresh_stack.settings.model_copy(update=hasty))
        assert found.problem == "no checkpoint"
        assert len(found.end) == 1


def test_an_absent_flink_is_a_reason_to_wait(instance: dg.DagsterInstance, fresh_stack: RunningStack) -> None:
    fresh_stack.stop("jobmanager")
    try:
        assert "does not answer" in str(tick(instance).skip_reason)
        began = time.monotonic()
        with FlinkCluster(fresh_stack.settings.flink_rest_url) as cluster, pytest.raises(FlinkUnavailable):
            cluster.jobs()
        assert time.monotonic() - began < STATE_WITHIN_S
    finally:
        fresh_stack.start("jobmanager")
