"""The job that recomputes chosen hours, and the table of what it has changed."""

from typing import Any, Final

import dagster as dg
from pydantic import Field

from ctr_platform.defs.backfill.hours import HourRange
from ctr_platform.defs.backfill.run import backfill
from ctr_platform.defs.catalog import (
    ACCOUNTING,
    BACKFILL_POOL,
    BY_DAGSTER,
    OWNERS,
    RAW_EVENTS,
    REPAIRED_WINDOWS,
    WINDOW_ACCURACY,
)
from ctr_platform.defs.operations import OperationConfig, moment, operation_job
from ctr_platform.defs.table_metadata import table_metadata
from ctr_platform.resources import Platform

LONGEST_RUN_S: Final = 7200
"""The recomputation has an hour, and the recount before it reads what is new."""

BACKFILLS_TABLE: Final = dg.AssetSpec(
    REPAIRED_WINDOWS,
    deps=[RAW_EVENTS, WINDOW_ACCURACY],
    group_name=ACCOUNTING,
    kinds={"flink", "postgres"},
    owners=OWNERS,
    tags=BY_DAGSTER,
    description="Hours that `backfill_hours` has recomputed from the topic, and what it changed in them.",
    metadata=table_metadata("quality.repairs"),
)


class BackfillConfig(OperationConfig):
    """Which hours, and whether to change them."""

    first_hour: str = Field(description="Start of the first hour, such as 2026-01-31T09:00Z.")
    last_hour: str = Field(
        default="", description="Start of the last hour, such as 2026-01-31T11:00Z; empty: the first alone."
    )


@dg.op(pool=BACKFILL_POOL, description="Recomputes hours from the topic, and replaces exactly their windows.")
def backfill_hours(context: dg.OpExecutionContext, config: BackfillConfig, platform: Platform) -> None:
    """Recompute, compare, and unless it is a dry run replace."""
    hours = HourRange.of(moment(config.first_hour), moment(config.last_hour or config.first_hour))
    done = backfill(platform.settings(), hours, dry_run=config.dry_run)
    metadata: dict[str, Any] = {
        "dry_run": config.dry_run,
        "from": dg.MetadataValue.timestamp(hours.first),
        "until": dg.MetadataValue.timestamp(hours.last),
        "rows_deleted": done.rows_deleted,
        "rows_inserted": done.rows_inserted,
        "rows_changed": done.rows_changed,
        "windows_changed": done.windows_changed,
        "staging_job": done.staging_job,
    }
    context.add_output_metadata(metadata)
    if not config.dry_run:
        context.log_event(dg.AssetMaterialization(REPAIRED_WINDOWS, metadata=metadata))


BACKFILL_JOB: Final = operation_job(
    backfill_hours,
    description=(
        "For hours that the accuracy check shows red: a bounded job beside the live one recomputes them from "
        "the topic, then one transaction replaces exactly their windows. Open hours, and those beyond the "
        "topic's retention, are refused."
    ),
    max_runtime_s=LONGEST_RUN_S,
)
