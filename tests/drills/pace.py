"""How fast good events are counted, beside what else is sent: sampled from the job's ledger."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support.pipeline import Pipeline

SAMPLE_S: Final = 1.0
"""The pace of checkpoints, and so of the ledger."""
SMOOTHED_S: Final = 3.0
"""Checkpoints come now a little earlier, now a little later."""
SLOW_BELOW: Final = 0.8
"""Of the pace before."""


@dataclass(frozen=True)
class Sample:
    """What the ledger said at a moment."""

    at_s: float
    """Since the epoch."""
    good: int
    """Good events counted so far."""
    watermark_s: float | None
    """The job's, since the epoch; None: no window is closed."""

    @property
    def behind_s(self) -> float:
        """How far windows lag behind the clock."""
        return 0.0 if self.watermark_s is None else self.at_s - self.watermark_s


def rate(samples: Sequence[Sample]) -> float:
    """Good events/s between the first sample and the last."""
    first, last = samples[0], samples[-1]
    return (last.good - first.good) / (last.at_s - first.at_s)


def longest_slow_s(samples: Sequence[Sample], before: float) -> float:
    """The longest time for which the pace, smoothed, was below `SLOW_BELOW` of the one before."""
    longest, since_s = 0.0, None
    for number, sample in enumerate(samples):
        earlier = [each for each in samples[:number] if each.at_s <= sample.at_s - SMOOTHED_S]
        if not earlier:
            continue
        if rate([earlier[-1], sample]) < SLOW_BELOW * before:
            since_s = earlier[-1].at_s if since_s is None else since_s
            longest = max(longest, sample.at_s - since_s - SMOOTHED_S)
        else:
            since_s = None
    return longest


@dataclass
class Pace:
    """Samples, one a second."""

    job: Pipeline
    samples: list[Sample] = field(default_factory=list)

    def since(self, at_s: float) -> list[Sample]:
        """Samples from a moment on."""
        return [sample for sample in self.samples if sample.at_s >= at_s]

    def sample(self) -> None:
        """Ask the ledger once."""
        rows = self.job.query(
            "select partition, sum(counted)::bigint, max(last_offset), extract(epoch from max(job_watermark))"
            " from quality.ledger_current where topic = %s group by partition",
            self.job.settings.raw_topic,
        )
        ends = {partition: last for partition, _, last, _ in rows}
        # A copy: another thread sends.
        hostile = sum(
            outcome == "counted" and offset <= ends.get(partition, -1)
            for (partition, offset), outcome in list(self.job.outcomes.items())
        )
        watermarks = [float(row[3]) for row in rows if row[3]]
        watermark_s = max(watermarks) if watermarks else None
        self.samples.append(Sample(time.time(), sum(row[1] for row in rows) - hostile, watermark_s))


@contextmanager
def sampling(job: Pipeline) -> Iterator[Pace]:
    """Sample in the background."""
    pace, ended = Pace(job), threading.Event()

    def run() -> None:
        while not ended.wait(SAMPLE_S):
            pace.sample()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield pace
    finally:
        ended.set()
        thread.join()
