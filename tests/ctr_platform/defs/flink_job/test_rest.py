"""The client against a real cluster with the real job on it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from contract.errors import CtrError, FlinkRefused, FlinkUnavailable
from ctr_platform.defs.flink_job.rest import FlinkCluster, JobDetail
from ctr_platform.defs.flink_job.submission import submit, wait_running
from ctr_platform.defs.flink_job.transport import root_cause
from ctr_platform.devstack.probes import wait_until
from ctr_platform.devstack.service_list import TASKMANAGER_NAMES
from flink.config import JOB_NAME
from tests.support.pipeline import pipeline
from tests.support.stores import silent_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.pipeline import Pipeline
    from tests.support.stack import RunningStack
    from tests.support.submitter import Submitter

STATE_WITHIN_S = 120
UNKNOWN_JOB = "0" * 32


@pytest.fixture
def cluster(stack: RunningStack) -> Iterator[FlinkCluster]:
    with FlinkCluster(stack.settings.flink_rest_url) as opened:
        yield opened


@pytest.fixture(scope="module")
def running(stack: RunningStack, submitter: Submitter) -> Iterator[Pipeline]:
    with pipeline(stack, submitter) as made:
        made.submit()
        yield made


def test_the_cluster_tells_its_room(cluster: FlinkCluster, running: Pipeline) -> None:
    overview = cluster.overview()
    managers = cluster.task_managers()
    assert [manager.id for manager in managers] == sorted(TASKMANAGER_NAMES)
    assert overview.task_managers == len(managers)
    assert overview.slots == sum(manager.slots for manager in managers)
    assert overview.free_slots == sum(manager.free_slots for manager in managers)
    assert 0 < overview.free_slots <= overview.slots - running.config.parallelism
    assert overview.flink_version.startswith("2.")
    assert all(abs(manager.heartbeat_ms / 1000 - time.time()) < STATE_WITHIN_S for manager in managers)


def test_a_running_job_tells_of_itself(cluster: FlinkCluster, running: Pipeline) -> None:
    assert running.job_id is not None
    job = cluster.job(running.job_id)
    assert (job.name, job.state, job.running, job.alive) == (JOB_NAME, "RUNNING", True, True)
    assert job.parallelism == running.config.parallelism
    assert "Source" in job.vertices[0].name
    assert running.job_id in [each.id for each in cluster.alive(JOB_NAME)]
    assert cluster.alive("another") == []
    assert cluster.failures(running.job_id, 5) == []


def test_checkpoints_are_told_with_their_place(cluster: FlinkCluster, running: Pipeline) -> None:
    path = running.wait_checkpoint()
    assert running.job_id is not None
    found = cluster.checkpoints(running.job_id)
    assert found.latest is not None
    assert found.completed >= 1
    assert found.restored_from is None
    assert found.latest.size_bytes > 0
    assert running.job_id in found.latest.path
    assert running.job_id in path
    assert not found.latest.is_savepoint


def test_watermarks_are_recent_however_long_nobody_asked(cluster: FlinkCluster, running: Pipeline) -> None:
    assert running.job_id is not None
    job_id = running.job_id
    # Asks for nothing in between: the JobManager then answers the next question with this collection.
    cluster.metrics(job_id).watermarks()
    running.close_windows(10 * 60_000)
    expected_ms = running.base_ms + 10 * 60_000
    collection_due_s = 11
    time.sleep(collection_due_s)
    marks = cluster.metrics(job_id).watermarks()
    assert marks
    assert all(mark.lowest_ms is not None and mark.lowest_ms >= expected_ms - 1000 for mark in marks)
    dropped = cluster.metrics(job_id).summed("numLateRecordsDropped")
    assert dropped
    assert set(dropped.values()) == {0}


def test_a_job_from_a_cold_submission_stops_with_a_savepoint(
    cluster: FlinkCluster, stack: RunningStack, submitter: Submitter
) -> None:
    with pipeline(stack, submitter) as made:
        # The platform's own way, a process for one submission: elsewhere tests submit by a warm one.
        made.job_id = submit(made.config)
        wait_running(cluster, made.job_id)
        path = cluster.stop_with_savepoint(made.job_id, made.settings.flink_checkpoint_dir, STATE_WITHIN_S)
        assert path.startswith("file:")
        assert "/savepoint-" in path
        wait_until(lambda: not cluster.job(made.job_id or "").alive, STATE_WITHIN_S, "the job's end")
        with pytest.raises(FlinkRefused):
            cluster.stop_with_savepoint(made.job_id, made.settings.flink_checkpoint_dir, STATE_WITHIN_S)


def test_what_cannot_be_restored_is_named(stack: RunningStack, submitter: Submitter) -> None:
    with (
        pipeline(stack, submitter) as made,
        pytest.raises(CtrError, match=r"Cannot find checkpoint.*/gone/chk-1"),
    ):
        submit(replace(made.config, restore_from="file:///gone/chk-1"))


def test_an_unknown_job_is_refused(cluster: FlinkCluster) -> None:
    with pytest.raises(FlinkRefused, match="Could not find Flink job"):
        cluster.job(UNKNOWN_JOB)
    with pytest.raises(FlinkRefused, match="Could not find Flink job"):
        wait_running(cluster, UNKNOWN_JOB)


def test_an_absent_cluster_is_told_from_another_service(stack: RunningStack) -> None:
    with (
        silent_port() as port,
        FlinkCluster(f"http://127.0.0.1:{port}") as nobody,
        pytest.raises(FlinkUnavailable, match=f"{port} does not answer"),
    ):
        nobody.jobs()
    with FlinkCluster(stack.settings.schema_registry_url) as registry, pytest.raises(FlinkRefused):
        registry.jobs()


def test_a_job_without_chains_does_not_run_yet() -> None:
    job = JobDetail(id="a", name=JOB_NAME, state="RUNNING", started_ms=0, duration_ms=0, vertices=())
    assert job.alive
    assert not job.running
    assert job.parallelism == 0


def test_the_last_cause_of_a_stack_trace_says_what_happened() -> None:
    trace = (
        "a.A: vague\n\tat x\nCaused by: b.B: closer\n\tat y\nCaused by: c.C: the file is gone\n\t... 5 more\n"
    )
    assert root_cause(trace) == "c.C: the file is gone"
    assert root_cause("a.A: alone\n\tat x\n") == "a.A: alone"
    assert root_cause("") == ""
