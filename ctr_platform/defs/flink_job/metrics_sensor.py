"""The sensor that looks at the job's metrics: plots on the job's page, and checks, without any run."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import dagster as dg

from contract.errors import FlinkRefused, FlinkUnavailable, WarehouseUnavailable
from ctr_platform.defs.catalog import FLINK_JOB
from ctr_platform.defs.flink_job.health import (
    HealthCheck,
    JobMetrics,
    documents_given_up,
    evaluate_health,
    sample_job,
)
from ctr_platform.defs.flink_job.metrics_store import record
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.windows_close import WatermarkStand, watermark_stand, windows_close
from ctr_platform.resources import Platform

LOOK_EVERY_S: Final = 15
"""With the checkpoint's own interval: one that fails is known within half a minute."""

SAY_AGAIN_S: Final = 600
"""A check whose result stays the same is reported this often, for its plot."""

SAMPLE_EVERY_S: Final = 3600
SAMPLES: Final = 24
"""The sizes of a day's checkpoints, one in an hour."""


@dataclass(frozen=True, kw_only=True)
class _Memory:
    """What the sensor knows from its last look: its cursor."""

    before: JobMetrics | None = None
    notified: dict[str, str] = field(default_factory=dict)
    """What each check last said: see `_verdict`."""

    told_at_s: float = 0.0
    sizes: list[int] = field(default_factory=list)
    sampled_at_s: float = 0.0
    stand: WatermarkStand | None = None
    given_up_at_s: float = 0.0
    """When a look last found that final documents had been given up."""


@dg.sensor(
    minimum_interval_seconds=LOOK_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Looks at the Flink job's checkpoints, lag, watermark, back pressure, heap, rejected records, "
        "documents and whether its windows close, plots them on the job's page, and judges them by the "
        "thresholds of the settings."
    ),
)
def observe_job(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult:
    """Look, plot, note it for the dashboard, and say what has changed."""
    settings = platform.settings()
    try:
        with FlinkCluster(settings.flink_rest_url) as cluster:
            job_metrics = sample_job(cluster)
    except (FlinkUnavailable, FlinkRefused) as absent:
        return dg.SensorResult(skip_reason=str(absent), cursor=context.cursor)
    if job_metrics is None:
        return dg.SensorResult(skip_reason="not exactly one job is alive", cursor=context.cursor)
    with suppress(WarehouseUnavailable):
        record(settings, job_metrics)
    memory = _memory(context)
    if documents_given_up(job_metrics, memory.before):
        memory = replace(memory, given_up_at_s=job_metrics.at_s)
    memory = replace(memory, stand=watermark_stand(job_metrics, memory.stand))
    health_checks = [
        *evaluate_health(
            settings, job_metrics, memory.before, memory.sizes, given_up_at_s=memory.given_up_at_s
        ),
        windows_close(settings, job_metrics, memory.stand),
    ]
    again = job_metrics.at_s - memory.told_at_s >= SAY_AGAIN_S
    notifying = [
        health_check
        for health_check in health_checks
        if again or memory.notified.get(health_check.name) != _verdict(health_check)
    ]
    bad = [
        f"{health_check.name}: {health_check.message}"
        for health_check in health_checks
        if not health_check.good
    ]
    return dg.SensorResult(
        asset_events=[_observation(job_metrics), *(_evaluation(health_check) for health_check in notifying)],
        cursor=json.dumps(asdict(_after(memory, job_metrics, health_checks, again=again))),
        skip_reason="; ".join(bad) or "all metrics are good",
    )


def _memory(context: dg.SensorEvaluationContext) -> _Memory:
    if not context.cursor:
        return _Memory()
    values: dict[str, Any] = json.loads(context.cursor)
    before, stand = values.pop("before"), values.pop("stand", None)
    with suppress(TypeError):  # a cursor of another version: nothing is remembered
        return _Memory(
            **values,
            before=JobMetrics(**before) if before else None,
            stand=WatermarkStand(**stand) if stand else None,
        )
    return _Memory()


def _after(
    memory: _Memory, job_metrics: JobMetrics, health_checks: list[HealthCheck], *, again: bool
) -> _Memory:
    after = replace(
        memory,
        before=job_metrics,
        notified={health_check.name: _verdict(health_check) for health_check in health_checks},
    )
    if again:
        after = replace(after, told_at_s=job_metrics.at_s)
    if job_metrics.checkpoint_bytes is not None and job_metrics.at_s - memory.sampled_at_s >= SAMPLE_EVERY_S:
        sizes = [*memory.sizes, job_metrics.checkpoint_bytes][-SAMPLES:]
        after = replace(after, sizes=sizes, sampled_at_s=job_metrics.at_s)
    return after


def _verdict(health_check: HealthCheck) -> str:
    return "good" if health_check.good else "error" if health_check.error else "warning"


def _observation(job_metrics: JobMetrics) -> dg.AssetObservation:
    figures = {name: value for name, value in asdict(job_metrics).items() if isinstance(value, int | float)}
    outcomes = {f"{outcome}_records": count for outcome, count in (job_metrics.outcomes or {}).items()}
    return dg.AssetObservation(FLINK_JOB, metadata={**figures, **outcomes, "job_id": job_metrics.job_id})


def _evaluation(health_check: HealthCheck) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=FLINK_JOB,
        check_name=health_check.name,
        passed=health_check.good,
        severity=dg.AssetCheckSeverity.ERROR if health_check.error else dg.AssetCheckSeverity.WARN,
        description=health_check.message,
        metadata={name: value for name, value in health_check.figures.items() if value is not None},
    )
