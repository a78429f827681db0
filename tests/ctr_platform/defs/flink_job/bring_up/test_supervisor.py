"""A job that does not do its work is brought back: by the sensor and the run that it asks for."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from sqlalchemy import delete

from contract.errors import CtrError, FlinkUnavailable
from ctr_platform.definitions import defs
from ctr_platform.defs.catalog import FLINK_JOB
from ctr_platform.defs.deployments.steps import stop
from ctr_platform.defs.flink_job import liveness
from ctr_platform.defs.flink_job.assets import WHY
from ctr_platform.defs.flink_job.deploy import start
from ctr_platform.defs.flink_job.desired_state import (
    DesiredState,
    current_desired_state,
    record_desired_state,
)
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.restore_points import complete_snapshots
from ctr_platform.defs.flink_job.submission import job_config, submit, wait_running
from ctr_platform.defs.flink_job.submitted_jobs import snapshot_folder, submitted_jobs
from ctr_platform.defs.flink_job.supervisor import MAX_RESTARTS, _pause_s, bring_up_job
from ctr_platform.devstack.probes import wait_until
from ctr_platform.devstack.service_list import TASKMANAGER_NAMES
from flink.config import JOB_NAME
from tests.ctr_platform.defs.flink_job.bring_up.conftest import TRAFFIC
from tests.support.bring_up import bring_up, metadata, tick
from tests.support.pipeline import end_all_jobs
from tests.support.sending import send
from tests.support.stores import writing_engine
from warehouse.models.operation import SUPERVISOR, SubmittedJobRow
from warehouse.reads import Warehouse

if TYPE_CHECKING:
    from tests.support.stack import RunningStack

STATE_WITHIN_S = 120


def test_a_lost_job_is_brought_back_from_its_newest_snapshot(
    instance: dg.DagsterInstance, own_stack: RunningStack, job: str
) -> None:
    settings = own_stack.settings
    send(settings, TRAFFIC)
    with FlinkCluster(settings.flink_rest_url) as cluster:
        wait_until(lambda: cluster.checkpoints(job).completed > 0, STATE_WITHIN_S, "a checkpoint")
    end_all_jobs(settings)
    assert tick(instance).run_requests
    newest = complete_snapshots(settings)[0]
    assert newest.uri.startswith(f"{snapshot_folder(settings)}/{job}/chk-")
    result = bring_up(instance)
    assert metadata(result, FLINK_JOB)["restored_from"] == newest.uri
    with FlinkCluster(settings.flink_rest_url) as cluster:
        [back] = cluster.alive(JOB_NAME)
        restored = cluster.checkpoints(back.id).restored_from
        assert restored is not None
        assert restored.rstrip("/").endswith(newest.uri.rsplit("/", 2)[-1])
        savepoint = cluster.stop_with_savepoint(back.id, settings.flink_checkpoint_dir, STATE_WITHIN_S)
    assert complete_snapshots(settings)[0].uri.endswith(savepoint.rsplit("/", 1)[-1])


def test_a_job_whose_submission_was_never_recorded_is_so_at_the_next_look(
    instance: dg.DagsterInstance, own_stack: RunningStack, job: str
) -> None:
    with writing_engine(own_stack.settings.postgres_url).begin() as connection:
        connection.execute(delete(SubmittedJobRow).where(SubmittedJobRow.job_id == job))
    tick(instance)
    assert job in submitted_jobs(own_stack.settings)


@pytest.mark.usefixtures("traffic")
def test_a_job_that_has_run_never_starts_from_nothing_by_itself(
    own_stack: RunningStack, tmp_path: object
) -> None:
    end_all_jobs(own_stack.settings)
    desired = current_desired_state(own_stack.settings)
    assert desired is not None
    # As it is at first, whatever other tests wanted: from no snapshot in particular.
    record_desired_state(own_stack.settings, DesiredState(operation="start", why="", release=desired.release))
    elsewhere = own_stack.settings.model_copy(update={"flink_checkpoint_dir": f"file://{tmp_path}"})
    with pytest.raises(CtrError, match="from_nothing"):
        start(elsewhere)


@pytest.mark.usefixtures("ended_job")
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
        assert "is in progress" in str(waits.skip_reason)
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


@pytest.mark.usefixtures("ended_job")
def test_a_lost_job_waits_for_neither_retention_nor_a_backfill(instance: dg.DagsterInstance) -> None:
    """Their runs take up to an hour or two; a rescale, which does end and start the job, is waited for."""
    location = defs()

    def begin(name: str, **config: Any) -> dg.DagsterRun:
        job = location.resolve_job_def(name)
        return instance.create_run_for_job(
            job_def=job,
            run_config={"ops": {name: {"config": config}}} if config else {},
            status=dg.DagsterRunStatus.STARTED,
            tags=job.tags,
        )

    def pools(name: str) -> set[str]:
        return {pool for node in location.resolve_job_def(name).nodes for pool in node.definition.pools}

    hour = "2026-01-31T09:00Z"
    for name, config in (
        ("apply_retention", {}),
        ("backfill_hours", {"first_hour": hour, "last_hour": hour}),
    ):
        begin(name, **config)
        # What the supervisor asks for now is begun, too: nothing holds its place in a pool.
        assert tick(instance).run_requests, name
        assert pools(name).isdisjoint(pools(bring_up_job.name)), name
    assert pools(bring_up_job.name)
    begin("rescale", parallelism=2)
    assert "(rescale) is in progress" in str(tick(instance).skip_reason)


def test_the_pause_grows_with_the_restarts(instance: dg.DagsterInstance) -> None:
    job = defs().resolve_job_def(bring_up_job.name)
    for _ in range(MAX_RESTARTS):
        tags = {**job.tags, WHY: "missing"}
        instance.report_run_failed(
            instance.create_run_for_job(job_def=job, status=dg.DagsterRunStatus.STARTED, tags=tags)
        )
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


@pytest.mark.usefixtures("ended_job")
def test_a_restart_waits_for_what_the_job_lives_on(
    instance: dg.DagsterInstance, own_stack: RunningStack
) -> None:
    own_stack.stop("registry")
    waits = tick(instance)
    assert "so is the Schema Registry: a restart would not help" in str(waits.skip_reason)
    own_stack.start("registry")
    assert tick(instance).run_requests


@pytest.mark.usefixtures("ended_job")
def test_a_job_that_is_stopped_on_purpose_is_left_alone(
    instance: dg.DagsterInstance, own_stack: RunningStack
) -> None:
    [request] = tick(instance).run_requests or []
    assert bring_up(instance, request).success
    stop(own_stack.settings, why="a quiet night")
    assert "stopped on purpose: a quiet night" in str(tick(instance).skip_reason)
    warehouse = Warehouse(own_stack.settings.postgres_url)
    assert warehouse.heartbeats()[SUPERVISOR].detail == "stopped on purpose: a quiet night"
    warehouse.close()
    left = bring_up(instance, request)  # asked for before somebody stopped it
    assert metadata(left, FLINK_JOB) == {"left_stopped": "a quiet night"}
    assert metadata(bring_up(instance), FLINK_JOB)["why"] == "by hand"


@pytest.mark.usefixtures("job")
def test_one_job_takes_the_place_of_two(instance: dg.DagsterInstance, own_stack: RunningStack) -> None:
    settings = own_stack.settings
    second = submit(job_config(settings, settings.declared_stream()))
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
    instance: dg.DagsterInstance, own_stack: RunningStack, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(liveness, "LOOPING_FAILURES", 1)
    settings = own_stack.settings
    with FlinkCluster(settings.flink_rest_url) as cluster:
        for name in TASKMANAGER_NAMES:
            own_stack.kill(name)
        wait_until(lambda: bool(cluster.failures(job, 1)), STATE_WITHIN_S, "the failure")
        found = liveness.check_liveness(cluster, settings)
        assert (found.problem, found.end) == ("crash-looping", (job,))
        asked: list[dg.RunRequest] = []

        def asks() -> bool:
            asked.extend(tick(instance).run_requests or [])
            return bool(asked)

        wait_until(asks, STATE_WITHIN_S, "the pause after an earlier restart")
        assert bring_up(instance, asked[0]).success
        [replacement] = cluster.alive(JOB_NAME)
        assert replacement.id != job
        assert liveness.check_liveness(cluster, settings).problem is None


@pytest.mark.usefixtures("job")
def test_a_job_without_checkpoints_is_noticed(own_stack: RunningStack) -> None:
    hasty = {"flink_checkpoint_interval": 0.0, "flink_checkpoint_timeout": 0.0}
    with FlinkCluster(own_stack.settings.flink_rest_url) as cluster:
        found = liveness.check_liveness(cluster, own_stack.settings.model_copy(update=hasty))
        assert found.problem == "no checkpoint"
        assert len(found.end) == 1


def test_an_absent_flink_is_a_reason_to_wait_and_told_when_it_lasts(
    instance: dg.DagsterInstance, own_stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(result: dg.SensorResult) -> list[tuple[str, bool | None]]:
        return [
            (each.check_name, each.passed)
            for each in result.asset_events
            if isinstance(each, dg.AssetCheckEvaluation)
        ]

    answers = tick(instance)
    assert ("flink_answers", True) in said(answers)
    assert said(tick(instance, answers.cursor)) == []
    own_stack.stop("jobmanager")
    try:
        absent = tick(instance, answers.cursor)
        assert "does not answer" in str(absent.skip_reason)
        assert said(absent) == [], "a restart takes seconds"
        began = time.monotonic()
        with FlinkCluster(own_stack.settings.flink_rest_url) as cluster, pytest.raises(FlinkUnavailable):
            cluster.jobs()
        assert time.monotonic() - began < STATE_WITHIN_S
        monkeypatch.setenv("HEARTBEAT_ALARM", "1ms")
        lasting = tick(instance, absent.cursor)
        assert said(lasting) == [("flink_answers", False)]
        still = tick(instance, lasting.cursor)
        assert said(still) == [], "once"
    finally:
        own_stack.start("jobmanager")
    back = tick(instance, still.cursor)
    assert said(back) == [("flink_answers", True)]
    assert said(tick(instance, back.cursor)) == []
