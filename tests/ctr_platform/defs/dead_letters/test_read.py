"""Reading a dead letter queue of any length: each record once, in memory that does not grow."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer

from ctr_platform.defs.dead_letters import read
from ctr_platform.defs.dead_letters.read import find_dead_letter, read_dead_letters, summarize
from ctr_platform.defs.kafka.client import ADMIN_TIMEOUT_S, client_config
from ctr_platform.defs.kafka.offset_ranges import message_batches
from ctr_platform.defs.kafka.topics import ensure_topics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from confluent_kafka import Consumer, TopicPartition

    from contract.settings import Settings
    from ctr_platform.defs.kafka.offset_ranges import MessageBatch

FEW, MANY = 20_000, 100_000
"""Of the fewer, too, every partition fills a batch."""

MAY_GROW_BYTES = 8 << 20
"""Far less than the coordinates of `MANY` records take in a set."""


@pytest.fixture
def settings(kafka_settings: Settings) -> Settings:
    """An empty queue."""
    ensure_topics(kafka_settings)
    return kafka_settings


def put(settings: Settings, offsets: Iterable[int]) -> None:
    """Add messages about records of partition 0 that have these offsets."""
    producer = Producer({**client_config(settings), "queue.buffering.max.messages": MANY, "linger.ms": 50})
    for offset in offsets:
        headers: list[tuple[str, str | bytes | None]] = [
            ("reason", b"late"),
            ("__connect.errors.topic", settings.raw_topic.encode()),
            ("__connect.errors.partition", b"0"),
            ("__connect.errors.offset", str(offset).encode()),
            ("__connect.errors.exception.message", b"too late"),
        ]
        producer.produce(settings.error_topic, b"value", partition=offset % 4, headers=headers)
        producer.poll(0)
    assert producer.flush(ADMIN_TIMEOUT_S) == 0


def peak_bytes(work: Callable[[], object]) -> int:
    """The most memory of Python's that it took at once."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_queue(settings: Settings) -> None:
    counted: list[int] = []

    def count() -> int:
        [late] = summarize(read_dead_letters(settings))
        return late.records

    put(settings, range(FEW))
    put(settings, range(0, FEW, 10))  # as after a crash
    few = peak_bytes(lambda: counted.append(count()))
    put(settings, range(FEW, MANY))
    assert peak_bytes(lambda: counted.append(count())) < few + MAY_GROW_BYTES
    assert counted == [FEW, MANY]
    assert peak_bytes(lambda: find_dead_letter(settings, 0, MANY)) < few + MAY_GROW_BYTES


def test_the_newest_messages_of_each_partition_can_be_read_alone(settings: Settings) -> None:
    put(settings, range(100))
    found = [each.offset for each in read_dead_letters(settings, newest=2)]
    assert found == [92, 96, 93, 97, 94, 98, 95, 99]
    assert len(list(read_dead_letters(settings, newest=1_000))) == 100


def test_the_message_about_a_record_is_looked_for_from_the_records_time_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "CLOCKS_APART_MS", 0)
    begun: dict[str, int] = {}

    def noted(
        reader: Consumer, told: Settings, start: TopicPartition, until: int, **more: int
    ) -> Iterator[MessageBatch]:
        begun.setdefault(start.topic, start.offset)
        return message_batches(reader, told, start, until, **more)

    monkeypatch.setattr(read, "message_batches", noted)
    put(settings, range(40))
    producer = Producer(client_config(settings))
    producer.produce(settings.raw_topic, b"not an event", partition=0)
    assert producer.flush(ADMIN_TIMEOUT_S) == 0
    assert find_dead_letter(settings, 0, 0) is None, "what was written before it is about another record"
    put(settings, [0])
    found = find_dead_letter(settings, 0, 0)
    assert found is not None
    assert (found.coordinates, found.letter_offset) == ("0:0", 10)
    assert begun == {settings.raw_topic: 0, settings.error_topic: 10}
    # A record that the raw topic does not hold any more.
    gone = find_dead_letter(settings, 0, 4)
    assert gone is not None
    assert gone.letter_offset == 1
