"""Which hours can be repaired: closed ones of which the topic still holds every event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from confluent_kafka import TopicPartition

from ctr_platform.errors import CtrError
from ctr_platform.kafka.spans import bounds, chunks, consumer, partitions

if TYPE_CHECKING:
    from ctr_platform.settings import Settings

HOUR: Final = timedelta(hours=1)

MAX_AHEAD: Final = timedelta(seconds=60)
"""A valid event is at most this much ahead of the moment the broker wrote it. What was written before a
window's start less this is neither an event of the window nor able to make one late."""


@dataclass(frozen=True)
class Span:
    """Windows that start in `[first, last)`: whole hours, UTC."""

    first: datetime
    last: datetime

    def __post_init__(self) -> None:
        """Refuse what is not whole hours."""
        for moment in (self.first, self.last):
            if moment.utcoffset() is None or moment.timestamp() % HOUR.total_seconds():
                raise CtrError(f"{moment}: name whole hours in UTC", exit_status=2)
        if self.first >= self.last:
            raise CtrError(f"no hour lies between {self.first} and {self.last}", exit_status=2)

    @property
    def read_from(self) -> datetime:
        """No event of these windows was written by the broker before this."""
        return self.first - MAX_AHEAD


def check_retained(settings: Settings, topic: str, span: Span) -> None:
    """Let pass a span of which the topic still holds every event.

    Raises:
        CtrError: retention may have deleted some.
    """
    with consumer(settings, "ctr-repair") as reader:
        for partition in partitions(reader, settings, topic):
            first, end = bounds(reader, settings, topic, partition)
            if first == 0:
                continue
            start = TopicPartition(topic, partition, first)
            chunk = next(chunks(reader, settings, start, min(end, first + 1)), None)
            earliest = None if chunk is None else chunk.timestamps_ms[0] / 1000
            if earliest is None or earliest >= span.read_from.timestamp():
                raise CtrError(
                    f"{span.first:%Y-%m-%d %H:%M} UTC is beyond the retention of {topic}: partition "
                    f"{partition} lacks records from {span.read_from:%H:%M:%S} on. Choose later hours."
                )
