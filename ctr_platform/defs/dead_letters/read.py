"""Reading the whole dead letter queue, each record once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confluent_kafka import TopicPartition

from ctr_platform.defs.dead_letters.messages import dead_letters_of
from ctr_platform.defs.kafka.offset_ranges import bounds, consumer, message_batches, partitions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contract.settings import Settings
    from ctr_platform.defs.dead_letters.messages import DeadLetter
    from ctr_platform.defs.kafka.epochs import TopicEpochs


@dataclass(frozen=True, kw_only=True)
class ReasonSummary:
    """The dead-letter messages of one reason."""

    reason: str
    records: int
    first_ms: int
    """When the broker wrote the first letter, ms since the epoch."""

    last_ms: int
    example: str
    """What the last letter says of its record."""


def read_dead_letters(settings: Settings, epochs: TopicEpochs | None = None) -> Iterator[DeadLetter]:
    """Every letter that is in the topic now; a record with two of them, as after a crash, gives one.

    Args:
        settings: where Kafka is.
        epochs: name the records' topics as on record; None: as Kafka does.

    Raises:
        CtrError: Kafka is unavailable.
    """
    seen: set[tuple[str, int, int]] = set()
    error_topic = settings.error_topic
    with consumer(settings, "ctr-dead-letters") as reader:
        for partition in partitions(reader, settings, error_topic):
            first, end = bounds(reader, settings, error_topic, partition)
            for batch in message_batches(
                reader, settings, TopicPartition(error_topic, partition, first), end
            ):
                for dead_letter in dead_letters_of(batch, epochs):
                    place = (dead_letter.topic, dead_letter.partition, dead_letter.offset)
                    if place not in seen:
                        seen.add(place)
                        yield dead_letter


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
