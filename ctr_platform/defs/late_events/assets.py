"""The table of merged late events."""

from typing import Final

import dagster as dg

from ctr_platform.defs.catalog import ACCOUNTING, BY_DAGSTER, ERROR_EVENTS, LATE_EVENTS, OWNERS
from ctr_platform.defs.table_metadata import table_metadata

LATE_EVENTS_TABLE: Final = dg.AssetSpec(
    LATE_EVENTS,
    deps=[ERROR_EVENTS],
    group_name=ACCOUNTING,
    kinds={"postgres"},
    owners=OWNERS,
    tags=BY_DAGSTER,
    description="Late events that `merge_late_events` has merged into their closed windows, by coordinates.",
    metadata=table_metadata("realtime.late_events"),
)
