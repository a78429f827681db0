"""The windows, the letters and the ledger say of every record what an independent count says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from tests.oracle import MINUTE_MS
from tests.support.exact import check_exact
from tests.support.hostile import hostile_traffic

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline

HOUR_MS = 60 * MINUTE_MS


def test_outcomes_do_not_depend_on_parallelism(job: Pipeline) -> None:
    """What is expected is found from the topic's content alone; that of `test_hostile_traffic` runs at 2."""
    job.submit(parallelism=4)
    hostile_traffic(job, events=3_000, minutes=6, seed=7)
    job.close_windows(HOUR_MS + 10 * MINUTE_MS)
    check_exact(job, HOUR_MS + 10 * MINUTE_MS)


def test_a_killed_taskmanager_changes_no_number(job: Pipeline) -> None:
    job.submit()
    hostile_traffic(job, events=5_000, minutes=4, seed=3)
    job.wait_checkpoint()
    hostile_traffic(job, events=5_000, minutes=4, seed=4)
    job.stack.kill(_taskmanager_of_the_job(job))
    hostile_traffic(job, events=5_000, minutes=8, seed=5)
    job.close_windows(HOUR_MS + 10 * MINUTE_MS)
    check_exact(job, HOUR_MS + 10 * MINUTE_MS)
    assert job.restarts() >= 1


def _taskmanager_of_the_job(job: Pipeline) -> str:
    """The TaskManager that carries the job, or most of it."""
    answer = httpx.get(f"{job.config.rest_url}/taskmanagers", timeout=10)
    fewest = min(answer.json()["taskmanagers"], key=lambda each: each["freeSlots"])
    return str(fewest["id"])


def test_a_savepoint_restores_at_any_parallelism_with_the_same_late_set(job: Pipeline) -> None:
    job.submit(parallelism=2)
    hostile_traffic(job, events=4_000, minutes=4, seed=6)
    closed_ms = HOUR_MS + 5 * MINUTE_MS
    job.close_windows(closed_ms)
    savepoint = job.stop_with_savepoint()
    # The first records that the restored job sees: their windows closed before it was stopped.
    for partition in range(job.settings.kafka_partitions):
        job.event(partition, closed_ms - 1, site_category="late-after-restore")
    job.flush()
    job.submit(parallelism=4, restore_from=savepoint)
    _traffic_after(job, closed_ms)
    second = job.stop_with_savepoint()
    job.submit(parallelism=1, restore_from=second)
    job.close_windows(closed_ms + 10 * MINUTE_MS)
    check_exact(job, closed_ms + 10 * MINUTE_MS)


def _traffic_after(job: Pipeline, at_ms: int) -> None:
    for number in range(1_000):
        job.event(number % job.settings.kafka_partitions, at_ms + 10_000 + number)
    job.flush()
    job.wait_checkpoint()


def test_lateness_begins_exactly_ten_seconds_after_the_end(job: Pipeline) -> None:
    job.submit()
    end = HOUR_MS + MINUTE_MS
    for partition, ahead_ms in ((0, 10_000), (1, 9_999)):
        job.event(partition, end + ahead_ms)
        job.event(partition, end - 1, site_category="probe")
    job.close_windows(HOUR_MS + 5 * MINUTE_MS)
    check_exact(job, HOUR_MS + 5 * MINUTE_MS)
    assert job.dead_letters() == {(0, 1): "late"}
