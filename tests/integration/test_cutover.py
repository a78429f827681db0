"""The windows change hands at a boundary: each is counted by one job, and each outcome told by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flink.config import Bounds
from tests.oracle import MINUTE_MS
from tests.support.hostile import HOUR_MS, hostile_traffic
from tests.support.pipeline import closed

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline

BOUNDARY_MS = HOUR_MS + 5 * MINUTE_MS


def _all_read(job: Pipeline) -> None:
    job.eventually(lambda: job.read() == job.expected().records, "the ledger")


def test_hostile_traffic_across_the_boundary_is_counted_once_by_the_job_whose_window_it_is(
    job: Pipeline,
) -> None:
    boundary_ms = job.base_ms + BOUNDARY_MS
    job.submit()
    hostile_traffic(job, events=1_500, minutes=3, seed=31)
    _all_read(job)
    first = job.stop_with_savepoint()

    job.submit(restore_from=first, bounds=Bounds(count_until_ms=boundary_ms))
    hostile_traffic(job, events=1_500, minutes=8, seed=32)
    _all_read(job)
    before = closed(job.expected().windows(5), boundary_ms, 5)
    assert before
    job.eventually(lambda: job.rows(5) == before, "the windows before the boundary")
    assert not any(start >= boundary_ms for start, _, _ in job.rows(1))
    job.stop_with_savepoint()

    notified = dict(
        job.query(
            "select partition, max(last_offset) + 1 from quality.ledger where topic = %s group by 1",
            job.settings.raw_topic,
        )
    )
    job.submit(restore_from=first, bounds=Bounds(count_from_ms=boundary_ms, ledger_from=notified))
    hostile_traffic(job, events=1_500, minutes=13, seed=33)
    job.close_windows(HOUR_MS + 20 * MINUTE_MS)
    _all_read(job)
    until_ms = job.base_ms + HOUR_MS + 20 * MINUTE_MS
    expected = job.expected()
    wanted = {minutes: closed(expected.windows(minutes), until_ms, minutes) for minutes in (1, 5)}
    job.eventually(lambda: all(closed(job.rows(m), until_ms, m) == wanted[m] for m in wanted), "the windows")
    assert job.dead_letters() == {**expected.dead, **dict.fromkeys(expected.late, "late")}
    ledger = job.ledger()
    assert ledger["counted"] == sum(expected.counted.values())
    assert ledger["late"] == len(expected.late)
    overlapping = job.query(
        "select sum(overlapping_offsets), sum(uncovered_offsets) from quality.conservation where topic = %s",
        job.settings.raw_topic,
    )
    assert overlapping == [(0, 0)]
    assert not any(job.dropped_late().values())
