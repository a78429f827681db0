"""The table of merged late events."""

import dagster as dg

from contract.settings import load_settings
from ctr_platform.defs.catalog import ACCOUNTING, BY_DAGSTER, ERROR_EVENTS, LATE_EVENTS, OWNERS
from ctr_platform.defs.table_metadata import stream_table_metadata
from warehouse.stream_tables import StreamTables


@dg.definitions
def defs() -> dg.Definitions:
    """Define the table, with the columns that the stream declares."""
    tables = StreamTables.of(load_settings().declared_stream())
    late_events = dg.AssetSpec(
        LATE_EVENTS,
        deps=[ERROR_EVENTS],
        group_name=ACCOUNTING,
        kinds={"postgres"},
        owners=OWNERS,
        tags=BY_DAGSTER,
        description="Late events that `merge_late_events` has merged into their closed windows, by "
        "coordinates.",
        metadata=stream_table_metadata(tables, "realtime.late_events"),
    )
    return dg.Definitions(assets=[late_events])
