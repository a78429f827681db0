"""What a dead-letter message had no room for, taken from the raw topic, where the record still is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from confluent_kafka import TopicPartition

from ctr_platform.defs.kafka.offset_ranges import bounds, message_batches

if TYPE_CHECKING:
    from confluent_kafka import Consumer

    from contract.settings import Settings
    from ctr_platform.defs.dead_letters.messages import DeadLetter


def completed(reader: Consumer, settings: Settings, dead_letter: DeadLetter) -> DeadLetter | None:
    """The dead letter with all that its record came with; None where retention has deleted the record.

    Args:
        reader: of no partition that anybody else is reading by it.
        settings: where Kafka is.
        dead_letter: of the raw topic.

    Raises:
        CtrError: Kafka is unavailable.
    """
    if dead_letter.omitted is None:
        return dead_letter
    if dead_letter.topic != settings.raw_topic:
        return None  # of a topic that is gone
    place = TopicPartition(dead_letter.topic, dead_letter.partition, dead_letter.offset)
    first, end = bounds(reader, settings, place.topic, place.partition)
    if not first <= dead_letter.offset < end:
        return None
    for batch in message_batches(reader, settings, place, dead_letter.offset + 1):
        [message] = batch.messages
        headers: list[tuple[str, Any]] = message.headers() or []  # type: ignore[assignment]
        return replace(dead_letter, key=message.key(), value=batch.bodies[0], headers=headers, omitted=None)
    return None
