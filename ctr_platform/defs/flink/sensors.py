"""The supervisor: the sensor that sees to it that the job does its work."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import dagster as dg

from ctr_platform.defs.flink.checks import KEPT_ALIVE
from ctr_platform.defs.platform import EVENT_SCHEMA, FLINK_JOB, MIGRATIONS, TOPICS, Platform
from ctr_platform.flink_cluster.health import Health, examine
from ctr_platform.flink_cluster.rest import FlinkCluster
from ctr_platform.flink_cluster.transport import FlinkRefused, FlinkUnavailable
from flink.config import JOB_NAME

MAX_RUNTIME: Final = "dagster/max_runtime"
"""Dagster's tag for the seconds after which run monitoring ends a run."""

WHY: Final = "ctr/why"
"""Tag of a run that the supervisor has asked for: the problem."""

LOOK_EVERY_S: Final = 10
"""A missing job is noticed within this; a look is one to three REST calls."""

FIRST_PAUSE_S: Final = 10
LONGEST_PAUSE_S: Final = 300
"""After one restart the next waits 10 s, then 20, 40 ... s, at most 5 minutes."""

LONGEST_RUN_S: Final = 300
"""Submitting and starting may take two minutes each; a run that takes longer hangs, and is ended."""

MAX_RESTARTS: Final = 5
RESTARTS_WITHIN_S: Final = 1800
"""So many restarts in half an hour did not help, and the next will not: a person has to look."""

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
    description=(
        f"Starts {bring_up_job.name} when {JOB_NAME} is missing, doubled, restarting in a loop, or completes "
        f"no checkpoint; gives up, and says so, after {MAX_RESTARTS} restarts in half an hour."
    ),
)
def keep_job_running(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult:
    """Ask Flink; request a run where the job does not do its work and nothing speaks against a restart."""
    settings = platform.settings()
    try:
        with FlinkCluster(settings.flink_rest_url) as cluster:
            health = examine(cluster, settings)
    except (FlinkUnavailable, FlinkRefused) as away:
        return dg.SensorResult(skip_reason=str(away), cursor=context.cursor)
    if health.problem is None:
        return _told(context, health, reason=health.detail)
    runs = context.instance.get_run_records(dg.RunsFilter(job_name=bring_up_job.name), limit=MAX_RESTARTS)
    if runs and not runs[0].dagster_run.is_finished:
        return _told(context, health, reason=f"run {runs[0].dagster_run.run_id[:8]} is bringing it up")
    restarts = _restarts(runs)
    if _gave_up(context) or len(restarts) >= MAX_RESTARTS:
        reason = (
            f"gave up: {health.problem} ({health.detail}) after {MAX_RESTARTS} restarts within "
            f"{RESTARTS_WITHIN_S // 60} min; find out why, then materialize {FLINK_JOB.to_user_string()}"
        )
        return _told(context, health, reason=reason, gave_up=True)
    if pause := _pause_s(restarts):
        return _told(context, health, reason=f"{health.problem}; the next restart in {pause:.0f} s")
    request = dg.RunRequest(
        tags={WHY: health.problem},
        run_config={"ops": {FLINK_JOB.to_python_identifier(): {"config": {"replace": list(health.end)}}}},
    )
    return _told(context, health, request=request)


def _told(
    context: dg.SensorEvaluationContext,
    health: Health,
    *,
    reason: str | None = None,
    request: dg.RunRequest | None = None,
    gave_up: bool = False,
) -> dg.SensorResult:
    """The tick's result; that the supervisor gave up, or no longer has to, is a result of its check."""
    changed = gave_up != _gave_up(context)
    event = dg.AssetCheckEvaluation(
        asset_key=FLINK_JOB,
        check_name=KEPT_ALIVE,
        passed=not gave_up,
        description=reason if gave_up else health.detail,
    )
    return dg.SensorResult(
        skip_reason=None if request else reason,
        run_requests=[request] if request else [],
        asset_events=[event] if changed else [],
        cursor=json.dumps({"gave_up": gave_up}),
    )


def _gave_up(context: dg.SensorEvaluationContext) -> bool:
    return bool(context.cursor and json.loads(context.cursor)["gave_up"])


def _restarts(runs: Sequence[dg.RunRecord]) -> list[dg.RunRecord]:
    """What the supervisor asked for lately, newest first, since a person last started a run."""
    since = datetime.now(UTC).timestamp() - RESTARTS_WITHIN_S
    restarts = []
    for run in runs:
        if WHY not in run.dagster_run.tags or run.create_timestamp.timestamp() < since:
            break
        restarts.append(run)
    return restarts


def _pause_s(restarts: Sequence[dg.RunRecord]) -> float:
    """How long the next restart has to wait."""
    if not restarts or restarts[0].end_time is None:
        return 0
    pause = float(min(FIRST_PAUSE_S * 2 ** (len(restarts) - 1), LONGEST_PAUSE_S))
    return max(0.0, pause - (datetime.now(UTC).timestamp() - restarts[0].end_time))
