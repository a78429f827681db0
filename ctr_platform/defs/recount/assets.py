"""The windows' accuracy, proved by the recount, hour by hour."""

from datetime import UTC, datetime
from typing import Any, Final

import dagster as dg

from ctr_platform.defs.platform import (
    BY_DAGSTER,
    COUNTS_1MIN,
    COUNTS_5MIN,
    ERROR_EVENTS,
    FATES,
    LEDGER,
    OWNERS,
    RAW_EVENTS,
    RECOUNT_POOL,
    WINDOW_ACCURACY,
    Platform,
)
from ctr_platform.recount.run import Recount, recount

HOURS: Final = dg.HourlyPartitionsDefinition(start_date="2026-01-01-00:00", timezone="UTC", end_offset=1)
"""Up to the current hour. Windows of earlier hours are verified as well, when their recount changes."""


@dg.asset(
    key=WINDOW_ACCURACY,
    deps=[RAW_EVENTS, ERROR_EVENTS, COUNTS_1MIN, COUNTS_5MIN, LEDGER],
    group_name=FATES,
    kinds={"python", "postgres"},
    owners=OWNERS,
    tags=BY_DAGSTER,
    pool=RECOUNT_POOL,
    partitions_def=HOURS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    description=(
        "Every closed window compared with an independent recount of the raw topic. A run reads what is new "
        "since the last one, and verifies the windows of its hours, of the last day and of every hour whose "
        "recount has changed."
    ),
    metadata={"dagster/table_name": "quality.window_accuracy"},
)
def window_accuracy(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult[None]:
    """Recount, verify, and say how exact the windows are."""
    hours = [datetime.strptime(key, HOURS.fmt).replace(tzinfo=UTC) for key in context.partition_keys]
    return dg.MaterializeResult(metadata=_metadata(recount(platform.settings(), hours)))


def _metadata(done: Recount) -> dict[str, Any]:
    reading, verification = done.reading, done.verification
    metadata: dict[str, Any] = {
        "lowest_accuracy": float(verification.lowest_accuracy),
        "windows_verified": verification.windows,
        "windows_inexact": verification.inexact,
        "impressions_expected": verification.impressions,
        "new_results": verification.noted,
        "records_read": reading.records,
        "letters_read": reading.letters,
        "late_after_idleness": reading.after_idleness,
        "partitions_behind": len(reading.behind),
        "seconds": round(reading.seconds, 3),
        "records_per_second": round(reading.records / reading.seconds) if reading.seconds else 0,
        **{name: count for name, count in reading.fates.items() if name != "records_read"},
    }
    if done.closed_until is not None:
        metadata["closed_until"] = dg.MetadataValue.timestamp(done.closed_until)
    if done.provable_from is not None:
        metadata["provable_from"] = dg.MetadataValue.timestamp(done.provable_from)
    return metadata
