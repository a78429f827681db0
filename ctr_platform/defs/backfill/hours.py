"""Which hours can be repaired: closed ones of which the topic still holds every event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from contract.errors import UsageError
from ctr_platform.defs.kafka.offset_ranges import bounds, consumer, first_written_ms, partitions
from ctr_platform.defs.reconciliation.verify import HOUR

if TYPE_CHECKING:
    from contract.settings import Settings
    from contract.time_rules import TimeRules


@dataclass(frozen=True)
class HourRange:
    """Windows that start in `[first, last)`: whole hours, UTC."""

    first: datetime
    last: datetime

    def __post_init__(self) -> None:
        """Refuse what is not whole hours."""
        for moment in (self.first, self.last):
            if moment.utcoffset() is None or moment.timestamp() % HOUR.total_seconds():
                raise UsageError(f"{moment}: name whole hours in UTC")
        if self.first >= self.last:
            raise UsageError(f"no hour lies between {self.first} and {self.last}")

    @classmethod
    def of(cls, first_hour: datetime, last_hour: datetime) -> HourRange:
        """From the start of one hour to the end of another, or the same."""
        return cls(first_hour.astimezone(UTC), last_hour.astimezone(UTC) + HOUR)

    def read_from(self, rules: TimeRules) -> datetime:
        """What the broker wrote before is neither an event of these windows nor able to make one late."""
        return self.first - timedelta(milliseconds=rules.max_ahead_ms)


def check_retained(settings: Settings, hour_range: HourRange) -> None:
    """Let pass a span of which the raw topic still holds every event.

    Raises:
        UsageError: retention may have deleted some.
    """
    topic, read_from = settings.raw_topic, hour_range.read_from(settings.time_rules)
    with consumer(settings, "ctr-repair") as reader:
        for partition in partitions(reader, settings, topic):
            first, _ = bounds(reader, settings, topic, partition)
            if first == 0:
                continue
            written_ms = first_written_ms(reader, settings, topic, partition)
            if written_ms is None or written_ms >= read_from.timestamp() * 1000:
                raise UsageError(
                    f"{hour_range.first:%Y-%m-%d %H:%M} UTC is beyond the retention of {topic}: partition "
                    f"{partition} lacks records from {read_from:%H:%M:%S} on. Choose later hours."
                )
