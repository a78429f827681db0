"""Reading the whole dead letter queue, each record once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confluent_kafka import TopicPartition

from ctr_platform.dead_letters.letters import letters_of
from ctr_platform.kafka.spans import bounds, chunks, consumer, partitions
from ctr_platform.settings import ERROR_TOPIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ctr_platform.dead_letters.letters import Letter
    from ctr_platform.settings import Settings


@dataclass(frozen=True, kw_only=True)
class ReasonSummary:
    """The letters of one reason."""

    reason: str
    records: int
    first_ms: int
    """When the broker wrote the first letter, ms since the epoch."""

    last_ms: int
    example: str
    """What the last letter says of its record."""


def read_letters(settings: Settings, *, error_topic: str = ERROR_TOPIC) -> Iterator[Letter]:
    """Every letter that is in the topic now; a record with two of them, as after a crash, gives one.

    Raises:
        CtrError: Kafka is away.
    """
    seen: set[tuple[str, int, int]] = set()
    with consumer(settings, "ctr-dead-letters") as reader:
        for partition in partitions(reader, settings, error_topic):
            first, end = bounds(reader, settings, error_topic, partition)
            for chunk in chunks(reader, settings, TopicPartition(error_topic, partition, first), end):
                for letter in letters_of(chunk):
                    place = (letter.topic, letter.partition, letter.offset)
                    if place not in seen:
                        seen.add(place)
                        yield letter


def summarize(letters: Iterable[Letter]) -> list[ReasonSummary]:
    """Count letters by reason, the most frequent first."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 2**63, 0])
    examples: dict[str, str] = {}
    for letter in letters:
        figures = found[letter.reason]
        figures[0] += 1
        figures[1] = min(figures[1], letter.written_ms)
        figures[2] = max(figures[2], letter.written_ms)
        examples[letter.reason] = letter.message
    return sorted(
        (
            ReasonSummary(
                reason=reason, records=count, first_ms=first, last_ms=last, example=examples[reason]
            )
            for reason, (count, first, last) in found.items()
        ),
        key=lambda summary: (-summary.records, summary.reason),
    )
