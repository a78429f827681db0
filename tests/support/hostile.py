"""Traffic of every kind: in disorder, late, and dead in every way."""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING, Any

from tests.oracle import MINUTE_MS

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline

HOUR_MS = 60 * MINUTE_MS
CATEGORIES = ("news", "games", "", "  ", "28905ebd", "кино", "a\0b", "x" * 300)


def hostile_traffic(job: Pipeline, events: int, minutes: int, seed: int) -> None:
    """Events over all partitions in disorder, some of them far too late, among records of every dead kind."""
    rng = random.Random(seed)
    partitions = job.stack.settings.kafka_partitions
    for number in range(events):
        at = number * minutes * MINUTE_MS // events - rng.randrange(12_000)
        if rng.random() < 0.02:
            at -= rng.randrange(3 * MINUTE_MS)
        values: dict[str, Any] = {
            "click": int(rng.random() < 0.17),
            "site_category": rng.choice(CATEGORIES),
            "device_type": rng.choice((0, 1, 4, 5)),
        }
        partition = rng.randrange(partitions)
        job.event(partition, HOUR_MS + at, **values)
        if rng.random() < 0.03:
            job.send(partition, _dead(job, rng, HOUR_MS + at), key=b"k", headers=[("origin", b"test")])
    job.flush()


def _dead(job: Pipeline, rng: random.Random, at: int) -> bytes | None:
    good = job.encode(at)
    year = 365 * 24 * HOUR_MS
    return rng.choice(
        [
            None,
            b"",
            rng.randbytes(60),
            b"\0" + rng.randbytes(3),
            good[: rng.randrange(5, len(good))],
            good + b"\0",
            struct.pack(">bI", 0, 999_999) + good[5:],
            job.encode(at, click=7),
            job.encode(at, click=-1),
            job.encode(at, timestamp=0),
            job.encode(at, timestamp=-5),
            job.encode(at, timestamp=job.base_ms + year),
            b"\0" * (1 << 20),
        ]
    )
