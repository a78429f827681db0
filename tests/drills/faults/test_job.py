"""The job loses what it runs on, or is ended."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from ctr_platform.defs.flink_job.rest import FlinkCluster
from tests.drills.environment import RUNNING_WITHIN_S, TICKS, second_daemon, seconds_until

if TYPE_CHECKING:
    from tests.drills.environment import DrillEnvironment
    from tests.drills.report import Report

pytestmark = [pytest.mark.drill, pytest.mark.timeout(3600)]

BOTH_LOOK_AGAIN_S: Final = 30
"""After a restart: time for another one that must not come, and for the daemons to notice each other."""


def test_a_job_cancelled_while_two_daemons_watch(platform: DrillEnvironment, report: Report) -> None:
    job = platform.job()
    assert job is not None
    since_s = time.time()
    with second_daemon(platform.stack) as log:
        began = datetime.now(tz=UTC)
        with FlinkCluster(platform.settings.flink_rest_url) as cluster:
            cluster.cancel(job.id)
        detected, running = platform.seconds_until_back(job.id, began.timestamp())
        time.sleep(BOTH_LOOK_AGAIN_S)
        [run] = platform.restarts(began.timestamp())
        with FlinkCluster(platform.settings.flink_rest_url) as cluster:
            made = [each for each in cluster.jobs() if each.started_ms / 1000 > began.timestamp()]
        restored = platform.restored_from()
        said = log.read_text()
    assert run["status"] == "SUCCESS"
    assert [each.alive for each in made] == [True]
    ticks = said.count(TICKS)
    assert ticks > 1
    warned = "says that it does not support that" if "multiple daemon processes" in said else "says nothing"
    asked = "second" if f"Completed launch of run {run['runId']}" in said else "first"
    report.message(
        f"Two daemons at once: Dagster {warned}, and both go on. Of the supervisor's looks in "
        f"{time.time() - since_s:.0f} s the second daemon made {ticks}; the {asked} one asked for the "
        "one run, which brought one job back."
    )
    report.verify_deployment(
        platform.settings,
        "job cancelled while two Dagster daemons run",
        began,
        detected_s=detected,
        running_s=running,
        restored_from=restored,
    )


def test_a_job_cancelled_by_hand(platform: DrillEnvironment, report: Report) -> None:
    job = platform.job()
    assert job is not None
    began = datetime.now(tz=UTC)
    with FlinkCluster(platform.settings.flink_rest_url) as cluster:
        cluster.cancel(job.id)
    detected, running = platform.seconds_until_back(job.id, began.timestamp())
    report.verify_deployment(
        platform.settings,
        "job cancelled by hand in the Flink UI",
        began,
        detected_s=detected,
        running_s=running,
        restored_from=platform.restored_from(),
    )


@pytest.mark.parametrize("name", ["taskmanager-1", "taskmanager-2"])
def test_a_killed_taskmanager(platform: DrillEnvironment, report: Report, name: str) -> None:
    job = platform.job()
    assert job is not None
    began = datetime.now(tz=UTC)
    platform.stack.kill(name)
    with FlinkCluster(platform.settings.flink_rest_url) as cluster:
        assert cluster.task_managers()

    def noticed() -> bool:
        return platform.failed_since(job.id, began.timestamp())

    try:
        detected = seconds_until(noticed, 60, "failure", began.timestamp())
    except AssertionError:
        # It carried nothing of the job.
        detected = None
    running = seconds_until(lambda: platform.job() is not None, RUNNING_WITHIN_S, "job", began.timestamp())
    report.verify_deployment(
        platform.settings,
        f"`kill -9` {name}" + ("" if detected else " (carried nothing of the job)"),
        began,
        detected_s=detected,
        running_s=running if detected else None,
        restored_from=platform.restored_from() if detected else "-",
    )


def test_a_killed_jobmanager(platform: DrillEnvironment, report: Report) -> None:
    job = platform.job()
    assert job is not None
    began = datetime.now(tz=UTC)
    platform.stack.kill("jobmanager")
    detected, running = platform.seconds_until_back(job.id, began.timestamp())
    report.verify_deployment(
        platform.settings,
        "`kill -9` JobManager (it forgets its jobs)",
        began,
        detected_s=detected,
        running_s=running,
        restored_from=platform.restored_from(),
    )
