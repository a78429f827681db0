"""The supervisor: the sensor that sees to it that the job does its work."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Final

import dagster as dg

from contract.errors import FlinkRefused, FlinkUnavailable, WarehouseUnavailable
from contract.settings import Settings
from ctr_platform.defs.alerts.heartbeats import record_heartbeat
from ctr_platform.defs.catalog import (
    EVENT_SCHEMA,
    FLINK_JOB,
    LONGEST_TAG,
    MAX_RUNTIME,
    MIGRATIONS,
    OPERATES,
    TOPICS,
)
from ctr_platform.defs.flink_job.assets import DETAIL, WHY
from ctr_platform.defs.flink_job.checks import BY_SUPERVISOR, FLINK_ANSWERS, JOB_HEALTH, SUPERVISED
from ctr_platform.defs.flink_job.dependencies import unavailable
from ctr_platform.defs.flink_job.desired_state import current_desired_state
from ctr_platform.defs.flink_job.liveness import Health, JobProgress, check_liveness
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.submitted_jobs import record_job
from ctr_platform.resources import Platform
from flink.config import JOB_NAME
from warehouse.models.operation import SUPERVISOR

LOOK_EVERY_S: Final = 10
"""A missing job is noticed within this; a look is half a dozen small requests."""

FIRST_PAUSE_S: Final = 10
LONGEST_PAUSE_S: Final = 300
"""After one restart the next waits 10 s, then 20, 40 ... s, at most 5 minutes."""

LONGEST_RUN_S: Final = 300
"""Submitting and starting may take two minutes each; a run that takes longer hangs, and is ended."""

FINISHED: Final = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}

MAX_RESTARTS: Final = 5
RESTARTS_WITHIN_S: Final = 1800
"""So many restarts in half an hour did not help, and the next will not: a person has to look."""

bring_up_job: Final = dg.define_asset_job(
    "bring_up",
    # Without the checks that sensors evaluate: of a job that has just begun they know nothing yet.
    selection=dg.AssetSelection.assets(TOPICS, EVENT_SCHEMA, MIGRATIONS, FLINK_JOB)
    - dg.AssetSelection.checks(*(spec.key for spec in (*BY_SUPERVISOR, *JOB_HEALTH))),
    executor_def=dg.in_process_executor,
    tags={MAX_RUNTIME: str(LONGEST_RUN_S), OPERATES: "true"},
    description="Topics, schema, warehouse and the Flink job: whatever is missing of them. Harmless twice.",
)


@dg.sensor(
    job=bring_up_job,
    minimum_interval_seconds=LOOK_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        f"Starts {bring_up_job.name} when {JOB_NAME} is missing, runs twice, restarts again and again, halts "
        "or completes no checkpoint, unless it was stopped on purpose; gives up, and says so, "
        f"after {MAX_RESTARTS} restarts in half an hour."
    ),
)
def keep_job_running(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult:
    """Look, note that somebody has looked, and ask for a run where one helps."""
    settings = platform.settings()
    try:
        result = _checked(context, settings)
    except (FlinkUnavailable, FlinkRefused) as absent:
        # Nothing is known of the job.
        result = _without_flink(context, settings, str(absent))
    except WarehouseUnavailable as absent:
        # Nothing is known of what is wanted of the job.
        result = dg.SensorResult(skip_reason=str(absent), cursor=context.cursor)
    with suppress(WarehouseUnavailable):
        record_heartbeat(settings, SUPERVISOR, _in_a_line(result))
    return result


def _checked(context: dg.SensorEvaluationContext, settings: Settings) -> dg.SensorResult:
    """Ask Flink; request a run where the job does not do its work and nothing speaks against a restart."""
    memory = _memory(context)
    desired = current_desired_state(settings)
    with FlinkCluster(settings.flink_rest_url) as cluster:
        health = check_liveness(cluster, settings, memory.progress)
    if desired and health.job_id and (memory.progress is None or memory.progress.job_id != health.job_id):
        # Whoever submitted it may have died before that was on record: its snapshots would be nobody's.
        record_job(settings, health.job_id, desired.deployment_id)
    memory = replace(memory, progress=health.progress)
    if desired is not None and not desired.running:
        return _reported(health, memory, reason=f"stopped on purpose: {desired.why}")
    if health.problem is None:
        return _reported(health, replace(memory, gave_up=False), reason=health.detail)
    if reason := _operation_in_progress(context.instance):
        return _reported(health, memory, reason=reason)
    runs = context.instance.get_run_records(dg.RunsFilter(job_name=bring_up_job.name), limit=MAX_RESTARTS)
    restarts = _restarts(runs)
    if memory.gave_up or len(restarts) >= MAX_RESTARTS:
        memory = replace(memory, gave_up=True)
        reason = (
            f"gave up: {health.problem} ({health.detail}) after {MAX_RESTARTS} restarts within "
            f"{RESTARTS_WITHIN_S // 60} min; find out why, then materialize {FLINK_JOB.to_user_string()}"
        )
    else:
        reason = _why_not_yet(settings, restarts)
    if reason:
        return _reported(health, memory, reason=reason)
    request = dg.RunRequest(
        # Two daemons that see the same, ask for the same run: Dagster starts one of them.
        run_key=f"{health.problem} {'+'.join(health.end)} after {runs[0].dagster_run.run_id if runs else 0}",
        tags={WHY: health.problem, DETAIL: health.detail[:LONGEST_TAG]},
        run_config={"ops": {FLINK_JOB.to_python_identifier(): {"config": {"replace": list(health.end)}}}},
    )
    return _reported(health, memory, request=request)


def _operation_in_progress(instance: dg.DagsterInstance) -> str | None:
    """The run that is ending or starting the job."""
    under_way = [status for status in dg.DagsterRunStatus if status not in FINISHED]
    operations = dg.RunsFilter(tags={OPERATES: "true"}, statuses=under_way)
    for run in instance.get_runs(operations, limit=1):
        return f"run {run.run_id[:8]} ({run.job_name}) is in progress"
    return None


def _why_not_yet(settings: Settings, restarts: Sequence[dg.RunRecord]) -> str | None:
    """What speaks against a restart at this moment."""
    if missing := unavailable(settings):
        return f"the job is in trouble, and so is {' and '.join(missing)}: a restart would not help"
    if pause := _pause_s(restarts):
        return f"the next restart in {pause:.0f} s"
    return None


@dataclass(frozen=True, kw_only=True)
class _Memory:
    """What the sensor knows from its last look: its cursor."""

    gave_up: bool = False
    notified: bool | None = None
    """Whether the check says that it gave up; None: it says nothing yet."""

    flink_absent_since_s: float | None = None
    """Since the epoch: when it first did not answer; None: it does."""

    flink_answers: bool | None = None
    """What that check says; None: nothing yet."""

    progress: JobProgress | None = None


def _memory(context: dg.SensorEvaluationContext) -> _Memory:
    if not context.cursor:
        return _Memory()
    values = json.loads(context.cursor)
    progress = values.pop("progress")
    with suppress(TypeError):  # a cursor of another version: nothing is remembered
        return _Memory(**values, progress=JobProgress(**progress) if progress else None)
    return _Memory()


def _without_flink(context: dg.SensorEvaluationContext, settings: Settings, reason: str) -> dg.SensorResult:
    """The tick's result where Flink does not answer: an error once that is no restart any more."""
    memory = _memory(context)
    now_s = datetime.now(UTC).timestamp()
    since_s = memory.flink_absent_since_s or now_s
    memory = replace(memory, flink_absent_since_s=since_s)
    absent_s = now_s - since_s
    events = []
    if absent_s > settings.heartbeat_alarm and memory.flink_answers is not False:
        memory = replace(memory, flink_answers=False)
        events = [_flink_answers(passed=False, description=f"{reason} (for {absent_s:.0f} s)")]
    return dg.SensorResult(skip_reason=reason, asset_events=events, cursor=json.dumps(asdict(memory)))


def _flink_answers(*, passed: bool, description: str) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=FLINK_JOB, check_name=FLINK_ANSWERS.name, passed=passed, description=description
    )


def _reported(
    health: Health, memory: _Memory, *, reason: str | None = None, request: dg.RunRequest | None = None
) -> dg.SensorResult:
    """The tick's result; that the supervisor gave up, or no longer has to, is a result of its check.

    So is that Flink answers, where that is news.
    """
    events = []
    if memory.flink_answers is not True:
        events.append(_flink_answers(passed=True, description=health.detail))
    event = dg.AssetCheckEvaluation(
        asset_key=FLINK_JOB,
        check_name=SUPERVISED.name,
        passed=not memory.gave_up,
        description=reason if memory.gave_up else health.detail,
    )
    if memory.gave_up != memory.notified:
        events.append(event)
    memory = replace(memory, notified=memory.gave_up, flink_answers=True, flink_absent_since_s=None)
    return dg.SensorResult(
        skip_reason=None if request else reason,
        run_requests=[request] if request else [],
        asset_events=events,
        cursor=json.dumps(asdict(memory)),
    )


def _in_a_line(result: dg.SensorResult) -> str:
    if result.run_requests:
        return f"restarts the job: {result.run_requests[0].tags[WHY]}: {result.run_requests[0].tags[DETAIL]}"
    return (result.skip_reason.skip_message if result.skip_reason else None) or ""


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
