"""Reading spans of partitions, in chunks: what is there now, not what comes."""

from __future__ import annotations

from bisect import bisect_left
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, KafkaError, KafkaException, TopicPartition

from contract.errors import KafkaRefused, KafkaUnavailable
from ctr_platform.defs.kafka.client import ask, client_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka import Message

    from contract.settings import Settings

BATCH_RECORDS: Final = 50_000
"""Enough for array operations to pay, few enough to hold: some 100 MB of usual events."""

BATCH_BYTES: Final = 64 << 20
"""A batch of larger records ends earlier: a topic may hold thousands of 4 MiB each."""

ANSWER_WITHIN_S: Final = 30.0
"""A broker that has more records and sends none for this long is as good as absent."""

POLL_S: Final = 0.1
"""`consume` waits for a full chunk this long; the end of a partition costs one such wait."""

QUEUED_KIB: Final = 64 << 10
"""What the client fetches ahead: a chunk or two."""


FULL_QUEUE_WAIT_MS: Final = 10
"""Until the client fetches again when so much is waiting: its own 1 s leaves readers of whole topics idle."""


@dataclass(frozen=True)
class MessageBatch:
    """Consecutive records of one partition, at least one; equally long lists."""

    messages: list[Message]
    bodies: list[bytes | None]
    offsets: list[int]
    timestamps_ms: list[int]
    from_broker: list[bool]
    """Whether the broker gave the record's time, not its producer."""

    next_offset: int
    """Where to go on."""


@contextmanager
def consumer(settings: Settings, group: str) -> Iterator[Consumer]:
    """A consumer that commits no offsets and sees committed transactions only."""
    opened = Consumer(
        {
            **client_config(settings),
            "group.id": settings.kafka_topic_prefix + group,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "check.crcs": True,
            "queued.max.messages.kbytes": QUEUED_KIB,
            "fetch.queue.backoff.ms": FULL_QUEUE_WAIT_MS,
            "fetch.message.max.bytes": 8 << 20,
        }
    )
    try:
        yield opened
    finally:
        opened.close()


def partitions(reader: Consumer, settings: Settings, topic: str) -> list[int]:
    """The topic's partitions, none if there is no such topic."""
    found = ask(settings, lambda: reader.list_topics(topic, ANSWER_WITHIN_S))
    return sorted(found.topics[topic].partitions)


def bounds(reader: Consumer, settings: Settings, topic: str, partition: int) -> tuple[int, int]:
    """First offset that is there, and the one behind the last."""
    place = TopicPartition(topic, partition)
    found = ask(settings, lambda: reader.get_watermark_offsets(place, ANSWER_WITHIN_S))
    if found is None:
        raise KafkaUnavailable(
            f"Kafka at {settings.kafka_bootstrap_servers} does not tell the offsets of {topic}"
        )
    first, end = found
    return first, end


def first_written_ms(
    reader: Consumer, settings: Settings, topic: str, partition: int, *, since: int = 0
) -> int | None:
    """When the broker wrote the first record that is left of a partition, ms since the epoch.

    What it has deleted was written before. None: nothing is left, from the offset `since` on.
    """
    first, end = bounds(reader, settings, topic, partition)
    start = TopicPartition(topic, partition, max(first, since))
    batch = next(message_batches(reader, settings, start, end), None)
    return None if batch is None else batch.timestamps_ms[0]


def message_batches(
    reader: Consumer,
    settings: Settings,
    start: TopicPartition,
    until: int,
    *,
    batch_records: int = BATCH_RECORDS,
) -> Iterator[MessageBatch]:
    """The committed records from `start.offset` to below `until`, in order and in batches.

    A batch has at most `batch_records`, and ends at the record that makes it larger than `BATCH_BYTES`,
    or soon behind it.

    Raises:
        CtrError: Kafka is unavailable, or the records have been deleted.
    """
    if start.offset >= until:
        return
    reader.assign([start])
    silent_s = 0.0
    pending: list[Message] = []
    pending_bytes = 0
    ended = False
    while not ended:
        wanted = batch_records - len(pending)
        messages = ask(settings, partial(reader.consume, wanted, POLL_S))
        silent_s = 0.0 if messages else silent_s + POLL_S
        if silent_s > ANSWER_WITHIN_S:
            raise KafkaUnavailable(
                f"Kafka at {settings.kafka_bootstrap_servers} has more of {start.topic}, but sent nothing "
                f"for {silent_s:.0f} s"
            )
        records = [message for message in messages if message.error() is None]
        if len(records) < len(messages):
            ended = _at_end(messages, start)
        pending += records
        pending_bytes += sum(map(_size_bytes, records))
        ended = ended or bool(pending and (pending[-1].offset() or 0) >= until - 1)
        if ended or len(pending) >= batch_records or pending_bytes > BATCH_BYTES:
            batch = _batch(pending, until)
            pending, pending_bytes = [], 0
            if batch.offsets:
                yield batch
    reader.unassign()


def _size_bytes(message: Message) -> int:
    headers: list[tuple[str, Any]] = message.headers() or []  # type: ignore[assignment]
    in_headers = sum(len(name) + len(value or b"") for name, value in headers)
    return len(message) + len(message.key() or b"") + in_headers


def _at_end(messages: list[Message], start: TopicPartition) -> bool:
    """Whether all that is no record among messages is the partition's end; any other error is raised."""
    for message in messages:
        error = message.error()
        if error is None or error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - public all the same
            continue
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001
            raise KafkaRefused(
                f"{start.topic}[{start.partition}] no longer holds offset {start.offset}: its reader was "
                "overtaken by the topic's retention"
            )
        raise KafkaException(error)
    return True


def _batch(messages: list[Message], until: int) -> MessageBatch:
    offsets = [message.offset() or 0 for message in messages]
    keep = bisect_left(offsets, until)
    messages, offsets = messages[:keep], offsets[:keep]
    times = [message.timestamp() for message in messages]
    return MessageBatch(
        messages=messages,
        bodies=[message.value() for message in messages],
        offsets=offsets,
        timestamps_ms=[milliseconds for _, milliseconds in times],
        from_broker=[kind == TIMESTAMP_LOG_APPEND_TIME for kind, _ in times],
        next_offset=offsets[-1] + 1 if offsets else 0,
    )
