"""What the job's own writer puts into Redis is what the read side gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import redis

from contract.errors import CacheUnavailable
from flink.document_store import DocumentStore
from flink.documents import MAX_ENTRIES, build
from tests.support.stores import silent_port
from tests.support.tables import DIMENSIONS, TABLES, segment
from warehouse.cache import Cache

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flink.documents import Counts
    from tests.support.stack import RunningStack
    from warehouse.windows import WindowType

pytestmark = pytest.mark.stack

START_MS = 1_793_750_400_000  # 2026-11-04 00:00 UTC
COUNTS: Counts = {("sports", 1): [100, 20], ("news", 1): [300, 10], ("news", 0): [50, 1]}


@pytest.fixture
def raw(stores: RunningStack) -> Iterator[redis.Redis]:
    """An empty Redis."""
    with redis.Redis(host=stores.settings.redis_host, port=stores.settings.redis_port) as client:
        client.flushall()
        yield client


@pytest.fixture
def cache(stores: RunningStack, raw: redis.Redis) -> Iterator[Cache]:
    del raw
    reader = Cache(stores.settings.redis_host, stores.settings.redis_port, "", TABLES)
    yield reader
    reader.close()


@pytest.fixture
def job(stores: RunningStack) -> Iterator[DocumentStore]:
    writer = DocumentStore(stores.settings.redis_host, stores.settings.redis_port)
    yield writer
    writer.close()


def put(
    job: DocumentStore, minute: int, counts: Counts = COUNTS, *, final: bool, window_type: WindowType = "1min"
) -> None:
    start = START_MS + 60_000 * minute
    assert job.write(build(window_type, start, counts, DIMENSIONS, final=final, written_ms=start + 1))


def test_a_document_comes_back_whole(cache: Cache, job: DocumentStore) -> None:
    put(job, 5, final=False, window_type="5min")
    document = cache.window("5min", "20261104T0005Z")
    assert document is not None
    assert (document.window_id, document.window_type) == ("20261104T0005Z", "5min")
    assert (document.window_start_ms, document.window_end_ms) == (START_MS + 300_000, START_MS + 600_000)
    assert (document.impressions, document.clicks, document.ctr) == (450, 31, 6.89)
    assert document.rates == {
        "site_category": {"news": 3.14, "sports": 20.0},
        "device_type": {"0": 2.0, "1": 7.5},
    }
    assert document.segments[0] == segment("news", 1, 300, 10)
    assert len(document.segments) == 3
    assert (document.final, document.revision, document.written_ms) == (False, 0, START_MS + 300_001)


def test_the_newest_windows_of_a_type_come_first(cache: Cache, job: DocumentStore) -> None:
    for minute in (2, 0, 3, 1):
        put(job, minute, final=minute < 3)
    put(job, 10, final=False, window_type="5min")
    found = cache.current("1min", 3)
    assert [(each.window_id, each.final) for each in found] == [
        ("20261104T0003Z", False),
        ("20261104T0002Z", True),
        ("20261104T0001Z", True),
    ]


def test_an_expired_document_is_left_out(cache: Cache, job: DocumentStore, raw: redis.Redis) -> None:
    for minute in range(3):
        put(job, minute, final=True)
    raw.delete("metrics:1min:20261104T0001Z")
    assert [each.window_id for each in cache.current("1min", 10)] == ["20261104T0002Z", "20261104T0000Z"]
    assert cache.window("1min", "20261104T0001Z") is None


def test_the_other_segment_has_no_device(cache: Cache, job: DocumentStore) -> None:
    put(job, 0, {(f"c{number}", 1): [number + 1, 0] for number in range(MAX_ENTRIES + 2)}, final=True)
    (document,) = cache.current("1min", 1)
    assert document.segments[-1] == segment("other", None, 3, 0)
    assert sum(segment.impressions for segment in document.segments) == document.impressions


def test_reading_is_one_command_and_no_scan(cache: Cache, job: DocumentStore, raw: redis.Redis) -> None:
    put(job, 0, final=True)
    cache.current("1min", 1)
    raw.config_resetstat()
    cache.current("1min", 20)
    sent: dict[str, Any] = raw.info("commandstats")  # type: ignore[assignment]
    assert set(sent) - {"cmdstat_config|resetstat", "cmdstat_info"} == {"cmdstat_sort_ro"}


def test_an_empty_cache_is_healthy_and_has_no_windows(cache: Cache) -> None:
    assert cache.current("1min", 10) == []
    health = cache.health()
    assert health.indexed_windows == {"1min": 0, "5min": 0}
    assert health.round_trip_ms > 0
    assert health.used_memory_bytes > 0


@pytest.mark.parametrize("text", ["not JSON", "[]", '{"window_type": "1min"}', "7"])
def test_a_foreign_value_is_named(cache: Cache, raw: redis.Redis, text: str) -> None:
    raw.set("metrics:1min:20261104T0000Z", text)
    with pytest.raises(CacheUnavailable, match="none of a window"):
        cache.window("1min", "20261104T0000Z")


def test_an_absent_redis_is_named_in_one_line() -> None:
    with silent_port() as port:
        cache = Cache("127.0.0.1", port, "", TABLES)
        for read in (lambda: cache.current("1min", 1), lambda: cache.window("1min", "x"), cache.health):
            with pytest.raises(
                CacheUnavailable, match=rf"^Redis at 127\.0\.0\.1:{port} does not answer: .*refused"
            ):
                read()


def test_a_reader_finds_a_redis_that_came_back(stores: RunningStack, cache: Cache) -> None:
    assert cache.current("1min", 1) == []
    stores.stop("redis")
    try:
        with pytest.raises(CacheUnavailable):
            cache.current("1min", 1)
    finally:
        stores.start("redis")
    assert cache.current("1min", 1) == []
