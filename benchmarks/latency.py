"""From an event's sending to its being seen in Redis, in the document of an open window.

The n-th event is seen when the documents of the windows first count n impressions more than before. So
the figure covers everything: producer, broker, ingest stage, Python function, Redis, and a reader's poll.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import numpy as np
import redis

from contract.settings import Settings, load_settings
from ctr_platform.loadgen.plan import TrafficRequest
from ctr_platform.loadgen.produce import produce
from ctr_platform.loadgen.stop import Stop

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from numpy.typing import NDArray

    from ctr_platform.loadgen.producer import Delivery

POLL_S: Final = 0.005
"""Between two looks at Redis: what the measurement itself may add."""

SETTLE_S: Final = 5.0
"""After the last event, until the last document must have been seen."""


Moments: TypeAlias = "NDArray[np.float64]"


@dataclass(frozen=True)
class Sample:
    """A count and when it was reached, seconds since the epoch."""

    moment: float
    count: int


def _send(settings: Settings, rate: float, seconds: float, done: Connection) -> None:
    """Send live traffic, and report how many events had been queued when."""
    queued: list[Sample] = []

    def progress(delivery: Delivery) -> None:
        queued.append(Sample(time.time(), delivery.queued))

    produce(
        settings,
        settings.declared_stream(),
        TrafficRequest(rate=rate, duration_ms=round(1000 * seconds)),
        stop=Stop(),
        on_start=lambda _plan: None,
        on_progress=progress,
    )
    done.send(queued)


def _total(client: redis.Redis, settings: Settings, since_ms: int) -> int:
    """Impressions that Redis shows, of windows that start at `since_ms` or later."""
    keys = f"{settings.redis_key_prefix}metrics:1min:"
    ids = cast("list[str]", client.zrangebyscore(f"{keys}index", since_ms, "+inf"))
    documents = cast("list[str | None]", client.mget([keys + each for each in ids])) if ids else []
    return sum(json.loads(document)["total_impressions"] for document in documents if document)


def measure(settings: Settings, rate: float, seconds: float) -> Moments:
    """Latency of every event in ms, but for those of the first fifth, while everything warms up."""
    client = redis.Redis(settings.redis_host, settings.redis_port, decode_responses=True)
    since_ms = time.time_ns() // 60_000_000_000 * 60_000
    before = _total(client, settings, since_ms)
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    producer = context.Process(target=_send, args=(settings, rate, seconds, send))
    producer.start()
    seen: list[Sample] = []
    queued: list[Sample] = []
    deadline = None
    while deadline is None or time.time() < deadline:
        total = _total(client, settings, since_ms) - before
        if not seen or total > seen[-1].count:
            seen.append(Sample(time.time(), total))
        if deadline is None and receive.poll():
            queued = receive.recv()
            deadline = time.time() + SETTLE_S
        if queued and seen[-1].count >= queued[-1].count:
            break
        time.sleep(POLL_S)
    producer.join()
    if seen[-1].count != queued[-1].count:
        sent, shown = queued[-1].count, seen[-1].count
        raise SystemExit(f"{sent} events were sent, Redis shows {shown}: is there other traffic?")
    numbers = np.arange(queued[-1].count // 5, queued[-1].count) + 1
    return 1000 * (_moments(seen, numbers) - _moments(queued, numbers))


def _moments(samples: list[Sample], numbers: NDArray[np.int64]) -> Moments:
    """When each count was first reached."""
    counts = np.array([sample.count for sample in samples])
    moments = np.array([sample.moment for sample in samples])
    reached: Moments = moments[np.searchsorted(counts, numbers)]
    return reached


def main() -> None:
    """Measure against the running stack; expects no other traffic."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", type=float, nargs="+", default=[5_000, 50_000], help="events/s")
    parser.add_argument("--seconds", type=float, default=30)
    arguments = parser.parse_args()
    for rate in arguments.rates:
        latency = measure(load_settings(), rate, arguments.seconds)
        p50, p99 = np.percentile(latency, [50, 99])
        figures = f"p50 {p50:4.0f} ms, p99 {p99:4.0f} ms, max {latency.max():4.0f} ms"
        print(f"{rate:>9,.0f} events/s: {figures}, {len(latency):,} events")


if __name__ == "__main__":
    main()
