"""The sensor that sees to it that the job runs."""

from datetime import UTC, datetime
from typing import Final

import dagster as dg

from ctr_platform.defs.platform import EVENT_SCHEMA, FLINK_JOB, MIGRATIONS, TOPICS, Platform
from ctr_platform.flink_cluster.rest import FlinkCluster
from ctr_platform.flink_cluster.transport import FlinkRefused, FlinkUnavailable
from flink.config import JOB_NAME

MAX_RUNTIME: Final = "dagster/max_runtime"
"""Dagster's tag for the seconds after which run monitoring ends a run."""

LOOK_EVERY_S: Final = 10
"""A missing job is noticed within this; a look is one REST call."""

FIRST_PAUSE_S: Final = 10
LONGEST_PAUSE_S: Final = 300
"""After failed runs the next waits 10, 20, 40 ... s, at most 5 minutes."""

LONGEST_RUN_S: Final = 300
"""Submitting and starting may take two minutes each; a run that takes longer hangs, and is ended."""

REMEMBERED_RUNS: Final = 6
"""More failures in a row than this do not lengthen the pause."""

bring_up_job: Final = dg.define_asset_job(
    "bring_up",
    selection=dg.AssetSelection.assets(TOPICS, EVENT_SCHEMA, MIGRATIONS, FLINK_JOB),
    executor_def=dg.in_process_executor,
    tags={MAX_RUNTIME: str(LONGEST_RUN_S)},
    description="Topics, schema, warehouse and the Flink job: whatever is missing of them. Harmless twice.",
)


@dg.sensor(
    job=bring_up_job,
    minimum_interval_seconds=LOOK_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=f"Starts {bring_up_job.name} when {JOB_NAME} is not alive on the cluster.",
)
def keep_job_running(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult:
    """Ask Flink; request a run where no job is alive and no run is on its way."""
    settings = platform.settings()
    try:
        with FlinkCluster(settings.flink_rest_url) as cluster:
            alive = cluster.alive(JOB_NAME)
    except (FlinkUnavailable, FlinkRefused) as away:
        return dg.SensorResult(skip_reason=str(away))
    if alive:
        return dg.SensorResult(
            skip_reason=", ".join(f"{JOB_NAME} is {job.state} as {job.id}" for job in alive)
        )
    reason = _why_wait(context.instance)
    if reason:
        return dg.SensorResult(skip_reason=reason)
    return dg.SensorResult(run_requests=[dg.RunRequest(tags={"ctr/why": "job missing"})])


def _why_wait(instance: dg.DagsterInstance) -> str | None:
    """Why no run may start now; None: it may."""
    records = instance.get_run_records(dg.RunsFilter(job_name=bring_up_job.name), limit=REMEMBERED_RUNS)
    if not records:
        return None
    newest = records[0].dagster_run
    if not newest.is_finished:
        return f"run {newest.run_id[:8]} is bringing it up"
    failures = 0
    for record in records:
        if record.dagster_run.is_success:
            break
        failures += 1
    ended = records[0].end_time
    if failures and ended is not None:
        pause = min(FIRST_PAUSE_S * 2 ** (failures - 1), LONGEST_PAUSE_S)
        left = pause - (datetime.now(UTC).timestamp() - ended)
        if left > 0:
            return f"{failures} run(s) failed in a row; the next in {left:.0f} s"
    return None
