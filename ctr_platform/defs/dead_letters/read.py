"""Reading the dead letter queue: all of it, each record once, or the message about one record."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from confluent_kafka import TopicPartition

from ctr_platform.defs.dead_letters.messages import dead_letters_of
from ctr_platform.defs.dead_letters.seen import SeenRecords
from ctr_platform.defs.kafka.client import ask
from ctr_platform.defs.kafka.offset_ranges import (
    ANSWER_WITHIN_S,
    bounds,
    consumer,
    message_batches,
    partitions,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from confluent_kafka import Consumer

    from contract.settings import Settings
    from ctr_platform.defs.dead_letters.messages import DeadLetter
    from ctr_platform.defs.kafka.epochs import TopicEpochs

GROUP: Final = "ctr-dead-letters"

BATCH_RECORDS: Final = 5_000
"""They are taken one by one, each with its headers: more at once would only be more memory."""

CLOCKS_APART_MS: Final = 60_000
"""A record and its dead-letter message have the times of two brokers."""


@dataclass(frozen=True, kw_only=True)
class ReasonSummary:
    """The dead-letter messages of one reason."""

    reason: str
    records: int
    first_ms: int
    """When the broker wrote the first message, ms since the epoch."""

    last_ms: int
    example: str
    """What the last message says of its record."""


def read_dead_letters(
    settings: Settings, epochs: TopicEpochs | None = None, *, newest: int | None = None
) -> Iterator[DeadLetter]:
    """Every dead-letter message that is in the topic now; of two about one record, after a crash, the first.

    Memory does not grow with their number.

    Args:
        settings: where Kafka is.
        epochs: name the records' topics as on record; None: as Kafka does.
        newest: only so many messages at the end of each partition.

    Raises:
        CtrError: Kafka is unavailable.
    """
    with consumer(settings, GROUP) as reader, SeenRecords() as seen:
        for partition in partitions(reader, settings, settings.error_topic):
            first, end = bounds(reader, settings, settings.error_topic, partition)
            start = first if newest is None else max(first, end - newest)
            place = TopicPartition(settings.error_topic, partition, start)
            for dead_letter in _messages(reader, settings, place, end, epochs):
                if seen.add(dead_letter.topic, dead_letter.partition, dead_letter.offset):
                    yield dead_letter


def find_dead_letter(settings: Settings, partition: int, offset: int) -> DeadLetter | None:
    """The dead-letter message about a record; None if the topic holds none.

    It was written after its record: where that is still in the raw topic, reading begins at its time.

    Raises:
        CtrError: Kafka is unavailable.
    """
    with consumer(settings, GROUP) as reader:
        written_ms = _record_written_ms(reader, settings, partition, offset)
        for number in partitions(reader, settings, settings.error_topic):
            first, end = bounds(reader, settings, settings.error_topic, number)
            if written_ms is not None:
                since_ms = max(0, written_ms - CLOCKS_APART_MS)
                first = max(first, _offset_at(reader, settings, number, since_ms, end))
            place = TopicPartition(settings.error_topic, number, first)
            for dead_letter in _messages(reader, settings, place, end):
                if (dead_letter.partition, dead_letter.offset) == (partition, offset):
                    return dead_letter
    return None


def _messages(
    reader: Consumer, settings: Settings, start: TopicPartition, end: int, epochs: TopicEpochs | None = None
) -> Iterator[DeadLetter]:
    for batch in message_batches(reader, settings, start, end, batch_records=BATCH_RECORDS):
        yield from dead_letters_of(batch, epochs)


def _record_written_ms(reader: Consumer, settings: Settings, partition: int, offset: int) -> int | None:
    """When the broker wrote a record of the raw topic; None where the topic no longer holds it."""
    topic = settings.raw_topic
    if partition not in partitions(reader, settings, topic):
        return None
    first, end = bounds(reader, settings, topic, partition)
    if not first <= offset < end:
        return None
    place = TopicPartition(topic, partition, offset)
    batch = next(message_batches(reader, settings, place, offset + 1), None)
    return None if batch is None else batch.timestamps_ms[0]


def _offset_at(reader: Consumer, settings: Settings, partition: int, since_ms: int, end: int) -> int:
    """Offset of the first message of the error topic written then or later; `end` if there is none."""
    place = TopicPartition(settings.error_topic, partition, since_ms)
    [found] = ask(settings, lambda: reader.offsets_for_times([place], ANSWER_WITHIN_S))
    return found.offset if found.offset >= 0 else end


def summarize(dead_letters: Iterable[DeadLetter]) -> list[ReasonSummary]:
    """Count dead-letter messages by reason, the most frequent first."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 2**63, 0])
    examples: dict[str, str] = {}
    for dead_letter in dead_letters:
        figures = found[dead_letter.reason]
        figures[0] += 1
        figures[1] = min(figures[1], dead_letter.written_ms)
        figures[2] = max(figures[2], dead_letter.written_ms)
        examples[dead_letter.reason] = dead_letter.message
    return sorted(
        (
            ReasonSummary(
                reason=reason, records=count, first_ms=first, last_ms=last, example=examples[reason]
            )
            for reason, (count, first, last) in found.items()
        ),
        key=lambda summary: (-summary.records, summary.reason),
    )
