"""From what was asked of `ctr produce` to when each event happens and is sent."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from contract.errors import UsageError
from ctr_platform.loadgen.generator import KnownChoice
from ctr_platform.loadgen.outcomes import PERIOD, OutcomeShares
from ctr_platform.loadgen.schedule import MINUTE_MS, Schedule, clock_text, next_minute_ms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.time_rules import TimeRules
    from ctr_platform.loadgen.outcomes import OutcomePattern

LIVE_RATE: Final = 1000.0
DETERMINISTIC_RATE: Final = 100.0
"""Events/s: in each of six segments 1,000 impressions and 170 clicks a minute."""

MAX_RATE: Final = math.inf


@dataclass(frozen=True, kw_only=True)
class TrafficRequest:
    """What traffic to make.

    `rate` counts all events/s, in deterministic mode only those meant to be counted; None is the
    mode's own default, `MAX_RATE` as fast as it goes. With `span_ms` the events are spread evenly over
    event time: the span that ends now, or that begins at `start_ms`.
    """

    rate: float | None = None
    count: int | None = None
    duration_ms: int | None = None
    seed: int | None = None
    disorder_ms: int = 0
    shares: OutcomeShares = field(default_factory=OutcomeShares)
    start_ms: int | None = None
    span_ms: int | None = None
    deterministic: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """When the events happen and are sent; both schedules go by the number of counted events before one."""

    event_time: Schedule | None
    """Base times; None: the moment of sending."""
    send_time: Schedule | None
    """None: as fast as it goes."""
    rate: float
    """Events/s sent, of all outcomes together; infinite: as fast as it goes."""
    count: int | None = None
    """How many to make; None: until stopped."""
    until_ms: int | None = None
    """When to end, where no rate makes a number of the duration; None: no such limit."""
    first_ms: int | None = None
    """The earliest event time of traffic that is not live."""
    windows: int | None = None
    """1 min windows of deterministic traffic; None: until stopped."""
    segments: Sequence[str] = ()
    """Names of those of deterministic traffic."""
    window_figures: tuple[int, int] | None = None
    """Impressions and clicks of one segment in one window of deterministic traffic."""


def make_plan(
    request: TrafficRequest,
    pattern: OutcomePattern,
    now: int,
    rules: TimeRules,
    *,
    segments: Sequence[str] = (),
) -> Plan:
    """Work out the plan; `segments` are the names of those of deterministic traffic.

    Raises:
        CtrError: the request contradicts itself or cannot be kept.
    """
    _check(request, now, rules)
    if request.deterministic:
        return _deterministic(request, pattern, now, segments)
    if request.span_ms is not None:
        return _spread(request, pattern, now)
    return _live(request, pattern, now)


def _check(request: TrafficRequest, now: int, rules: TimeRules) -> None:
    span, start = request.span_ms, request.start_ms
    problems = {
        "--rate must be above 0.": request.rate is not None and not request.rate > 0,
        "--count must be above 0.": request.count is not None and request.count <= 0,
        f"--disorder above {rules.out_of_orderness_ms / 1000:g}s would make events late: use --late-share.": (
            request.disorder_ms > rules.out_of_orderness_ms
        ),
        "--start needs --span: how much event time the events are spread over.": (
            start is not None and span is None
        ),
        "--duration is for live traffic: leave it out with --span.": (
            span is not None and request.duration_ms is not None
        ),
        f"--start must be {clock_text(rules.earliest_ms)} or later.": (
            start is not None and start < rules.earliest_ms
        ),
        "--start plus --span lies in the future: such events are invalid.": (
            start is not None and span is not None and start + span > now + rules.max_ahead_ms
        ),
    }
    _refuse(problems)


def _live(request: TrafficRequest, pattern: OutcomePattern, now: int) -> Plan:
    rate = request.rate or LIVE_RATE
    if rate == MAX_RATE:
        until = None if request.duration_ms is None else now + request.duration_ms
        return Plan(event_time=None, send_time=None, rate=rate, count=request.count, until_ms=until)
    schedule = Schedule.at_rate(now, _counted_rate(rate, pattern))
    limits = [
        request.count,
        None if request.duration_ms is None else round(rate * request.duration_ms / 1000),
    ]
    return Plan(
        event_time=schedule,
        send_time=schedule,
        rate=rate,
        count=min((limit for limit in limits if limit is not None), default=None),
    )


def _spread(request: TrafficRequest, pattern: OutcomePattern, now: int) -> Plan:
    if request.span_ms is None or request.count is None:
        raise UsageError("--span needs --count: how many events to spread over it.")
    start = now - request.span_ms if request.start_ms is None else request.start_ms
    counted = int(pattern.counted_before(np.array([request.count]))[0])
    rate = request.rate or MAX_RATE
    return Plan(
        count=request.count,
        event_time=Schedule.over_span(start, request.span_ms, max(counted, 1)),
        send_time=None if rate == MAX_RATE else Schedule.at_rate(now, _counted_rate(rate, pattern)),
        rate=rate,
        first_ms=start - request.disorder_ms,
    )


def _deterministic(
    request: TrafficRequest, pattern: OutcomePattern, now: int, segments: Sequence[str]
) -> Plan:
    rate = request.rate or DETERMINISTIC_RATE
    length = request.duration_ms if request.span_ms is None else request.span_ms
    problems = {
        "--deterministic needs a --rate in numbers: it sets the figures of every window.": rate == MAX_RATE,
        "--deterministic does without --count: give --duration or --span in whole minutes.": (
            request.count is not None
        ),
        "--deterministic: write --duration or --span in whole minutes.": (
            length is not None and length % MINUTE_MS != 0
        ),
        "--deterministic: write --start on a whole minute.": (request.start_ms or 0) % MINUTE_MS != 0,
        "--deterministic does without --disorder: it would move events to other windows.": (
            request.disorder_ms > 0
        ),
    }
    _refuse(problems)
    figures = KnownChoice.window_figures(rate, len(segments))
    per_window = figures[0] * len(segments)
    windows = None if length is None else length // MINUTE_MS
    if request.span_ms is None:
        start = next_minute_ms(now)
    elif request.start_ms is None:
        start = now // MINUTE_MS * MINUTE_MS - request.span_ms
    else:
        start = request.start_ms
    schedule = Schedule.over_span(start, MINUTE_MS, per_window)
    return Plan(
        count=None if windows is None else pattern.events_for(windows * per_window),
        event_time=schedule,
        send_time=schedule if request.span_ms is None else None,
        rate=rate * PERIOD / pattern.counted_per_period,
        first_ms=None if request.span_ms is None else start,
        windows=windows,
        segments=segments,
        window_figures=figures,
    )


def _counted_rate(rate: float, pattern: OutcomePattern) -> float:
    """Return how many of so many events/s are meant to be counted.

    Raises:
        CtrError: none, so that nothing would set the pace.
    """
    if pattern.counted_per_period == 0:
        raise UsageError("No event would be counted: lower the shares, or use --rate max.")
    return rate * pattern.counted_per_period / PERIOD


def _refuse(problems: Mapping[str, bool]) -> None:
    for problem, present in problems.items():
        if present:
            raise UsageError(problem)
