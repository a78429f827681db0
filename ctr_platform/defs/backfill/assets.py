"""Hours recomputed from the topic, where the warehouse's windows were wrong."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
from pydantic import Field

from ctr_platform.defs.backfill.hours import HourRange
from ctr_platform.defs.backfill.run import BackfillResult, backfill
from ctr_platform.defs.catalog import (
    ACCOUNTING,
    BY_DAGSTER,
    CLUSTER_POOL,
    OWNERS,
    RAW_EVENTS,
    REPAIRED_WINDOWS,
    WINDOW_ACCURACY,
)
from ctr_platform.defs.reconciliation.assets import HOURS
from ctr_platform.defs.reconciliation.verify import hour_ranges
from ctr_platform.resources import Platform


class RepairConfig(dg.Config):
    """How to repair."""

    dry_run: bool = Field(default=False, description="Recompute and compare, and change nothing.")


@dg.asset(
    key=REPAIRED_WINDOWS,
    deps=[RAW_EVENTS, WINDOW_ACCURACY],
    group_name=ACCOUNTING,
    kinds={"flink", "postgres"},
    owners=OWNERS,
    tags=BY_DAGSTER,
    pool=CLUSTER_POOL,
    partitions_def=HOURS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    description=(
        "For hours that the accuracy check shows red: a bounded job beside the live one recomputes them from "
        "the topic, then one transaction replaces exactly their windows. Open hours, and those beyond the "
        "topic's retention, are refused."
    ),
    metadata={"dagster/table_name": "quality.repairs"},
)
def repaired_windows(
    context: dg.AssetExecutionContext, platform: Platform, config: RepairConfig
) -> dg.MaterializeResult[None]:
    """Repair every contiguous span of the chosen hours."""
    hours = [datetime.strptime(key, HOURS.fmt).replace(tzinfo=UTC) for key in context.partition_keys]
    settings = platform.settings()
    done = [
        backfill(settings, HourRange(*hour_range), dry_run=config.dry_run)
        for hour_range in hour_ranges(hours)
    ]
    return dg.MaterializeResult(metadata={"dry_run": config.dry_run, **_metadata(done)})


def _metadata(done: list[BackfillResult]) -> dict[str, Any]:
    figures = ("rows_deleted", "rows_inserted", "rows_changed", "windows_changed")
    return {
        **{name: sum(getattr(each, name) for each in done) for name in figures},
        "spans": [
            f"{each.hour_range.first:%Y-%m-%d %H:%M} to {each.hour_range.last:%Y-%m-%d %H:%M}"
            for each in done
        ],
        "staging_jobs": [each.staging_job for each in done],
    }
