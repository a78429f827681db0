"""The job that deletes what is older than the settings keep it, and its schedule."""

from dataclasses import asdict
from typing import Final

import dagster as dg

from ctr_platform.defs.operations import OperationConfig, operation_job
from ctr_platform.defs.retention.dagster_storage import purge
from ctr_platform.defs.retention.retention import discard
from ctr_platform.resources import Platform

LONGEST_RUN_S: Final = 3600
"""A first night has a month of runs to delete, some ten a second."""


@dg.op
def apply_retention(context: dg.OpExecutionContext, config: OperationConfig, platform: Platform) -> None:
    """Delete old snapshots, releases and rows, and what is old of Dagster's own storage.

    In no pool, and without the tag of operations: the recovery of the job never waits for it. See
    `old_snapshots` for why that is safe.
    """
    settings = platform.settings()
    context.log.info("look for old snapshots, releases and rows")
    done = discard(settings, dry_run=config.dry_run)
    context.log.info("look for old runs, events and evaluations in Dagster's storage")
    purged = purge(context.instance, settings, dry_run=config.dry_run)
    dagster = {f"dagster_{name}": count for name, count in asdict(purged).items()}
    context.add_output_metadata({"dry_run": config.dry_run, **asdict(done), **dagster})


RETENTION_JOB: Final = operation_job(
    apply_retention,
    description="Delete snapshots, releases, rows, runs and events that the settings no longer keep.",
    max_runtime_s=LONGEST_RUN_S,
)

daily_retention: Final = dg.ScheduleDefinition(
    name="daily_retention",
    job=RETENTION_JOB,
    cron_schedule="30 3 * * *",
    run_config=dg.RunConfig(ops={RETENTION_JOB.name: OperationConfig(dry_run=False)}),
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night, what is older than the settings keep it goes.",
)
