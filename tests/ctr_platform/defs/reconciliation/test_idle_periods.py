"""What the job calls late is believed only where its watermark can have been beyond the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from contract.time_rules import TimeRules
from ctr_platform.defs.reconciliation.idle_periods import NOTICED_WITHIN_MS, Before, Course, idle_periods
from ctr_platform.defs.reconciliation.outcomes import BEFORE_ALL_MS, MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

RULES = TimeRules()
NOON_MS = 1_700_000_100_000
IDLE_MS = RULES.partition_idle_ms


def course(seconds: Sequence[float], *, behind_ms: int = 0) -> Course:
    """A record at each of these seconds after noon, of the time at which it was written, less `behind_ms`."""
    written = np.array([NOON_MS + round(1000 * each) for each in seconds], dtype=np.int64)
    times = written - behind_ms
    highest = np.maximum.accumulate(times)
    return Course(
        first_offset=np.arange(len(written)),
        first_ms=written,
        last_ms=written,
        latest_end_ms=times - times % MINUTE_MS + MINUTE_MS,
        highest_before_ms=np.concatenate(([BEFORE_ALL_MS], highest[:-1])),
        highest_ms=highest,
    )


BUSY = course(range(120))


def test_a_partition_that_was_not_idle_is_held_by_the_job_watermark() -> None:
    found, timely_ms = idle_periods({0: BUSY, 1: BUSY}, {1: Before(timely_ms=NOON_MS)}, RULES)[1]
    assert found == []
    assert timely_ms == NOON_MS + 119_000


def test_after_an_idle_period_windows_can_have_closed_as_far_as_the_others_had_come() -> None:
    quiet = course([0, 1, 1 + IDLE_MS / 1000, 17, 18])
    [first, second], _ = idle_periods({0: BUSY, 1: quiet}, {}, RULES)[1]
    assert (first.first_offset, second.first_offset) == (0, 2)
    come_ms = NOON_MS + 16_000 + NOTICED_WITHIN_MS
    assert second.allowed_ms == come_ms - RULES.out_of_orderness_ms


def test_a_late_record_ends_no_idle_period() -> None:
    """A producer that is minutes behind, every 5 s: all of it can be late, as far as the others go on."""
    behind = course([0, *range(30, 90, 5)], behind_ms=2 * MINUTE_MS)
    found, _ = idle_periods({0: BUSY, 1: behind}, {}, RULES)[1]
    assert [each.first_offset for each in found] == list(range(13))
    # But one of a window that cannot have closed ends it.
    mixed = course([0, *range(30, 90, 5)])
    found, _ = idle_periods({0: BUSY, 1: mixed}, {}, RULES)[1]
    assert [each.first_offset for each in found] == [0, 1]


def test_a_straggler_is_held_by_nothing() -> None:
    behind = course(range(60), behind_ms=RULES.straggler_after_ms + MINUTE_MS)
    found, _ = idle_periods({0: BUSY, 1: behind}, {1: Before(timely_ms=NOON_MS)}, RULES)[1]
    # The first record has none before it that could be behind.
    assert len(found) == 59


def test_an_idle_topic_closes_its_windows_by_the_clock() -> None:
    back = course([0, 100])
    found, _ = idle_periods({0: back}, {}, RULES)[0]
    assert found[-1].allowed_ms == NOON_MS + 100_000 + NOTICED_WITHIN_MS - RULES.out_of_orderness_ms


def test_the_first_record_of_all_ends_no_window() -> None:
    found, _ = idle_periods({0: course([0], behind_ms=60 * MINUTE_MS)}, {}, RULES)[0]
    assert [each.allowed_ms for each in found] == [NOON_MS - 60 * MINUTE_MS - RULES.out_of_orderness_ms]


@pytest.mark.parametrize("known_ms", [BEFORE_ALL_MS, NOON_MS + 10 * MINUTE_MS])
def test_what_earlier_passes_have_found_holds(known_ms: int) -> None:
    before = Before(timely_ms=NOON_MS - 1000, allowed_ms=known_ms, highest_ms=NOON_MS)
    found, timely_ms = idle_periods({0: course([0, 30])}, {0: before}, RULES)[0]
    assert len(found) == (1 if known_ms == BEFORE_ALL_MS else 0)
    assert (timely_ms == NOON_MS - 1000) == (known_ms > NOON_MS)
