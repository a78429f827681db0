"""Hostile traffic is counted exactly, in every store; one job for all tests of this file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import redis

from tests.oracle import MINUTE_MS, dead_letters, read_topic
from tests.support.exact import check_exact
from tests.support.hostile import HOUR_MS, hostile_traffic
from tests.support.pipeline import closed, pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.pipeline import Pipeline
    from tests.support.stack import RunningStack
    from tests.support.submitter import Submitter

UNTIL_MS = HOUR_MS + 15 * MINUTE_MS
INVALID_PARTITION = 2
"""Its first record is one that no test of the others changes."""


@pytest.fixture(scope="module")
def counted(stack: RunningStack, warm_submissions: Submitter) -> Iterator[Pipeline]:
    """A job that has read hostile traffic, every window of it closed."""
    with pipeline(stack, warm_submissions) as job:
        value = job.encode(HOUR_MS, click=7)
        job.send(INVALID_PARTITION, value, key=b"key", headers=[("trace", b"\x00\xff"), ("empty", None)])
        job.submit()
        hostile_traffic(job, events=30_000, minutes=12, seed=1)
        job.close_windows(UNTIL_MS)
        yield job


def test_hostile_traffic_is_counted_exactly_and_never_restarts_the_job(counted: Pipeline) -> None:
    check_exact(counted, UNTIL_MS)
    assert counted.restarts() == 0


def test_letters_carry_the_original_record_and_why(counted: Pipeline) -> None:
    place = (INVALID_PARTITION, 0)
    counted.eventually(lambda: place in counted.dead_letters(), "the dead-letter message")
    reason, dead_letter = dead_letters(counted.settings)[place]
    assert reason == "invalid"
    [record] = [
        each
        for each in read_topic(counted.settings, counted.settings.raw_topic)
        if (each.partition, each.offset) == place
    ]
    assert (dead_letter.key, dead_letter.value) == (b"key", record.value)
    assert dead_letter.headers == [
        ("trace", b"\x00\xff"),
        ("empty", None),
        ("reason", b"invalid"),
        ("__connect.errors.topic", counted.settings.raw_topic.encode()),
        ("__connect.errors.partition", b"2"),
        ("__connect.errors.offset", b"0"),
        ("__connect.errors.exception.message", b"click is 7, not 0 or 1"),
    ]


def test_documents_in_redis_and_kafka_equal_postgres(counted: Pipeline) -> None:
    check_exact(counted, UNTIL_MS)
    settings = counted.settings
    cache = redis.Redis(settings.redis_host, settings.redis_port, decode_responses=True)
    for minutes in (1, 5):
        rows = closed(counted.rows(minutes), counted.base_ms + UNTIL_MS, minutes)
        starts = {start for start, _, _ in rows}
        published = {
            (record.key or b"").decode(): json.loads(record.value or b"")
            for record in read_topic(settings, settings.windows_topic)
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
            cached = json.loads(str(cache.get(f"{settings.redis_key_prefix}metrics:{key}")))
            assert {**cached, "timestamp": 0} == {**feed, "timestamp": 0}
            assert cached["final"]
            assert cached["revision"] == 0
            wanted = {key[1:]: value for key, value in rows.items() if key[0] == start}
            assert {(c, d): (i, k) for c, d, i, k in cached["segments"]} == wanted
            assert cached["total_impressions"] == sum(i for i, _ in wanted.values())
            assert cached["total_clicks"] == sum(k for _, k in wanted.values())
            assert cache.zscore(f"{settings.redis_key_prefix}metrics:{minutes}min:index", window_id) == start
