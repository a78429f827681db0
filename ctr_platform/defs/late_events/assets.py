"""The table of merged late events."""

from typing import Final

import dagster as dg

from ctr_platform.defs.platform import BY_DAGSTER, ERROR_EVENTS, FATES, LATE_EVENTS, OWNERS

LATE_EVENTS_TABLE: Final = dg.AssetSpec(
    LATE_EVENTS,
    deps=[ERROR_EVENTS],
    group_name=FATES,
    kinds={"postgres"},
    owners=OWNERS,
    tags=BY_DAGSTER,
    description="Late events that the job `merge_late` has merged into their closed windows, by coordinates.",
    metadata={"dagster/table_name": "realtime.late_events"},
)
