"""How many events `ctr produce --rate max` makes and delivers on one core, beside the plain way.

Needs a running stack; writes live events to the raw topic. The process, librdkafka's threads included,
is bound to one core. `per CPU second` leaves out the time that other processes held that core.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from contract.settings import Settings, load_settings
from ctr_platform.defs.kafka.topics import ensure_topics
from ctr_platform.defs.registry.subject import ensure_subject
from ctr_platform.loadgen.encoder import BatchEncoder, EventWriter
from ctr_platform.loadgen.own_fields import OwnFields
from ctr_platform.loadgen.plan import MAX_RATE, TrafficRequest
from ctr_platform.loadgen.produce import BATCH, produce
from ctr_platform.loadgen.producer import EventProducer
from ctr_platform.loadgen.schedule import now_ms
from ctr_platform.loadgen.stop import Stop
from ctr_platform.loadgen.synthetic import events_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.stream.load import DeclaredStream

PLAIN_SHARE: Final = 10
"""The plain way is so much slower that it gets one tenth of the events."""


@dataclass(frozen=True)
class Figures:
    """One contender's run."""

    contender: str
    events: int
    events_per_second: int
    events_per_cpu_second: int


def measure(contender: str, events: int, run: Callable[[int], None]) -> Figures:
    """Time a run of so many events."""
    began, cpu = time.perf_counter(), time.process_time()
    run(events)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    return Figures(contender, events, round(events / seconds), round(events / cpu_seconds))


def encode_only(stream: DeclaredStream, events: int) -> None:
    """Batches of encoded events, thrown away."""
    rng = np.random.default_rng(0)
    templates = events_of(stream).draw(rng, BATCH)
    encoder = BatchEncoder(stream, 1, templates, 0)
    for first in range(0, events, BATCH):
        numbers = np.arange(first, first + BATCH)
        encoder.encode(rng.integers(len(templates), size=BATCH), numbers, np.full(BATCH, now_ms()))


def whole(settings: Settings, events: int) -> None:
    """What `ctr produce --rate max` does, until the last event is delivered."""
    report = produce(
        settings,
        settings.declared_stream(),
        TrafficRequest(rate=MAX_RATE, count=events),
        stop=Stop(),
        on_start=lambda _plan: None,
        on_progress=lambda _delivery: None,
    )
    if report.delivery.delivered != events:
        raise SystemExit(f"only {report.delivery.delivered} of {events} events were delivered")


def plain(settings: Settings, events: int) -> None:
    """Each event by the Avro library, delivered by the same producer."""
    partitions = {each.name: each.partitions for each in ensure_topics(settings)}[settings.raw_topic]
    stream = settings.declared_stream()
    own = OwnFields(stream)
    writer = EventWriter(stream, ensure_subject(settings).id)
    templates = events_of(stream).draw(np.random.default_rng(0), BATCH)
    producer = EventProducer(settings, Stop(), lambda: None)
    for first in range(0, events, BATCH):
        moment = now_ms()
        values = [
            writer.encode({**template, **own.values(f"{first + number:020x}", moment)})
            for number, template in enumerate(templates[: min(BATCH, events - first)])
        ]
        producer.send([values[partition::partitions] for partition in range(partitions)])
    producer.finish()


def main() -> None:
    """Run the contenders and print their figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--core", type=int, default=min(os.sched_getaffinity(0)), help="the core to bind to")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    os.sched_setaffinity(0, {asked.core})
    settings = load_settings()
    stream = settings.declared_stream()
    whole(settings, BATCH)  # Topics, schema and the broker's first steps are no part of the figures.
    runs = [
        figures
        for _ in range(asked.repeat)
        for figures in (
            measure("encoding only", asked.events, lambda events: encode_only(stream, events)),
            measure("ctr produce --rate max", asked.events, lambda events: whole(settings, events)),
            measure(
                "one event at a time", asked.events // PLAIN_SHARE, lambda events: plain(settings, events)
            ),
        )
    ]
    if asked.json:
        print(json.dumps([asdict(figures) for figures in runs]))
        return
    for figures in sorted(runs, key=lambda figures: figures.contender):
        print(
            f"{figures.contender:24} {figures.events:>10,} events: {figures.events_per_second:>9,}/s, "
            f"{figures.events_per_cpu_second:>9,} per CPU second"
        )


if __name__ == "__main__":
    main()
