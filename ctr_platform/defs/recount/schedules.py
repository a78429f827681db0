"""The recount follows the stream, every minute."""

from typing import Final

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
)

from ctr_platform.defs.platform import WINDOW_ACCURACY, skip_while_at_work
from ctr_platform.defs.recount.assets import HOURS

LONGEST_RUN_S: Final = 900
"""A pass over a day's backlog takes minutes; one that hangs is ended, and nothing of it is lost."""

HOURS_AT_ONCE: Final = 2
"""The last windows of an hour close in the next one."""

recount_job: Final = dg.define_asset_job(
    "recount",
    selection=dg.AssetSelection.assets(WINDOW_ACCURACY),
    executor_def=dg.in_process_executor,
    tags={"dagster/max_runtime": str(LONGEST_RUN_S)},
    description="Counts what is new in the raw topic and verifies the closed windows.",
)


@dg.schedule(
    job=recount_job,
    cron_schedule="* * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Recounts what is new every minute; a pass that takes longer is not overtaken.",
)
def recount_every_minute(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Ask for a pass over this hour and the one before, unless one is at work."""
    if at_work := skip_while_at_work(context, recount_job.name):
        return at_work
    keys = HOURS.get_partition_keys(current_time=context.scheduled_execution_time)[-HOURS_AT_ONCE:]
    return dg.RunRequest(
        tags={ASSET_PARTITION_RANGE_START_TAG: keys[0], ASSET_PARTITION_RANGE_END_TAG: keys[-1]}
    )
