"""Which windows are closed, as far as the recount has read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from ctr_platform.defs.reconciliation.state import moment

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from contract.time_rules import TimeRules
    from ctr_platform.defs.reconciliation.state import PartitionProgress

PATIENCE: Final = 3
"""Times the job's own idle timeouts: it may have been restarted meanwhile and waits anew. To verify later is
never wrong."""


def closed_until(
    states: Sequence[PartitionProgress], behind: Collection[int], now: datetime, rules: TimeRules
) -> datetime | None:
    """Every window that ends by this is final; None: no window is.

    Args:
        states: of the raw topic's partitions.
        behind: those that hold records beyond what has been read: they are not idle.
        now: by the clock that the broker's times are compared with.
        rules: the job's.
    """
    partition_idle = PATIENCE * timedelta(milliseconds=rules.partition_idle_ms)
    topic_idle = PATIENCE * timedelta(milliseconds=rules.topic_idle_ms)
    seen = [
        (
            moment(state.highest_event_time_ms - rules.out_of_orderness_ms),
            timedelta(0) if state.partition in behind else now - state.last_valid_at,
        )
        for state in states
        if state.highest_event_time_ms is not None and state.last_valid_at is not None
    ]
    if not seen:
        return None
    if all(age > topic_idle for _, age in seen):
        # A window of an event that is ahead of the clock stays open until the clock has passed it.
        return now - topic_idle
    active = [watermark for watermark, age in seen if age <= partition_idle]
    return min(active or [watermark for watermark, _ in seen])
