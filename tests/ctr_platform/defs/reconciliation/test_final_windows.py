"""What the recount takes for closed must be closed by the job too, and nothing may hold it for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from contract.time_rules import TimeRules
from ctr_platform.defs.reconciliation.final_windows import closed_until
from ctr_platform.defs.reconciliation.state import PartitionProgress

RULES = TimeRules()
CHECKPOINT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
NOW = CHECKPOINT + timedelta(seconds=70)
TRAIL = timedelta(seconds=10)


def _partition(
    number: int, highest_ago_s: float | None, timely_ago_s: float = 0, read_ago_s: float | None = None
) -> PartitionProgress:
    """A partition by its times before the checkpoint."""

    def before(seconds: float) -> datetime:
        return CHECKPOINT - timedelta(seconds=seconds)

    return PartitionProgress(
        topic="ad_events_raw",
        partition=number,
        first_offset=0,
        next_offset=9,
        highest_time_ms=None if highest_ago_s is None else round(before(highest_ago_s).timestamp() * 1000),
        last_read_at=before(timely_ago_s if read_ago_s is None else read_ago_s),
        last_valid_at=None if highest_ago_s is None else before(timely_ago_s),
    )


def _closed_ago_s(
    *partitions: PartitionProgress,
    unread_after_s: dict[int, float] | None = None,
    claimed_ago_s: float | None = None,
    now: datetime = NOW,
) -> float | None:
    """How long before the checkpoint the newest closed window may have ended.

    Args:
        partitions: as they are at the checkpoint.
        unread_after_s: when the first record beyond was written, after the checkpoint, by partition.
        claimed_ago_s: up to when the job says it has closed windows, before the checkpoint.
        now: when it is asked.
    """
    unread = {
        number: CHECKPOINT + timedelta(seconds=after) for number, after in (unread_after_s or {}).items()
    }
    claimed = None if claimed_ago_s is None else CHECKPOINT - timedelta(seconds=claimed_ago_s)
    closed = closed_until(partitions, unread, claimed, now, RULES)
    return None if closed is None else (CHECKPOINT - closed).total_seconds()


def test_the_slowest_of_the_active_partitions_decides() -> None:
    flowing = {0: 0.1, 1: 0.1}
    assert _closed_ago_s(_partition(0, 0), _partition(1, 20), unread_after_s=flowing) == 30


def test_without_a_valid_record_nothing_is_closed() -> None:
    assert _closed_ago_s() is None
    assert _closed_ago_s(_partition(0, None)) is None


def test_an_idle_partition_holds_nothing_open() -> None:
    idle = _partition(1, 500, timely_ago_s=46, read_ago_s=46)
    assert _closed_ago_s(_partition(0, 0), idle, unread_after_s={0: 0.1}) == 10


def test_idleness_is_known_up_to_the_first_record_that_is_left_to_read() -> None:
    """It was idle for 44 s at the checkpoint, however late the next pass looks."""
    pausing = _partition(1, 44, timely_ago_s=44)
    assert _closed_ago_s(_partition(0, 0), pausing, unread_after_s={0: 0.1, 1: 0.9}) == 54
    assert _closed_ago_s(_partition(0, 0), pausing, unread_after_s={0: 0.1, 1: 1.1}) == 10


def test_garbage_and_late_records_hold_nothing_open() -> None:
    garbage = _partition(1, 200, timely_ago_s=200, read_ago_s=0)
    assert _closed_ago_s(_partition(0, 0), garbage, unread_after_s={0: 0.1, 1: 0.1}) == 10


def test_a_straggler_holds_nothing_open() -> None:
    flowing = {0: 0.1, 1: 4.0}
    assert _closed_ago_s(_partition(0, 0), _partition(1, 7200, timely_ago_s=1), unread_after_s=flowing) == 10
    nearly = _partition(1, 345, timely_ago_s=1)
    assert _closed_ago_s(_partition(0, 0), nearly, unread_after_s=flowing) == 355, "the job needs a moment"


def test_where_the_job_lags_nobody_is_idle_or_a_straggler() -> None:
    """It had not read all of partition 1 at the checkpoint, and will find timely records there."""
    lagging = _partition(1, 7200, timely_ago_s=7200)
    assert _closed_ago_s(_partition(0, 0), lagging, unread_after_s={0: 0.1, 1: -6}) == 7210
    assert _closed_ago_s(_partition(0, 0), lagging, unread_after_s={0: 0.1, 1: -4}) == 10, "read side by side"


def test_an_idle_topic_is_closed_up_to_some_minutes_ago() -> None:
    quiet = [_partition(0, 300, timely_ago_s=111), _partition(1, 200, timely_ago_s=111)]
    assert _closed_ago_s(*quiet) == 180 - 70, "3 x 60 s before now"
    assert _closed_ago_s(*quiet, now=NOW - timedelta(seconds=2)) == 310, "not yet"


def test_when_all_are_idle_the_slowest_decides() -> None:
    assert _closed_ago_s(_partition(0, 100, timely_ago_s=60), _partition(1, 50, timely_ago_s=50)) == 110


def test_what_the_job_has_not_closed_is_not_verified() -> None:
    flowing = {0: 0.1, 1: 0.1}
    partitions = _partition(0, 0), _partition(1, 20)
    assert _closed_ago_s(*partitions, unread_after_s=flowing, claimed_ago_s=90) == 90
    assert _closed_ago_s(*partitions, unread_after_s=flowing, claimed_ago_s=0) == 30, (
        "nor what was not read yet"
    )
