"""Which windows are closed, as far as the recount has read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from ctr_platform.defs.reconciliation.state import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.time_rules import TimeRules
    from ctr_platform.defs.reconciliation.state import PartitionProgress

PATIENCE: Final = 3
"""Times the job's own idle timeouts: it may have been restarted meanwhile and waits anew. To verify later is
never wrong."""

READ_TOGETHER: Final = timedelta(seconds=5)
"""The job reads its partitions side by side: it lags on one whose next record is this much older than the
newest that was read."""


@dataclass(frozen=True)
class _Partition:
    """A partition at the job's last checkpoint: that is where the recount stops."""

    watermark: datetime
    idle_for: timedelta
    """Since its last timely record."""

    lags: bool
    """It held records that the job had not read."""


def closed_until(
    states: Sequence[PartitionProgress],
    unread_since: Mapping[int, datetime],
    claimed: datetime | None,
    now: datetime,
    rules: TimeRules,
) -> datetime | None:
    """Every window that ends by this is final; None: no window is.

    Verified is what the job says it has closed, once the records that allow it have been read. What it should
    have closed and has not is a matter of its health.

    Args:
        states: of the raw topic's partitions.
        unread_since: when the first record beyond what was read was written, of partitions that have one.
        claimed: up to when the job had closed windows at its last checkpoint; None: it does not say.
        now: by the clock that the broker's times are compared with.
        rules: the job's.
    """
    partition_idle = PATIENCE * timedelta(milliseconds=rules.partition_idle_ms)
    topic_idle = PATIENCE * timedelta(milliseconds=rules.topic_idle_ms)
    straggler = timedelta(milliseconds=rules.straggler_after_ms) + partition_idle
    seen = _seen(states, unread_since, now, rules)
    if not seen:
        return None
    if all(each.idle_for > topic_idle and not each.lags for each in seen):
        # A window of an event that is ahead of the clock stays open until the clock has passed it.
        return now - topic_idle
    active = [each for each in seen if each.idle_for <= partition_idle or each.lags] or seen
    newest = max(each.watermark for each in active)
    allowed = min(each.watermark for each in active if each.lags or newest - each.watermark <= straggler)
    return allowed if claimed is None else min(allowed, claimed)


def _seen(
    states: Sequence[PartitionProgress],
    unread_since: Mapping[int, datetime],
    now: datetime,
    rules: TimeRules,
) -> list[_Partition]:
    newest_read = max((state.last_read_at for state in states if state.last_read_at), default=now)
    partitions = []
    for state in states:
        if state.highest_time_ms is None or state.last_valid_at is None:
            continue
        until = unread_since.get(state.partition, now)
        partitions.append(
            _Partition(
                watermark=moment(state.highest_time_ms - rules.out_of_orderness_ms),
                idle_for=until - state.last_valid_at,
                lags=until < newest_read - READ_TOGETHER,
            )
        )
    return partitions
