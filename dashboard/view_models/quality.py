"""What the quality page shows: verifications and the outcomes of records of a span."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from contract.errors import WarehouseUnavailable
from warehouse.windows import WINDOW_MINUTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboard.view_models.live import Stores
    from dashboard.view_models.outages import Outage
    from warehouse.quality_reads import OutcomeCounts, Verification
    from warehouse.windows import WindowType

BARS: Final = 60
"""A chart of outcomes has so many bars: one a minute in an hour."""


@dataclass(frozen=True, kw_only=True)
class QualityData:
    """A span of the platform's record."""

    at_s: float
    """When it was read, s since the epoch."""
    bucket: timedelta
    """Width of a bar of outcomes."""
    verifications: Mapping[WindowType, tuple[Verification, ...]]
    """By window type, the newest first."""
    outcomes: tuple[OutcomeCounts, ...] = ()
    """The oldest first."""
    outages: tuple[Outage, ...] = ()

    def total(self, outcome: str) -> int:
        """Sum one of the outcomes over the span."""
        return sum(getattr(each, outcome) for each in self.outcomes)


def load_quality(span: timedelta, stores: Stores) -> QualityData:
    """Read Postgres: what was verified, and what became of the records, in the span until now."""
    at_s = time.time()
    now = datetime.fromtimestamp(at_s, tz=UTC)
    bucket = span / BARS
    nothing: dict[WindowType, tuple[Verification, ...]] = dict.fromkeys(WINDOW_MINUTES, ())
    try:
        # A week of 1 min windows is more than one may read, or tell apart.
        verifications = {
            window_type: tuple(stores.quality.verifications(window_type, now - span, now))
            for window_type, minutes in WINDOW_MINUTES.items()
            if span <= timedelta(days=1) or timedelta(minutes=minutes) > timedelta(minutes=1)
        }
        outcomes = tuple(stores.quality.outcomes(now - span, bucket))
        stores.outages.back("Postgres")
    except WarehouseUnavailable as error:
        outage = stores.outages.away("Postgres", error)
        return QualityData(at_s=at_s, bucket=bucket, verifications=nothing, outages=(outage,))
    return QualityData(at_s=at_s, bucket=bucket, verifications=nothing | verifications, outcomes=outcomes)
