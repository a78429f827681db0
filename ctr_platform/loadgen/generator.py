"""Synthetic events, in batches."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from contract.errors import UsageError
from ctr_platform.loadgen.encoder import BatchEncoder, Event
from ctr_platform.loadgen.outcomes import Outcome, OutcomePattern, RefusedEvents
from ctr_platform.loadgen.own_fields import OwnFields
from ctr_platform.loadgen.schedule import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from contract.stream.load import DeclaredStream
    from contract.time_rules import TimeRules
    from ctr_platform.loadgen.synthetic import Events, KnownSegment

TEMPLATES: Final = 16_384
"""Distinct events drawn; their bytes (2 MiB) fit a processor's cache."""

LATE_SPREAD_MS: Final = 600_000
"""How far behind the latest possible moment late events are strewn."""


class Choice(Protocol):
    """Which templates there are, and which one each counted event is."""

    templates: list[Event]

    def choose(self, counted: NDArray[np.int64]) -> NDArray[np.int64]:
        """Template numbers of the events that come after so many counted ones."""
        ...


class RandomChoice:
    """Events distributed as the stream's declaration says."""

    def __init__(self, events: Events, rng: np.random.Generator) -> None:
        self.templates = events.draw(rng, TEMPLATES)
        self._rng = rng

    def choose(self, counted: NDArray[np.int64]) -> NDArray[np.int64]:
        """Any template, at random."""
        return self._rng.integers(len(self.templates), size=len(counted))


class KnownChoice:
    """Events in strict rotation over a few segments, so that every window's figures are known."""

    CYCLE: Final = 100
    """Impressions of a segment after which its clicks repeat."""
    CLICKS: Final = 17
    """Clicks in a cycle: a CTR of 17.00 %."""

    def __init__(self, segments: Sequence[KnownSegment]) -> None:
        self._segments = len(segments)
        self.templates = [event for each in segments for event in (each.not_clicked, each.clicked)]

    def choose(self, counted: NDArray[np.int64]) -> NDArray[np.int64]:
        """Segment after segment; of a segment's events the first 17 in each 100 are clicks."""
        rounds, segment = np.divmod(counted, self._segments)
        return segment * 2 + (rounds % self.CYCLE < self.CLICKS)

    @classmethod
    def window_figures(cls, per_second: float, segments: int) -> tuple[int, int]:
        """Impressions and clicks of one of so many segments in a 1 min window.

        Raises:
            CtrError: a rate that does not fill whole cycles.
        """
        unit = segments * cls.CYCLE
        window = per_second * MINUTE_MS / 1000
        if window <= 0 or window % unit:
            raise UsageError(
                "--deterministic: choose a --rate that is a multiple of "
                f"{Fraction(unit * 1000, MINUTE_MS).numerator} "
                "events/s, so that every 1 min window has the same figures.",
            )
        impressions = int(window) // segments
        return impressions, impressions // cls.CYCLE * cls.CLICKS


@dataclass(frozen=True)
class Batch:
    """Encoded events, their outcomes and their numbers' order: three views of the same `n` events."""

    first: int
    values: NDArray[np.object_]
    outcomes: NDArray[np.int8]

    def of_partition(self, partition: int, partitions: int) -> list[bytes]:
        """The values that go to a partition: event number modulo partitions, so that each gets its share."""
        values: list[bytes] = self.values[(partition - self.first) % partitions :: partitions].tolist()
        return values


class Generator:
    """Makes the events with given numbers, in batches without gaps."""

    def __init__(  # noqa: PLR0913 - each is one independent choice
        self,
        *,
        stream: DeclaredStream,
        choice: Choice,
        pattern: OutcomePattern,
        schema_id: int,
        run: int,
        partitions: int,
        disorder_ms: int,
        rules: TimeRules,
        rng: np.random.Generator,
    ) -> None:
        self._choice = choice
        self._pattern = pattern
        self._encoder = BatchEncoder(stream, schema_id, choice.templates, run)
        self._own = OwnFields(stream)
        self._refused = RefusedEvents(stream, schema_id, rng)
        self._disorder_ms = disorder_ms
        self._late_after_ms = disorder_ms + rules.out_of_orderness_ms + MINUTE_MS
        self._rng = rng
        self._newest = np.full(partitions, -1, np.int64)
        """Base time of the newest counted event of each partition."""

    def batch(self, numbers: NDArray[np.int64], base_ms: NDArray[np.int64]) -> Batch:
        """The events with these consecutive numbers; `base_ms` are the moments they are reported.

        A counted event happened up to the disorder before its base time. A late one happened so long
        before a counted one of its partition that its window has closed.
        """
        outcomes = self._pattern.outcomes(numbers)
        templates = self._choice.choose(self._pattern.counted_before(numbers))
        times = base_ms - self._rng.integers(self._disorder_ms, size=len(numbers), endpoint=True)
        late = outcomes == Outcome.LATE
        newest = self._newest_before(int(numbers[0]), np.where(outcomes == Outcome.COUNTED, base_ms, -1))
        if late.any():
            closed = newest[late] - self._late_after_ms
            times[late] = closed - self._rng.integers(LATE_SPREAD_MS, size=len(closed))
        values = self._encoder.encode(templates, numbers, times)
        for place in np.flatnonzero(outcomes > Outcome.LATE):
            event = self._event(int(templates[place]), int(numbers[place]), int(times[place]))
            values[place] = self._refused.make(Outcome(outcomes[place]), values[place], event)
        return Batch(int(numbers[0]), values, outcomes)

    def _newest_before(self, first: int, counted_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """For each event, the base time of the newest counted one before it in its partition."""
        partitions = len(self._newest)
        begin, end = first % partitions, first % partitions + len(counted_ms)
        rounds = np.full((-(-end // partitions) + 1, partitions), -1, np.int64)
        rounds[0] = self._newest
        rounds[1:].reshape(-1)[begin:end] = counted_ms
        newest = np.maximum.accumulate(rounds, axis=0)
        self._newest = newest[-1]
        return newest[:-1].reshape(-1)[begin:end]

    def _event(self, template: int, number: int, time_ms: int) -> Event:
        return {
            **self._choice.templates[template],
            **self._own.values(self._encoder.event_id(number), time_ms),
        }
