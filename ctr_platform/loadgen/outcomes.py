"""What is meant to become of each synthetic event, and the bytes of those meant to be refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from contract.errors import UsageError
from ctr_platform.loadgen.clicks import click_field
from ctr_platform.loadgen.encoder import Event, EventWriter, wire_header
from ctr_platform.loadgen.own_fields import OwnFields

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from contract.stream.load import DeclaredStream

PERIOD: Final = 10_000
"""Events after which the pattern of outcomes repeats: a share is exact to 0.01 %."""

UNKNOWN_SCHEMA_ID: Final = 2**31 - 1
"""The highest id there can be: registries count up from 1."""

YEAR_MS: Final = 365 * 24 * 3_600_000


class Outcome(IntEnum):
    """The contract's outcomes, dead ones by reason."""

    COUNTED = 0
    LATE = 1
    MALFORMED = 2
    INVALID = 3
    UNKNOWN_SCHEMA = 4


@dataclass(frozen=True, kw_only=True)
class OutcomeShares:
    """Shares (0 to 1) of all events by outcome; what remains is counted."""

    late: float = 0.0
    malformed: float = 0.0
    invalid: float = 0.0
    unknown_schema: float = 0.0


class OutcomePattern:
    """The outcome of the event with a given number, in exact shares, and how many are counted before it."""

    def __init__(self, shares: OutcomeShares, rng: np.random.Generator, partitions: int) -> None:
        """Draw the pattern.

        Its first events, one for each partition, are counted: nothing can be late before them.

        Raises:
            CtrError: shares that cannot be kept.
        """
        refused = [
            _of_period(share, name)
            for name, share in (
                ("late", shares.late),
                ("malformed", shares.malformed),
                ("invalid", shares.invalid),
                ("unknown-schema", shares.unknown_schema),
            )
        ]
        self.counted_per_period: Final = PERIOD - sum(refused)
        if self.counted_per_period < 0:
            raise UsageError("The shares of refused events add up to more than 1: lower them.")
        if shares.late and self.counted_per_period < partitions:
            raise UsageError("Late events need some that are counted: lower the other shares.")
        numbers = [self.counted_per_period, *refused]
        # Each outcome spread over the period, an event at random within each of its equal parts.
        places = [(np.arange(number) + rng.random(number)) / number for number in numbers if number]
        places[0][:partitions] = -1
        self._fates = np.repeat(np.array(Outcome, np.int8), numbers)[np.argsort(np.concatenate(places))]
        self._counted = np.concatenate([[0], np.cumsum(self._fates == Outcome.COUNTED)])

    def outcomes(self, numbers: NDArray[np.int64]) -> NDArray[np.int8]:
        """The outcomes of these events."""
        outcomes: NDArray[np.int8] = self._fates[numbers % PERIOD]
        return outcomes

    def counted_before(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """For each of these events, how many with a lower number are meant to be counted."""
        rounds, places = np.divmod(numbers, PERIOD)
        before: NDArray[np.int64] = rounds * self.counted_per_period + self._counted[places]
        return before

    def events_for(self, counted: int) -> int:
        """The smallest number of events of which this many are meant to be counted.

        Raises:
            CtrError: no event is.
        """
        if self.counted_per_period == 0:
            raise UsageError("No event would be counted: lower the shares.")
        if counted == 0:
            return 0
        # The last one that is counted: none of those that follow it in its period is needed.
        rounds, before = divmod(counted - 1, self.counted_per_period)
        return rounds * PERIOD + int(np.searchsorted(self._counted, before + 1))


class RefusedEvents:
    """Makes the bytes of dead letters to be, each reason in several shapes."""

    def __init__(self, stream: DeclaredStream, schema_id: int, rng: np.random.Generator) -> None:
        self._writer = EventWriter(stream, schema_id)
        self._own = OwnFields(stream)
        self._click = click_field(stream)
        self._rng = rng
        self._made = 0

    def make(self, outcome: Outcome, valid: bytes, event: Event) -> bytes:
        """A value of this (dead) outcome, from a complete event and its `valid` encoding."""
        self._made += 1
        if outcome is Outcome.UNKNOWN_SCHEMA:
            return wire_header(UNKNOWN_SCHEMA_ID) + valid[len(wire_header(UNKNOWN_SCHEMA_ID)) :]
        if outcome is Outcome.INVALID:
            return self._invalid(event)
        return self._malformed(valid)

    def _malformed(self, valid: bytes) -> bytes:
        shape = self._made % 3
        if shape == 0:
            return valid[: int(self._rng.integers(1, len(valid)))]
        if shape == 1:
            return valid + b"\x00"
        # Any first byte but the wire format's zero.
        return b"\x01" + self._rng.bytes(int(self._rng.integers(1, 64)))

    def _invalid(self, event: Event) -> bytes:
        """A click that is none, where its type has one; a time of 1970; one a year ahead."""
        shape = self._made % 3
        if shape == 0 and self._click.invalid is not None:
            return self._writer.encode({**event, self._click.name: self._click.invalid})
        time = self._own.time
        if shape == 1:
            return self._writer.encode({**event, time: 0})
        year = self._own.times[time].value(YEAR_MS)
        return self._writer.encode({**event, time: event[time] + year})


def _of_period(share: float, name: str) -> int:
    """A share as a number of events of a period.

    Raises:
        CtrError: not a share, or finer than a period can hold.
    """
    events = round(share * PERIOD)
    if not 0 <= share <= 1 or abs(share * PERIOD - events) > 1e-6:  # noqa: PLR2004 - rounding of the product
        raise UsageError(f"--{name}-share {share}: write a share from 0 to 1 in steps of {1 / PERIOD}.")
    return events
