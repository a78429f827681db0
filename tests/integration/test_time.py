"""Idleness and silence: what moves the job watermark, and what becomes of those who come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.oracle import MINUTE_MS
from tests.support.pipeline import SECONDS

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline

HOUR_MS = 60 * MINUTE_MS


def test_a_partition_back_from_idleness_finds_closed_windows_closed(job: Pipeline) -> None:
    """Partition 3 falls silent; the others close windows without it; its old events are late then."""
    job.use(**SECONDS)
    job.submit()
    for partition in range(4):
        job.event(partition, HOUR_MS + 1_000)
    job.flush()
    key = (job.base_ms + HOUR_MS, "news", 1)
    # Partitions 0 to 2 go on, so only partition 3 becomes idle and holds no longer.

    def resume() -> bool:
        for partition in range(3):
            job.event(partition, HOUR_MS + 3 * MINUTE_MS, site_category="others")
        job.flush()
        return key in job.rows(1)

    job.eventually(resume, "the window that only partition 3 held open")
    assert job.rows(1)[key] == (4, 0)

    job.event(3, HOUR_MS + 2_000)
    job.event(3, HOUR_MS + 3 * MINUTE_MS + 1, site_category="back")
    job.flush()
    # This outcome depends on the run, so its message is sent when a checkpoint has made it certain.
    job.eventually(lambda: job.dead_letters() == {(3, 1): "late"}, "the dead-letter message")
    assert job.rows(1)[key] == (4, 0)
    job.close_windows(HOUR_MS + 5 * MINUTE_MS)
    back = (job.base_ms + HOUR_MS + 3 * MINUTE_MS, "back", 1)
    job.eventually(lambda: job.rows(1).get(back) == (1, 0), "the event after idleness")
    assert set(job.dropped_late().values()) == {0}


def test_silence_closes_the_last_windows(job: Pipeline) -> None:
    """By the contract's own minute, unlike the other tests here.

    Nobody sends what would move the watermark on; garbage keeps coming, and must not hold it either.
    """
    job.submit()
    job.event(1, HOUR_MS + 1_000, click=1)
    job.flush()
    key = (job.base_ms + HOUR_MS, "news", 1)

    def wait() -> bool:
        job.send(2, b"garbage")
        job.flush()
        return job.rows(1).get(key) == (1, 1) and job.rows(5).get(key) == (1, 1)

    job.eventually(wait, "both windows")
    assert set(job.dead_letters().values()) == {"malformed"}


def test_a_restored_job_does_not_open_what_it_has_closed(job: Pipeline) -> None:
    """After idleness only the job watermark says that a window is closed: it must survive a restore."""
    job.use(**SECONDS)
    job.submit()
    job.event(0, HOUR_MS + 1_000)
    job.flush()
    key = (job.base_ms + HOUR_MS, "news", 1)
    job.eventually(lambda: job.rows(5).get(key) == (1, 0), "the windows of a silent topic")
    savepoint = job.stop_with_savepoint()
    # Partition 1 never had a record, so by its content nothing is late in it.
    job.event(1, HOUR_MS + 2_000)
    job.flush()
    job.submit(restore_from=savepoint)
    job.eventually(lambda: job.dead_letters() == {(1, 0): "late"}, "the dead-letter message")
    job.close_windows(HOUR_MS + 10 * MINUTE_MS)
    assert job.rows(1)[key] == (1, 0)
    assert set(job.dropped_late().values()) == {0}
