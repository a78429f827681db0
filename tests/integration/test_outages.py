"""A store or the registry goes away and comes back: it delays, and changes no number."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import fastavro
import pytest
import redis
from confluent_kafka.schema_registry import Schema

from ctr_platform.defs.registry.client import registry_client
from tests.oracle import MINUTE_MS, schema_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.pipeline import Pipeline

HOUR_MS = 60 * MINUTE_MS


def _evolved(job: Pipeline, field: str) -> tuple[int, Any]:
    """Id and schema of a compatible new version of the event, with one more field."""
    raw = json.loads(schema_file().read_text(encoding="utf-8"))
    raw["fields"].insert(3, {"name": field, "type": ["null", "string"], "default": None})
    with registry_client(job.settings) as client:
        identifier = client.register_schema(job.settings.raw_subject, Schema(json.dumps(raw), "AVRO"))
    return identifier, fastavro.parse_schema(raw)


@pytest.fixture
def away(job: Pipeline) -> Iterator[list[str]]:
    """Names of services that a test has stopped; they are started again whatever happens."""
    stopped: list[str] = []
    yield stopped
    for name in stopped:
        job.stack.start(name)


def test_schema_versions_live_side_by_side_and_an_absent_registry_delays(
    job: Pipeline, away: list[str]
) -> None:
    """Records of a version that the job has not met wait for the registry, and are counted then."""
    evolved_id, evolved = _evolved(job, "campaign")
    job.submit()
    for partition in range(4):
        job.event(partition, HOUR_MS, site_category="before")
    job.flush()
    job.eventually(lambda: job.read() == 4, "the first version's events")

    away.append("registry")
    job.stack.stop("registry")
    for partition in range(4):
        job.event(partition, HOUR_MS + 1_000, schema=(evolved_id, evolved), campaign="x", site_category="new")
        job.event(partition, HOUR_MS + 2_000, site_category="old")
    job.flush()
    job.stack.start(away.pop())

    job.close_windows(HOUR_MS + 5 * MINUTE_MS)
    wanted = {(job.base_ms + HOUR_MS, category, 1): (4, 0) for category in ("before", "new", "old")}
    job.eventually(lambda: wanted.items() <= job.rows(5).items(), "every event")
    assert job.dead_letters() == {}
    assert job.restarts() == 0


def test_without_redis_the_other_sinks_go_on_and_final_documents_follow(
    job: Pipeline, away: list[str]
) -> None:
    settings = job.settings
    job.submit()
    job.event(0, HOUR_MS, click=1)
    job.flush()
    job.eventually(lambda: job.read() == 1, "the event")
    away.append("redis")
    job.stack.stop("redis")
    job.close_windows(HOUR_MS + 5 * MINUTE_MS)
    key = (job.base_ms + HOUR_MS, "news", 1)
    job.eventually(lambda: job.rows(1).get(key) == (1, 1) and job.rows(5).get(key) == (1, 1), "Postgres")
    job.stack.start(away.pop())

    cache = redis.Redis(settings.redis_host, settings.redis_port, decode_responses=True)

    def final_documents() -> list[tuple[str, bool, int]]:
        found = []
        for window_type in ("1min", "5min"):
            for member in cache.zrangebyscore(  # type: ignore[union-attr]
                f"{settings.redis_key_prefix}metrics:{window_type}:index",
                job.base_ms + HOUR_MS,
                job.base_ms + HOUR_MS,
            ):
                document = json.loads(
                    str(cache.get(f"{settings.redis_key_prefix}metrics:{window_type}:{member}"))
                )
                found.append((window_type, document["final"], document["total_clicks"]))
        return found

    job.eventually(lambda: final_documents() == [("1min", True, 1), ("5min", True, 1)], "the final documents")
    assert job.restarts() == 0
