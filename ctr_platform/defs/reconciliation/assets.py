"""The windows' accuracy, verified by the recount, hour by hour."""

from datetime import UTC, datetime
from typing import Final

import dagster as dg

from ctr_platform.defs.catalog import (
    BY_DAGSTER,
    COUNTS_1MIN,
    COUNTS_5MIN,
    ERROR_EVENTS,
    LEDGER,
    OWNERS,
    QUALITY,
    RAW_EVENTS,
    RECOUNT_POOL,
    WINDOW_ACCURACY,
)
from ctr_platform.defs.reconciliation.metadata import metadata_of
from ctr_platform.defs.reconciliation.run import recount
from ctr_platform.defs.sensor_checks import evaluated_by_sensor
from ctr_platform.defs.table_metadata import table_metadata
from ctr_platform.resources import Platform

HOURS: Final = dg.HourlyPartitionsDefinition(start_date="2026-01-01-00:00", timezone="UTC", end_offset=1)
"""Up to the current hour. Windows of earlier hours are verified as well, when their recount changes."""


EXACT_CHECK: Final = dg.AssetCheckSpec(
    "windows_exact",
    asset=WINDOW_ACCURACY,
    description="Every window equals its recount; else it is an error until it does or is acknowledged.",
)
NO_GAPS_CHECK: Final = dg.AssetCheckSpec(
    "nothing_deleted_unread",
    asset=WINDOW_ACCURACY,
    description=(
        "Retention has deleted no record before the job, the recount and the merge had read it; else it is "
        "an error until acknowledged."
    ),
)
CONSERVED_CHECK: Final = dg.AssetCheckSpec(
    "records_conserved",
    asset=WINDOW_ACCURACY,
    description="The recount and the job's ledger say the same of every record: read, counted, late, dead.",
)


@dg.asset(
    key=WINDOW_ACCURACY,
    deps=[RAW_EVENTS, ERROR_EVENTS, COUNTS_1MIN, COUNTS_5MIN, LEDGER],
    group_name=QUALITY,
    kinds={"python", "postgres"},
    owners=OWNERS,
    tags=BY_DAGSTER,
    pool=RECOUNT_POOL,
    partitions_def=HOURS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    description=(
        "Every closed window compared with an independent recount of the raw topic. The service `follower` "
        "keeps it up to date; a run, for hours that a person asks for, verifies their windows besides those "
        "of the last day and of every hour whose recount has changed."
    ),
    metadata=table_metadata("quality.window_accuracy"),
)
def window_accuracy(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult[None]:
    """Recount what is new, and verify the chosen hours."""
    hours = [datetime.strptime(key, HOURS.fmt).replace(tzinfo=UTC) for key in context.partition_keys]
    done = recount(platform.settings(), hours)
    return dg.MaterializeResult(metadata=metadata_of(done))


accuracy_checks: Final = evaluated_by_sensor(
    "accuracy_checks", [EXACT_CHECK, CONSERVED_CHECK, NO_GAPS_CHECK], "report_reconciliation"
)
