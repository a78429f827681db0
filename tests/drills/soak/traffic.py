"""Traffic of a soak besides `ctr produce`: bursts of what is hostile, or costly, while faults come and go."""

from __future__ import annotations

import random
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from confluent_kafka import KafkaException

from ctr_platform.defs.registry.subject import ensure_subject
from tests.support.attacks import categories, compressed_megabytes, long_ids, optional_fields, unknown_schemas
from tests.support.topic_writer import TopicWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.support.stack import RunningStack

SHARES: Final = {"late": 0.005, "malformed": 0.001, "invalid": 0.001, "unknown-schema": 0.001}
"""Of the steady traffic."""
BURST_EVERY_S: Final = (10, 40)


def steady(events_per_second: float, seed: int) -> list[str]:
    """Options of `ctr produce`: in disorder, some late and dead."""
    shares = [part for name, share in SHARES.items() for part in (f"--{name}-share", str(share))]
    return ["--rate", str(events_per_second), "--disorder", "5s", "--seed", str(seed), *shares]


def writer_of(stack: RunningStack) -> TopicWriter:
    """A writer for times since the epoch."""
    return TopicWriter(stack=stack, base_ms=0, schema_id=ensure_subject(stack.settings).id)


def _send_all(writer: TopicWriter, values: Iterable[bytes]) -> None:
    for value in values:
        writer.send(0, value)


@contextmanager
def bursts(writer: TopicWriter, seed: int) -> Iterator[None]:
    """Send one of several kinds now and then, in the background."""
    rng, ended = random.Random(seed), threading.Event()
    # Registered now: the registry may be away later.
    broken = optional_fields(writer, writer.now_ms())
    kinds: list[Callable[[], None]] = [
        lambda: categories(writer, distinct=None, per_second=500, seconds=5),
        lambda: categories(writer, distinct=5_000, per_second=1_000, seconds=5),
        lambda: unknown_schemas(writer, 2_000),
        lambda: compressed_megabytes(writer),
        lambda: long_ids(writer),
        lambda: _send_all(writer, broken),
    ]

    def run() -> None:
        while not ended.wait(rng.uniform(*BURST_EVERY_S)):
            # A broker that is away keeps a burst from being delivered in time: it comes later, or never.
            with suppress(AssertionError, KafkaException):
                rng.choice(kinds)()
                writer.flush()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
