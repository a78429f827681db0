"""The contract's rules of time, in the one place that gives their values; settings may change them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TimeRules:
    """Say when an event is late or invalid and when a window closes, to job and reconciliation alike."""

    out_of_orderness_ms: int = 10_000
    """How far the partition watermark trails the highest time of its partition."""

    partition_idle_ms: int = 15_000
    """A partition without a valid and timely record for this long no longer holds the job watermark."""

    straggler_after_ms: int = 300_000
    """Nor does one that is read to its end, with a watermark this far behind the newest for that long."""

    topic_idle_ms: int = 60_000
    """When no partition had a valid and timely record for this long, the last windows may close."""

    max_ahead_ms: int = 60_000
    """An event further ahead of the moment at which the broker wrote it is invalid."""

    earliest_ms: int = 946_684_800_000
    """An earlier event is invalid: the year 2000 tells seconds, and clocks never set, from milliseconds."""
