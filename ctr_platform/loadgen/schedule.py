"""When synthetic events happen."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MINUTE_MS: Final = 60_000

_FINEST: Final = 1_000_000
"""Denominator of a rate's approximation, small enough for products with any event number to fit 64 bits."""


def now_ms() -> int:
    """The wall clock, milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def clock_text(moment_ms: int) -> str:
    """A moment as a person reads it."""
    return datetime.fromtimestamp(moment_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def next_minute_ms(moment_ms: int) -> int:
    """The first minute boundary at or after a moment."""
    return -(-moment_ms // MINUTE_MS) * MINUTE_MS


@dataclass(frozen=True)
class Schedule:
    """Evenly spaced moments: number `n` is at `start_ms + floor(n * spacing_ms)`."""

    start_ms: int
    spacing_ms: Fraction

    @classmethod
    def at_rate(cls, start_ms: int, per_second: float) -> Schedule:
        """From `start_ms` on, so many a second."""
        return cls(start_ms, (1000 / Fraction(per_second)).limit_denominator(_FINEST))

    @classmethod
    def over_span(cls, start_ms: int, span_ms: int, count: int) -> Schedule:
        """`count` moments over `[start_ms, start_ms + span_ms)`."""
        return cls(start_ms, Fraction(span_ms, count))

    def time(self, number: int) -> int:
        """The moment with this number, milliseconds since the epoch."""
        return self.start_ms + number * self.spacing_ms.numerator // self.spacing_ms.denominator

    def times(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The moments with these numbers, milliseconds since the epoch."""
        moments: NDArray[np.int64] = (
            self.start_ms + numbers * self.spacing_ms.numerator // self.spacing_ms.denominator
        )
        return moments
