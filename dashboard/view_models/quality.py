"""What the quality page shows: verifications and the fates of records of a span."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from warehouse.errors import WarehouseUnavailable
from warehouse.windows import WINDOW_MINUTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboard.content.board import Stores
    from dashboard.content.outages import Outage
    from warehouse.quality_reads import Fates, Verification
    from warehouse.windows import WindowType

BARS: Final = 60
"""Of a chart of fates: one a minute in an hour."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """A span of the platform's record."""

    at_s: float
    """When it was read, s since the epoch."""
    bucket: timedelta
    """Of the fates."""
    verifications: Mapping[WindowType, tuple[Verification, ...]]
    """By window type, the newest first."""
    fates: tuple[Fates, ...] = ()
    """The oldest first."""
    outages: tuple[Outage, ...] = ()

    def total(self, fate: str) -> int:
        """Sum one of the fates over the span."""
        return sum(getattr(each, fate) for each in self.fates)


def load_record(span: timedelta, stores: Stores) -> Record:
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
        fates = tuple(stores.quality.fates(now - span, bucket))
        stores.outages.back("Postgres")
    except WarehouseUnavailable as error:
        outage = stores.outages.away("Postgres", error)
        return Record(at_s=at_s, bucket=bucket, verifications=nothing, outages=(outage,))
    return Record(at_s=at_s, bucket=bucket, verifications=nothing | verifications, fates=fates)
