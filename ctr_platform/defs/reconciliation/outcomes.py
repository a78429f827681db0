"""What becomes of the records of one partition, by the contract's rules, many at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from ctr_platform.defs.reconciliation.decode import VALID

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from contract.time_rules import TimeRules
    from ctr_platform.defs.reconciliation.decode import Decoded

    Ints = NDArray[np.int64]

MINUTE_MS: Final = 60_000
BEFORE_ALL_MS: Final = -(2**62)
"""The highest event time while there is none: nothing is late against it."""

SEGMENT: Final = ["window_start_ms", "site_category", "device_type"]
REASONS: Final = ("malformed", "unknown_schema", "invalid")


@dataclass(frozen=True)
class PartitionOutcomes:
    """What became of consecutive records of one partition."""

    counts: pd.DataFrame
    """Columns `SEGMENT`, `impressions`, `clicks`: one row per segment of a minute."""

    late: pd.DataFrame
    """Columns `offset`, `SEGMENT`, `click`: one row per late record."""

    totals: dict[str, int]
    """`records_read, counted, late, malformed, unknown_schema, invalid`; the last five make up the first."""

    highest_event_time_ms: int
    last_valid_ms: int | None
    """The broker's time of the last valid record."""


def decide(
    decoded: Decoded, offsets: Ints, broker_ms: Ints, highest_before_ms: int, rules: TimeRules
) -> PartitionOutcomes:
    """Decide the outcome of records in offset order.

    Args:
        decoded: what the N records say.
        offsets: of the records, ascending; int64[N].
        broker_ms: when the broker wrote them, ms since the epoch; int64[N].
        highest_before_ms: highest event time of a valid record at a lower offset, or `BEFORE_ALL_MS`.
        rules: when an event is late, and when its time is none.
    """
    dead = decoded.dead.copy()
    readable = dead == VALID
    click, timestamp = decoded.click, decoded.timestamp_ms
    in_time = (timestamp >= rules.earliest_ms) & (timestamp <= broker_ms + rules.max_ahead_ms)
    sound = ((click == 0) | (click == 1)) & in_time
    dead[readable & ~sound] = "invalid"
    valid = readable & sound

    times = timestamp[valid]
    so_far = np.maximum.accumulate(np.concatenate(([highest_before_ms], times)))
    start = times - times % MINUTE_MS
    late = start + MINUTE_MS <= so_far[:-1] - rules.out_of_orderness_ms

    events = pd.DataFrame(
        {
            "offset": offsets[valid],
            "window_start_ms": start,
            "site_category": decoded.category[valid],
            "device_type": decoded.device_type[valid],
            "click": click[valid],
        }
    )
    counted = events[~late].groupby(SEGMENT, sort=False)["click"].agg(["size", "sum"]).reset_index()
    counted.columns = pd.Index([*SEGMENT, "impressions", "clicks"])
    return PartitionOutcomes(
        counts=counted,
        late=events[late],
        totals={
            "records_read": len(dead),
            "counted": int((~late).sum()),
            "late": int(late.sum()),
            **{reason: int((dead == reason).sum()) for reason in REASONS},
        },
        highest_event_time_ms=int(so_far[-1]),
        last_valid_ms=int(broker_ms[valid][-1]) if len(times) else None,
    )
