"""Late events are merged into their closed windows, once, and no restored job takes that back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import redis

from ctr_platform.defs.late_events.merge import Merge, merge_late_events
from ctr_platform.defs.late_events.publish import Published, publish_revisions
from ctr_platform.defs.reconciliation.run import recount
from flink.documents import window_id
from tests.oracle import MINUTE_MS, read_topic
from tests.support.hostile import HOUR_MS
from tests.support.killing import kill_after

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline


def _merge(job: Pipeline, *, dry_run: bool = False) -> Merge:
    return merge_late_events(job.settings, dry_run=dry_run)


def _publish(job: Pipeline) -> Published:
    return publish_revisions(job.settings)


def _late_traffic(job: Pipeline, late: int) -> int:
    """A minute with four counted events, closed, and so many late ones; returns its start."""
    for partition in range(4):
        job.event(partition, HOUR_MS + 1_000)
    job.close_windows(HOUR_MS + 10 * MINUTE_MS)
    for number in range(late):
        job.event(number % 4, HOUR_MS + 2_000 + number, click=number % 2, site_category="late")
    job.close_windows(HOUR_MS + 20 * MINUTE_MS)
    start = job.base_ms + HOUR_MS
    job.eventually(lambda: (start, "news", 1) in job.rows(5), "the windows")
    job.eventually(lambda: len(job.dead_letters()) == late, "the dead-letter messages")
    return start


def _segments(job: Pipeline, minutes: int, start: int) -> dict[str, tuple[int, int]]:
    rows = job.query(
        f"select site_category, impressions, clicks from realtime.segments_{minutes}min"
        " where window_start = to_timestamp(%s)",
        start / 1000,
    )
    return {category: (impressions, clicks) for category, impressions, clicks in rows}


def _feed(job: Pipeline, key: str) -> dict[str, Any]:
    """What the compacted topic will keep of a window: its last document."""
    found: dict[str, Any] = {}
    for record in read_topic(job.settings, job.settings.windows_topic):
        if record.key == key.encode():
            found = json.loads(record.value or b"{}")
    return found


def test_late_events_appear_once_in_views_documents_and_recount(job: Pipeline) -> None:
    job.submit()
    start = _late_traffic(job, late=10)
    tried = _merge(job, dry_run=True)
    assert (tried.merged, tried.waiting) == (10, 0)
    assert _segments(job, 1, start) == {"news": (4, 0)}

    done = _merge(job)
    assert done.merged == 10
    assert sorted(kind for kind, _ in done.windows) == ["1min", "5min"]
    merged = {"news": (4, 0), "late": (10, 5)}
    assert _segments(job, 1, start) == merged
    assert _segments(job, 5, start) == merged
    assert _publish(job).documents == 2
    settings = job.settings
    cache = redis.Redis(settings.redis_host, settings.redis_port, decode_responses=True)
    for minutes in (1, 5):
        key = f"{minutes}min:{window_id(start)}"
        feed = _feed(job, key)
        assert (feed["revision"], feed["final"]) == (1, True)
        assert (feed["total_impressions"], feed["total_clicks"]) == (14, 5)
        assert json.loads(str(cache.get(f"{settings.redis_key_prefix}metrics:{key}"))) == feed
    job.eventually(lambda: job.read() == job.expected().records, "the ledger")

    def proved() -> bool:
        recount(settings)
        return job.query(
            "select window_type, expected_impressions, late, accuracy from quality.window_accuracy"
            " where window_start = to_timestamp(%s) order by 1",
            start / 1000,
        ) == [("1min", 14, 10, 100), ("5min", 14, 10, 100)]

    job.eventually(proved, "the recount to know the merged events")

    again = _merge(job)
    assert (again.merged, again.waiting) == (0, 0)
    assert _publish(job).documents == 0
    assert _segments(job, 1, start) == merged


def test_a_merge_killed_anywhere_is_finished_by_the_next_one(job: Pipeline) -> None:
    job.submit()
    start = _late_traffic(job, late=3_000)
    kill_after(
        job.stack,
        "from contract.settings import load_settings\n"
        "from ctr_platform.defs.late_events.merge import merge_late_events\n"
        "from ctr_platform.defs.late_events.publish import publish_revisions",
        "merge_late_events(load_settings())\npublish_revisions(load_settings())",
        (0.0, 0.2, 0.4, 0.8),
    )
    _merge(job)
    _publish(job)
    merged = {"news": (4, 0), "late": (3_000, 1_500)}
    assert _segments(job, 1, start) == merged
    assert _segments(job, 5, start) == merged
    feed = _feed(job, f"1min:{window_id(start)}")
    assert feed["total_impressions"] == 3_004
    assert _publish(job).documents == 0


def test_a_job_restored_from_before_a_merge_does_not_undo_it(job: Pipeline) -> None:
    job.submit()
    for partition in range(4):
        job.event(partition, HOUR_MS)
    job.flush()
    job.wait_checkpoint()
    savepoint = job.stop_with_savepoint()
    job.submit(restore_from=savepoint)
    start = _late_traffic(job, late=6)
    _merge(job)
    assert _publish(job).documents == 2
    key = f"1min:{window_id(start)}"
    assert _feed(job, key)["revision"] == 1

    job.cancel()
    job.submit(restore_from=savepoint)
    job.eventually(
        lambda: _feed(job, key)["revision"] == 0, "the restored job to publish its own document again"
    )
    merged = {"news": (8, 0), "late": (6, 3)}
    job.eventually(lambda: _segments(job, 1, start) == merged, "the window")

    def corrected() -> bool:
        done = _publish(job)
        assert done.documents == done.overwritten
        feeds = [_feed(job, f"{minutes}min:{window_id(start)}") for minutes in (1, 5)]
        return [feed["revision"] for feed in feeds] == [1, 1]

    job.eventually(corrected, "the documents of the merge")
    assert _feed(job, key)["total_impressions"] == 14
    assert _publish(job).documents == 0
    assert _merge(job).merged == 0


def test_late_events_of_open_windows_wait(job: Pipeline) -> None:
    """One partition is far behind: what is late in another belongs to a window that is still open."""
    job.submit()
    for partition in range(4):
        job.event(partition, HOUR_MS + 1_000)
    job.event(0, HOUR_MS + 10 * MINUTE_MS)
    job.event(0, HOUR_MS + 2_000, site_category="late")

    def refused() -> bool:
        # The other partitions must not become idle.
        for partition in range(1, 4):
            job.event(partition, HOUR_MS + 1_000)
        job.flush()
        return len(job.dead_letters()) == 1

    job.eventually(refused, "the dead-letter message")
    tried = _merge(job)
    assert (tried.merged, tried.waiting) == (0, 1)
    job.close_windows(HOUR_MS + 20 * MINUTE_MS)
    start = job.base_ms + HOUR_MS
    job.eventually(lambda: (start, "news", 1) in job.rows(5), "the windows")
    assert _merge(job).merged == 1
    assert _segments(job, 1, start)["late"] == (1, 0)
