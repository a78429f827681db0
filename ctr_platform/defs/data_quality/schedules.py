"""A report every five minutes."""

from typing import Final

import dagster as dg

from ctr_platform.defs.catalog import QUALITY_REPORT, skip_while_running

LONGEST_RUN_S: Final = 300
"""A report takes seconds; one that hangs makes room for the next."""

report_job: Final = dg.define_asset_job(
    "quality_report",
    selection=dg.AssetSelection.assets(QUALITY_REPORT),
    executor_def=dg.in_process_executor,
    tags={"dagster/max_runtime": str(LONGEST_RUN_S)},
    description="Judges every store by the rules and publishes the report.",
)


@dg.schedule(
    job=report_job,
    cron_schedule="*/5 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Publishes a quality report every five minutes; one that takes longer is not overtaken.",
)
def report_every_5_minutes(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Ask for a report, unless one is being made."""
    return skip_while_running(context, report_job.name) or dg.RunRequest()
