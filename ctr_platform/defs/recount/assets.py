"""The windows' accuracy, proved by the recount, hour by hour."""

from dataclasses import asdict
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
    table_of,
)
from ctr_platform.recount.run import Recount, recount

HOURS: Final = dg.HourlyPartitionsDefinition(start_date="2026-01-01-00:00", timezone="UTC", end_offset=1)
"""Up to the current hour. Windows of earlier hours are verified as well, when their recount changes."""


EXACT_CHECK: Final = dg.AssetCheckSpec(
    "windows_exact",
    asset=WINDOW_ACCURACY,
    description="Every window equals its recount: a warning below 100 %, a failure below the alarm.",
)
CONSERVED_CHECK: Final = dg.AssetCheckSpec(
    "records_conserved",
    asset=WINDOW_ACCURACY,
    description="The recount and the job's ledger say the same of every record: read, counted, late, dead.",
)


@dg.asset(
    key=WINDOW_ACCURACY,
    deps=[RAW_EVENTS, ERROR_EVENTS, COUNTS_1MIN, COUNTS_5MIN, LEDGER],
    group_name=FATES,
    kinds={"python", "postgres"},
    owners=OWNERS,
    tags=BY_DAGSTER,
    pool=RECOUNT_POOL,
    partitions_def=HOURS,
    check_specs=[EXACT_CHECK, CONSERVED_CHECK],
    backfill_policy=dg.BackfillPolicy.single_run(),
    description=(
        "Every closed window compared with an independent recount of the raw topic. A run reads what is new "
        "since the last one, and verifies the windows of its hours, of the last day and of every hour whose "
        "recount has changed."
    ),
    metadata={"dagster/table_name": "quality.window_accuracy"},
)
# Beside a check's result Dagster reads no parameter of the type.
def window_accuracy(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Recount, verify, and say how exact the windows are."""
    hours = [datetime.strptime(key, HOURS.fmt).replace(tzinfo=UTC) for key in context.partition_keys]
    settings = platform.settings()
    done = recount(settings, hours)
    return dg.MaterializeResult(
        metadata=_metadata(done),
        check_results=[_exact(done, settings.accuracy_alarm_percent), _conserved(done)],
    )


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


def _exact(done: Recount, alarm_percent: float) -> dg.AssetCheckResult:
    below_alarm = done.verification.lowest_accuracy < alarm_percent
    return dg.AssetCheckResult(
        check_name=EXACT_CHECK.name,
        passed=done.verification.inexact == 0,
        severity=dg.AssetCheckSeverity.ERROR if below_alarm else dg.AssetCheckSeverity.WARN,
        metadata={
            "windows": done.verification.windows,
            "inexact": done.verification.inexact,
            "lowest_accuracy": float(done.verification.lowest_accuracy),
            **({"worst": table_of([asdict(each) for each in done.worst])} if done.worst else {}),
        },
    )


def _conserved(done: Recount) -> dg.AssetCheckResult:
    uneven = [each for each in done.balances if not each.even]
    return dg.AssetCheckResult(
        check_name=CONSERVED_CHECK.name,
        passed=not uneven,
        metadata={
            "partitions_compared": len(done.balances),
            **{f"partition {each.partition}: recount minus ledger": asdict(each) for each in uneven},
        },
    )
