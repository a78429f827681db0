"""The windows, the letters and the ledger say of every record what an independent count says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest
import redis

from tests.oracle import MINUTE_MS, letters, read_topic
from tests.support.hostile import hostile_traffic
from tests.support.pipeline import closed

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline

HOUR_MS = 60 * MINUTE_MS


def _check(job: Pipeline, until_ms: int) -> None:
    """Everything that the contract promises of windows that end by `until_ms` (from the day's start)."""
    expected = job.expected()
    until = job.base_ms + until_ms
    wanted = {minutes: closed(expected.windows(minutes), until, minutes) for minutes in (1, 5)}
    assert wanted[1]
    assert wanted[5]
    job.settle(lambda: all(closed(job.rows(m), until, m) == wanted[m] for m in wanted), "the windows")
    refused = {**expected.dead, **dict.fromkeys(expected.late, "late")}
    job.settle(lambda: len(job.letters()) >= len(refused), "the letters")
    assert job.letters() == refused
    job.settle(lambda: job.read() == expected.records, "the ledger")
    assert job.ledger() == {
        "records_read": expected.records,
        "counted": sum(expected.counted.values()),
        "late": len(expected.late),
        **{
            reason: sum(each == reason for each in expected.dead.values())
            for reason in ("malformed", "unknown_schema", "invalid")
        },
    }
    assert set(job.dropped_late().values()) == {0}


def test_hostile_traffic_is_counted_exactly_and_never_restarts_the_job(job: Pipeline) -> None:
    job.submit()
    hostile_traffic(job, events=30_000, minutes=12, seed=1)
    job.close_windows(HOUR_MS + 15 * MINUTE_MS)
    _check(job, HOUR_MS + 15 * MINUTE_MS)
    assert job.restarts() == 0


@pytest.mark.parametrize("parallelism", [1, 4])
def test_fates_do_not_depend_on_parallelism(job: Pipeline, parallelism: int) -> None:
    """What is expected is found from the topic's content alone, so it is the same for each."""
    job.submit(parallelism=parallelism)
    hostile_traffic(job, events=3_000, minutes=6, seed=7)
    job.close_windows(HOUR_MS + 10 * MINUTE_MS)
    _check(job, HOUR_MS + 10 * MINUTE_MS)


def test_letters_carry_the_original_record_and_why(job: Pipeline) -> None:
    value = job.encode(HOUR_MS, click=7)
    job.send(2, value, key=b"key", headers=[("trace", b"\x00\xff"), ("empty", None)])
    job.flush()
    job.submit()
    job.settle(lambda: len(job.letters()) == 1, "the letter")
    [(coordinates, (reason, letter))] = letters(job.stack.settings, job.error_topic).items()
    assert coordinates == (2, 0)
    assert reason == "invalid"
    assert (letter.key, letter.value) == (b"key", value)
    assert letter.headers == [
        ("trace", b"\x00\xff"),
        ("empty", None),
        ("reason", b"invalid"),
        ("__connect.errors.topic", job.raw_topic.encode()),
        ("__connect.errors.partition", b"2"),
        ("__connect.errors.offset", b"0"),
        ("__connect.errors.exception.message", b"click is 7, not 0 or 1"),
    ]


def test_documents_in_redis_and_kafka_equal_postgres(job: Pipeline) -> None:
    job.submit()
    hostile_traffic(job, events=4_000, minutes=6, seed=2)
    job.close_windows(HOUR_MS + 10 * MINUTE_MS)
    _check(job, HOUR_MS + 10 * MINUTE_MS)
    settings = job.stack.settings
    cache = redis.Redis(settings.redis_host, settings.redis_port, decode_responses=True)
    for minutes in (1, 5):
        rows = closed(job.rows(minutes), job.base_ms + HOUR_MS + 10 * MINUTE_MS, minutes)
        starts = {start for start, _, _ in rows}
        published = {
            (record.key or b"").decode(): json.loads(record.value or b"")
            for record in read_topic(settings, job.windows_topic)
        }
        for start in starts:
            [key] = [
                name
                for name, document in published.items()
                if name.startswith(f"{minutes}min:") and document["window_start"] == start
            ]
            feed = published[key]
            window_id = feed["window_id"]
            assert key == f"{minutes}min:{window_id}"
            cached = json.loads(str(cache.get(f"metrics:{key}")))
            assert {**cached, "timestamp": 0} == {**feed, "timestamp": 0}
            assert cached["final"]
            assert cached["revision"] == 0
            wanted = {key[1:]: value for key, value in rows.items() if key[0] == start}
            assert {(c, d): (i, k) for c, d, i, k in cached["segments"]} == wanted
            assert cached["total_impressions"] == sum(i for i, _ in wanted.values())
            assert cached["total_clicks"] == sum(k for _, k in wanted.values())
            assert cache.zscore(f"metrics:{minutes}min:index", window_id) == start


def test_a_killed_taskmanager_changes_no_number(job: Pipeline) -> None:
    job.submit()
    hostile_traffic(job, events=5_000, minutes=4, seed=3)
    job.wait_checkpoint()
    hostile_traffic(job, events=5_000, minutes=4, seed=4)
    job.stack.kill(_carrier(job))
    hostile_traffic(job, events=5_000, minutes=8, seed=5)
    job.close_windows(HOUR_MS + 10 * MINUTE_MS)
    _check(job, HOUR_MS + 10 * MINUTE_MS)
    assert job.restarts() >= 1


def _carrier(job: Pipeline) -> str:
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
    for partition in range(job.stack.settings.kafka_partitions):
        job.event(partition, closed_ms - 1, site_category="late-after-restore")
    job.flush()
    job.submit(parallelism=4, restore_from=savepoint)
    _traffic_after(job, closed_ms)
    second = job.stop_with_savepoint()
    job.submit(parallelism=1, restore_from=second)
    job.close_windows(closed_ms + 10 * MINUTE_MS)
    _check(job, closed_ms + 10 * MINUTE_MS)


def _traffic_after(job: Pipeline, at_ms: int) -> None:
    for number in range(1_000):
        job.event(number % job.stack.settings.kafka_partitions, at_ms + 10_000 + number)
    job.flush()
    job.wait_checkpoint()


@pytest.mark.parametrize(("ahead_ms", "fate"), [(10_000, "late"), (9_999, "counted")])
def test_lateness_begins_exactly_ten_seconds_after_the_end(job: Pipeline, ahead_ms: int, fate: str) -> None:
    job.submit()
    end = HOUR_MS + MINUTE_MS
    job.event(0, end + ahead_ms)
    job.event(0, end - 1, site_category="probe")
    job.close_windows(HOUR_MS + 5 * MINUTE_MS)
    _check(job, HOUR_MS + 5 * MINUTE_MS)
    assert job.letters() == ({(0, 1): "late"} if fate == "late" else {})
