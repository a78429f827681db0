"""Which hours can be repaired: closed ones of which the topic still holds every event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ctr_platform.errors import CtrError
from ctr_platform.kafka.spans import bounds, consumer, first_written_ms, partitions
from ctr_platform.recount.fates import MAX_AHEAD_MS
from ctr_platform.recount.verify import HOUR

if TYPE_CHECKING:
    from ctr_platform.settings import Settings


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
        """What the broker wrote before is neither an event of these windows nor able to make one late."""
        return self.first - timedelta(milliseconds=MAX_AHEAD_MS)


def check_retained(settings: Settings, topic: str, span: Span) -> None:
    """Let pass a span of which the topic still holds every event.

    Raises:
        CtrError: retention may have deleted some.
    """
    with consumer(settings, "ctr-repair") as reader:
        for partition in partitions(reader, settings, topic):
            first, _ = bounds(reader, settings, topic, partition)
            if first == 0:
                continue
            written_ms = first_written_ms(reader, settings, topic, partition)
            if written_ms is None or written_ms >= span.read_from.timestamp() * 1000:
                raise CtrError(
                    f"{span.first:%Y-%m-%d %H:%M} UTC is beyond the retention of {topic}: partition "
                    f"{partition} lacks records from {span.read_from:%H:%M:%S} on. Choose later hours."
                )
