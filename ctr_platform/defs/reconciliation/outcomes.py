"""What becomes of the records of one partition, by the contract's rules, many at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from ctr_platform.defs.reconciliation.decode import VALID

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from contract.time_rules import TimeRules
    from ctr_platform.defs.reconciliation.decode import Decoded

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

MINUTE_MS: Final = 60_000

MAX_MEASURE: Final = 10**12
"""An event with more of a measure, or as much below 0, is invalid: nine million such are less than 2^63."""

BEFORE_ALL_MS: Final = -(2**62)
"""The highest time while there is none: nothing is late against it."""

REASONS: Final = ("malformed", "unknown_schema", "invalid")


def segment_columns(dimensions: Iterable[str]) -> list[str]:
    """Columns that tell a segment of a minute: its window's start, and the dimensions'."""
    return ["window_start_ms", *dimensions]


@dataclass(frozen=True)
class Written:
    """Where and when N records were written."""

    offsets: Ints
    """Ascending; int64[N]."""

    times_ms: Ints
    """Since the epoch; int64[N]."""

    by_broker: Flags
    """Whether the broker gave the time; bool[N]. A producer's word moves no watermark."""


@dataclass(frozen=True)
class PartitionOutcomes:
    """What became of consecutive records of one partition."""

    counts: pd.DataFrame
    """A segment's columns and what is summed: a row per segment of a minute, by their first records."""

    late: pd.DataFrame
    """Columns `offset`, those of a segment, `click`, the measures: one row per late record."""

    rejected: Ints
    """Offsets of the records that are dead or late, each of which has a dead-letter message."""

    totals: dict[str, int]
    """`records_read, counted, late, malformed, unknown_schema, invalid`; the last five make up the first."""

    highest_time_ms: int
    """Highest `min(event time, broker's time)` of a valid record, or `BEFORE_ALL_MS`."""

    last_valid_ms: int | None
    """The broker's time of the last valid record that is not late."""

    course: pd.DataFrame
    """Valid records by second of the broker's time; columns as `warehouse.models.recount.RecountSecond`."""


def decide(
    decoded: Decoded,
    written: Written,
    highest_before_ms: int,
    rules: TimeRules,
) -> PartitionOutcomes:
    """Decide the outcome of records in offset order.

    Args:
        decoded: what the N records say.
        written: where and when they were written.
        highest_before_ms: `highest_time_ms` of the records at lower offsets.
        rules: when an event is late, and when its time is none.
    """
    dead = decoded.dead.copy()
    readable = dead == VALID
    click, timestamp = decoded.click, decoded.timestamp_ms
    in_time = (timestamp >= rules.earliest_ms) & (timestamp <= written.times_ms + rules.max_ahead_ms)
    sound = ((click == 0) | (click == 1)) & in_time
    for values in decoded.measures.values():
        sound &= (values >= -MAX_MEASURE) & (values <= MAX_MEASURE)
    dead[readable & ~sound] = "invalid"
    valid = readable & sound

    times = timestamp[valid]
    bounds = np.where(written.by_broker, written.times_ms, BEFORE_ALL_MS)[valid]
    so_far = np.maximum.accumulate(np.concatenate(([highest_before_ms], np.minimum(times, bounds))))
    start = times - times % MINUTE_MS
    late = start + MINUTE_MS <= so_far[:-1] - rules.out_of_orderness_ms

    events = pd.DataFrame(
        {
            "offset": written.offsets[valid],
            "window_start_ms": start,
            **{column: values[valid] for column, values in decoded.dimensions.items()},
            "click": click[valid],
            **{column: values[valid] for column, values in decoded.measures.items()},
        }
    )
    segment = segment_columns(decoded.dimensions)
    summed = {"impressions": ("click", "size"), "clicks": ("click", "sum")}
    summed |= {column: (column, "sum") for column in decoded.measures}
    counted = events[~late].groupby(segment, sort=False).agg(**summed).reset_index()
    return PartitionOutcomes(
        counts=counted,
        late=events[late],
        rejected=np.sort(np.concatenate((written.offsets[~valid], written.offsets[valid][late]))),
        totals={
            "records_read": len(dead),
            "counted": int((~late).sum()),
            "late": int(late.sum()),
            **{reason: int((dead == reason).sum()) for reason in REASONS},
        },
        highest_time_ms=int(so_far[-1]),
        last_valid_ms=int(written.times_ms[valid][~late][-1]) if (~late).any() else None,
        course=_course(
            written.offsets[valid],
            written.times_ms[valid],
            np.where(late, BEFORE_ALL_MS, start + MINUTE_MS),
            so_far,
        ),
    )


def _course(offsets: Ints, written_ms: Ints, timely_end_ms: Ints, so_far_ms: Ints) -> pd.DataFrame:
    """Sum N consecutive valid records up by second; `so_far_ms` has N + 1 highest times."""
    # A producer's times may go back.
    at_ms = np.maximum.accumulate(written_ms)
    seconds = at_ms // 1000
    first = np.flatnonzero(np.diff(seconds, prepend=seconds[:1] - 1))
    last = np.append(first[1:], len(offsets)) - 1 if len(first) else first
    return pd.DataFrame(
        {
            "first_offset": offsets[first],
            "first_ms": at_ms[first],
            "last_ms": at_ms[last],
            "latest_end_ms": np.maximum.reduceat(timely_end_ms, first) if len(first) else first,
            "highest_before_ms": so_far_ms[first],
            "highest_ms": so_far_ms[last + 1],
        }
    )
