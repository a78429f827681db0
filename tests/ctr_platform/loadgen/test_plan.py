"""What is asked for becomes schedules, or one clear line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import UsageError
from contract.time_rules import TimeRules
from ctr_platform.loadgen.outcomes import OutcomePattern, OutcomeShares
from ctr_platform.loadgen.plan import MAX_RATE, Plan, TrafficRequest, make_plan
from ctr_platform.loadgen.schedule import MINUTE_MS, Schedule

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = 1_700_000_012_345


def plan_of(shares: OutcomeShares | None = None, segments: Sequence[str] = "abcdef", **asked: Any) -> Plan:
    request = TrafficRequest(shares=shares or OutcomeShares(), **asked)
    pattern = OutcomePattern(request.shares, np.random.default_rng(0), 4)
    return make_plan(request, pattern, NOW, TimeRules(), segments=segments)


@given(st.integers(1, 10_000_000), st.integers(1, 24 * 3_600_000), st.integers(0, 2**40))
def test_a_span_holds_all_its_moments_evenly(count: int, span_ms: int, start_ms: int) -> None:
    schedule = Schedule.over_span(start_ms, span_ms, count)
    times = schedule.times(np.array([0, count // 2, count - 1, count]))
    assert times[0] == start_ms
    assert times[2] < start_ms + span_ms == times[3]
    assert times[1] == start_ms + count // 2 * span_ms // count == schedule.time(count // 2)


@given(st.floats(0.01, 2_000_000), st.integers(1, 3600))
def test_a_rate_is_kept(rate: float, seconds: int) -> None:
    number = int(rate * seconds)
    assert abs(Schedule.at_rate(0, rate).time(number) - number * 1000 / rate) <= 1 + seconds / 100


def test_a_live_rate_is_of_all_events() -> None:
    plan = plan_of(OutcomeShares(malformed=0.25), rate=1000.0)
    assert plan.event_time is not None
    assert plan.event_time is plan.send_time
    # 750 of 1,000 events are meant to be counted, and they set the pace.
    assert plan.event_time.time(750) == NOW + 1000


def test_a_rate_makes_a_number_of_the_duration() -> None:
    assert plan_of(rate=20_000.0, duration_ms=50_000).count == 1_000_000
    assert plan_of(rate=20_000.0, duration_ms=50_000, count=5).count == 5
    endless = plan_of(rate=MAX_RATE, duration_ms=50_000)
    assert (endless.count, endless.until_ms) == (None, NOW + 50_000)


def test_a_span_ends_now_and_is_sent_as_fast_as_it_goes() -> None:
    plan = plan_of(span_ms=600_000, count=1000, disorder_ms=500)
    assert plan.event_time is not None
    assert (plan.event_time.time(0), plan.event_time.time(1000)) == (NOW - 600_000, NOW)
    assert (plan.send_time, plan.rate, plan.first_ms) == (None, MAX_RATE, NOW - 600_500)


@pytest.mark.parametrize("late", [0.0, 0.1])
def test_deterministic_windows_are_whole_minutes_of_the_announced_number(late: float) -> None:
    plan = plan_of(OutcomeShares(late=late), deterministic=True, span_ms=3 * MINUTE_MS, rate=200.0)
    assert plan.event_time is not None
    assert plan.event_time.start_ms % MINUTE_MS == 0
    assert plan.event_time.start_ms + 3 * MINUTE_MS <= NOW
    assert plan.window_figures == (2000, 340)
    windows = plan.event_time.times(np.arange(3 * 12_000)) // MINUTE_MS
    assert np.unique(windows, return_counts=True)[1].tolist() == [12_000] * 3
    assert plan.count is not None
    assert plan.count >= 36_000 / (1 - late)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"rate": 0.0}, "--rate"),
        ({"count": 0}, "--count"),
        ({"disorder_ms": 10_001}, "--late-share"),
        ({"start_ms": NOW}, "--span"),
        ({"span_ms": 1000}, "--count"),
        ({"span_ms": 1000, "count": 1, "duration_ms": 1}, "--duration"),
        ({"span_ms": 1000, "count": 1, "start_ms": 1}, "2000-01-01"),
        ({"span_ms": 1000, "count": 1, "start_ms": NOW + 60_000}, "future"),
        ({"deterministic": True, "rate": 33.0}, "multiple of 10"),
        ({"deterministic": True, "rate": MAX_RATE}, "--rate"),
        ({"deterministic": True, "count": 5}, "--count"),
        ({"deterministic": True, "duration_ms": 90_000}, "whole minutes"),
        ({"deterministic": True, "span_ms": MINUTE_MS, "start_ms": NOW - 10**6}, "whole minute"),
        ({"deterministic": True, "disorder_ms": 1}, "--disorder"),
        ({"shares": OutcomeShares(malformed=1.0)}, "max"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        plan_of(**asked)
