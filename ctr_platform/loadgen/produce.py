"""Synthetic traffic from start to end."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ctr_platform.defs.kafka.topics import ensure_topics
from ctr_platform.defs.registry.subject import ensure_subject
from ctr_platform.loadgen.generator import Generator, KnownChoice, RandomChoice
from ctr_platform.loadgen.lateness import refuse_if_late
from ctr_platform.loadgen.outcomes import Outcome, OutcomePattern
from ctr_platform.loadgen.plan import MAX_RATE, Plan, TrafficRequest, make_plan
from ctr_platform.loadgen.producer import Delivery, EventProducer
from ctr_platform.loadgen.schedule import now_ms
from ctr_platform.loadgen.synthetic import events_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.settings import Settings
    from contract.stream.load import DeclaredStream
    from ctr_platform.loadgen.stop import Stop

BATCH: Final = 20_000
"""Events made at once: enough for numpy, few enough to stay in the processor's cache."""

TICK_S: Final = 0.01
"""Between two looks at the clock: how far apart events of one moment may be sent."""

_LOOK_AHEAD_S: Final = 0.1
"""So much of a paced stream is considered at once."""


@dataclass(frozen=True, kw_only=True)
class ProduceReport:
    """What was sent. `intended` counts the queued events by the outcome they were made for."""

    intended: dict[str, int]
    delivery: Delivery
    seconds: float
    run: str
    """The first eight digits of this run's event ids."""


def produce(  # noqa: PLR0913 - what it is told and what it tells
    settings: Settings,
    stream: DeclaredStream,
    request: TrafficRequest,
    *,
    stop: Stop,
    on_start: Callable[[Plan], None],
    on_progress: Callable[[Delivery], None],
) -> ProduceReport:
    """Make topics and schema sure, then send what was asked for until it is done or a stop is requested.

    `stream` is the one that the settings declare. `on_start` is called once before the first event,
    `on_progress` many times a second.

    Raises:
        CtrError: Kafka or the registry do not answer, or the request cannot be kept.
    """
    seeds = np.random.SeedSequence(request.seed).spawn(2)
    pattern_rng, rng = (np.random.default_rng(seed) for seed in seeds)
    events = events_of(stream)
    partitions = {each.name: each.partitions for each in ensure_topics(settings)}[settings.raw_topic]
    schema = ensure_subject(settings)
    pattern = OutcomePattern(request.shares, pattern_rng, partitions)
    run = secrets.randbits(32)
    known = events.known() if request.deterministic else []
    generator = Generator(
        stream=stream,
        choice=KnownChoice(known) if request.deterministic else RandomChoice(events, rng),
        pattern=pattern,
        schema_id=schema.id,
        run=run,
        partitions=partitions,
        disorder_ms=request.disorder_ms,
        rules=settings.time_rules,
        rng=rng,
    )
    # Last, for live traffic starts at the moment it is planned.
    names = ["/".join(map(str, each.values)) for each in known]
    plan = make_plan(request, pattern, now_ms(), settings.time_rules, segments=names)
    if plan.first_ms is not None:
        refuse_if_late(settings, stream, plan.first_ms)
    on_start(plan)
    started = time.monotonic()
    producer = EventProducer(settings, stop, lambda: on_progress(producer.delivery))
    sent = _send(plan, pattern, generator, partitions, producer, stop, on_progress)
    delivery = producer.finish()
    return ProduceReport(
        intended={outcome.name.lower(): int(count) for outcome, count in zip(Outcome, sent, strict=True)},
        delivery=delivery,
        seconds=time.monotonic() - started,
        run=f"{run:08x}",
    )


def _send(  # noqa: PLR0913, PLR0917
    plan: Plan,
    pattern: OutcomePattern,
    generator: Generator,
    partitions: int,
    producer: EventProducer,
    stop: Stop,
    on_progress: Callable[[Delivery], None],
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Send until the plan is done or a stop is requested; returns the events queued, by outcome."""
    sent = np.zeros(len(Outcome), np.int64)
    position = 0
    look_ahead = BATCH if plan.rate == MAX_RATE else min(BATCH, int(plan.rate * _LOOK_AHEAD_S) + 1)
    while not stop.requested and (plan.count is None or position < plan.count):
        now = now_ms()
        if plan.until_ms is not None and now >= plan.until_ms:
            break
        last = position + look_ahead if plan.count is None else min(position + look_ahead, plan.count)
        numbers = np.arange(position, last)
        counted = pattern.counted_before(numbers)
        if plan.send_time is not None:
            due = plan.send_time.times(counted)
            numbers = numbers[: np.searchsorted(due, now, side="right")]
            if len(numbers) == 0:
                producer.poll()
                on_progress(producer.delivery)
                stop.wait(min(max((int(due[0]) - now) / 1000, TICK_S), _LOOK_AHEAD_S))
                continue
        base = (
            np.full(len(numbers), now)
            if plan.event_time is None
            else plan.event_time.times(counted[: len(numbers)])
        )
        batch = generator.batch(numbers, base)
        if not producer.send([batch.of_partition(each, partitions) for each in range(partitions)]):
            break
        sent += np.bincount(batch.outcomes, minlength=len(Outcome))
        position += len(numbers)
        on_progress(producer.delivery)
    return sent
