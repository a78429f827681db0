"""The job's metrics, and what is to be thought of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ctr_platform.defs.flink_job.liveness import OVERDUE_INTERVALS, checkpoint_age_s
from flink.config import JOB_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.settings import Settings
    from ctr_platform.defs.flink_job.rest import FlinkCluster

CHECKPOINTS: Final = "checkpoints_complete"
STATE: Final = "state_does_not_grow"
KEEPS_UP: Final = "keeps_up"
UNHINDERED: Final = "not_backpressured"
HEAP: Final = "heap_has_room"
REFUSED: Final = "few_refused"
REDIS: Final = "redis_takes_documents"

HEALTH_CHECKS: Final = {
    CHECKPOINTS: "The job's newest checkpoint is recent: after a loss little is read twice.",
    STATE: "Checkpoints are about as large as yesterday's: state that only grows is a leak.",
    KEEPS_UP: "What is in the topic is read: the job watermark is close to the clock while records come in.",
    UNHINDERED: "No chain of the job waits for a slower one behind it for most of its time.",
    HEAP: "The fullest TaskManager's JVM heap has room.",
    REFUSED: "Few of the records that came in since the last look were late or dead.",
    REDIS: "Redis takes the windows' documents, and no final one has been given up.",
}
"""Name and meaning of every sign that is judged."""

SMALL_STATE_BYTES: Final = 32 << 20
"""Below this nothing leaks: open windows come and go, and with them most of a small state."""

MIN_SAMPLES: Final = 6
"""Sizes to know what is usual; one is kept in an hour."""

GIVEN_UP_SHOWN_S: Final = 600.0
"""Documents that were given up are past help; who is to know of them looks every 30 s, or reads a message."""

FEW_RECORDS: Final = 100
"""A share of fewer records says nothing."""


@dataclass(frozen=True, kw_only=True)
class JobMetrics:
    """One look at the job. What the cluster does not measure yet is None."""

    at_s: float
    """Since the epoch."""

    job_id: str
    checkpoint_age_s: float
    """Since the newest completed, or since the job's start."""

    checkpoint_duration_ms: int | None
    checkpoint_bytes: int | None
    checkpoints_completed: int
    checkpoints_failed: int
    checkpoint_failure: str | None
    """Why the newest one that failed did."""

    alignment_ms: float | None
    records_waiting: int | None
    """Consumer lag."""

    watermark_ms: int | None
    """The job watermark, since the epoch; None before the first."""

    watermark_lag_s: float | None
    """Lag of the job watermark behind the clock; it grows while the topic is idle."""

    outcomes: dict[str, int] | None
    """Records by outcome since the job's start, or its last restart by Flink."""

    busy_percent: float | None
    backpressured_percent: float | None
    heap_percent: float | None
    redis_refuses: bool | None = None
    """Whether Redis takes no documents."""

    documents_skipped: int | None = None
    documents_given_up: int | None = None
    """Documents of open windows, and final ones, that Redis never took: since the moment of `outcomes`."""


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """One judgement."""

    name: str
    good: bool
    message: str
    error: bool = False
    """Not good, and worth a message at once: what is lost is lost."""

    figures: dict[str, Any] = field(default_factory=dict)


def sample_job(cluster: FlinkCluster) -> JobMetrics | None:
    """Look at the one job that is alive: a dozen requests; None if there is none, or more than one.

    Raises:
        FlinkUnavailable: the cluster does not answer.
        FlinkRefused: the job ended between two questions.
    """
    alive = cluster.alive(JOB_NAME)
    if len(alive) != 1:
        return None
    job = alive[0]
    now_s = time.time()
    checkpoints = cluster.checkpoints(job.id)
    latest = checkpoints.latest
    metrics = cluster.metrics(job.id)
    intake, load, heap = metrics.intake(), metrics.load(), metrics.heap()
    writes = metrics.document_writes()
    watermark_ms = intake.watermark_ms if intake else None
    return JobMetrics(
        at_s=now_s,
        job_id=job.id,
        checkpoint_age_s=round(checkpoint_age_s(job, checkpoints, now_s), 1),
        checkpoint_duration_ms=latest.duration_ms if latest else None,
        checkpoint_bytes=latest.size_bytes if latest else None,
        checkpoints_completed=checkpoints.completed,
        checkpoints_failed=checkpoints.failed,
        checkpoint_failure=checkpoints.last_failure,
        alignment_ms=round(load.alignment_ms, 1) if load else None,
        records_waiting=intake.records_waiting if intake else None,
        watermark_ms=watermark_ms,
        watermark_lag_s=round(now_s - watermark_ms / 1000, 1) if watermark_ms else None,
        outcomes=intake.outcomes if intake else None,
        busy_percent=load.busy_percent if load else None,
        backpressured_percent=load.backpressured_percent if load else None,
        heap_percent=round(100 * heap.used_bytes / heap.max_bytes, 1) if heap else None,
        redis_refuses=writes.refused if writes else None,
        documents_skipped=writes.skipped if writes else None,
        documents_given_up=writes.given_up if writes else None,
    )


def evaluate_health(
    settings: Settings,
    now: JobMetrics,
    before: JobMetrics | None = None,
    sizes: Sequence[int] = (),
    *,
    given_up_at_s: float = 0.0,
) -> list[HealthCheck]:
    """Judge every sign of `HEALTH_CHECKS` by the settings' thresholds; what is not known is good.

    Args:
        settings: the thresholds.
        now: the newest look.
        before: an earlier one, for rates.
        sizes: of checkpoints of the last day, bytes.
        given_up_at_s: when a look last found final documents given up, since the epoch.
    """
    return [
        _checkpoints(settings, now, before),
        _state(settings, now, sizes),
        _keeps_up(settings, now),
        _share(UNHINDERED, now.backpressured_percent, settings.backpressure_alarm_percent),
        _share(HEAP, now.heap_percent, settings.heap_alarm_percent),
        _refused(settings, now, before),
        _redis(now, given_up_at_s),
    ]


def documents_given_up(now: JobMetrics, before: JobMetrics | None) -> int:
    """Return how many final documents were given up since the look before."""
    given_up = now.documents_given_up or 0
    earlier = (before.documents_given_up or 0) if before and before.job_id == now.job_id else 0
    # Flink has restarted the job meanwhile: it counts anew.
    return given_up - earlier if given_up >= earlier else given_up


def _checkpoints(settings: Settings, now: JobMetrics, before: JobMetrics | None) -> HealthCheck:
    allowed_s = OVERDUE_INTERVALS * settings.flink_checkpoint_interval
    figures = {
        "age_s": now.checkpoint_age_s,
        "allowed_s": allowed_s,
        "completed": now.checkpoints_completed,
        "failed": now.checkpoints_failed,
        "duration_ms": now.checkpoint_duration_ms,
        "alignment_ms": now.alignment_ms,
    }
    message = f"the newest is {now.checkpoint_age_s:.0f} s old"
    # The newest attempt tells before the age does.
    failing = (
        before is not None
        and before.job_id == now.job_id
        and before.checkpoints_completed == now.checkpoints_completed
        and before.checkpoints_failed < now.checkpoints_failed
    )
    good = now.checkpoint_age_s <= allowed_s and not failing
    if not good and now.checkpoint_failure:
        message += f"; the last that failed: {now.checkpoint_failure}"
    return HealthCheck(name=CHECKPOINTS, good=good, message=message, figures=figures)


def _state(settings: Settings, now: JobMetrics, sizes: Sequence[int]) -> HealthCheck:
    size = now.checkpoint_bytes or 0
    figures: dict[str, Any] = {"size_bytes": size}
    if len(sizes) < MIN_SAMPLES:
        return HealthCheck(name=STATE, good=True, message="what is usual is not known yet", figures=figures)
    usual = sorted(sizes)[len(sizes) // 2]
    allowed = max(SMALL_STATE_BYTES, settings.state_growth_alarm * usual)
    figures |= {"usual_bytes": usual, "allowed_bytes": round(allowed)}
    return HealthCheck(
        name=STATE, good=size <= allowed, message=f"{size} bytes, usually {usual}", figures=figures
    )


def _keeps_up(settings: Settings, now: JobMetrics) -> HealthCheck:
    figures = {"records_waiting": now.records_waiting, "watermark_lag_s": now.watermark_lag_s}
    if now.records_waiting is None:
        return HealthCheck(name=KEEPS_UP, good=True, message="not measured yet", figures=figures)
    behind = now.records_waiting > settings.consumer_lag_alarm
    # Of a silent topic, or of one that holds the past, the watermark is far behind and nobody is late.
    slow = now.records_waiting > 0 and (now.watermark_lag_s or 0) > settings.watermark_lag_alarm
    message = f"{now.records_waiting} records wait, the watermark is {now.watermark_lag_s} s behind the clock"
    return HealthCheck(name=KEEPS_UP, good=not (behind or slow), message=message, figures=figures)


def _share(name: str, percent: float | None, alarm_percent: float) -> HealthCheck:
    if percent is None:
        return HealthCheck(name=name, good=True, message="not measured yet")
    message = f"{percent:.1f} %, at most {alarm_percent:.0f} %"
    return HealthCheck(
        name=name, good=percent <= alarm_percent, message=message, figures={"percent": percent}
    )


def _refused(settings: Settings, now: JobMetrics, before: JobMetrics | None) -> HealthCheck:
    came = _since(now, before)
    records = sum(came.values())
    if records < FEW_RECORDS:
        return HealthCheck(
            name=REFUSED, good=True, message=f"{records} records came in", figures={"records": records}
        )
    refused = records - came["counted"]
    late_percent = round(100 * came["late"] / records, 2)
    dead_percent = round(100 * (refused - came["late"]) / records, 2)
    alarm = settings.refused_alarm_percent
    return HealthCheck(
        name=REFUSED,
        good=max(late_percent, dead_percent) <= alarm,
        message=f"of {records} records {late_percent} % were late and {dead_percent} % dead",
        figures={"records": records, "late_percent": late_percent, "dead_percent": dead_percent},
    )


def _redis(now: JobMetrics, given_up_at_s: float) -> HealthCheck:
    if now.redis_refuses is None:
        return HealthCheck(name=REDIS, good=True, message="not measured yet")
    lost = now.at_s - given_up_at_s < GIVEN_UP_SHOWN_S
    parts = []
    if now.redis_refuses:
        parts.append("Redis takes no documents: open windows are skipped, final ones wait")
    if lost:
        parts.append("final documents were given up: readers of Redis never see these windows")
    return HealthCheck(
        name=REDIS,
        good=not parts,
        error=lost,
        message="; ".join(parts) or "Redis takes all documents",
        figures={"skipped": now.documents_skipped, "given_up": now.documents_given_up},
    )


def _since(now: JobMetrics, before: JobMetrics | None) -> dict[str, int]:
    """Records by outcome since the look before; since the job's start, if it is another job or began anew."""
    if now.outcomes is None:
        return {}
    earlier = before.outcomes if before and before.job_id == now.job_id and before.outcomes else {}
    if any(count < earlier.get(outcome, 0) for outcome, count in now.outcomes.items()):
        earlier = {}
    return {outcome: count - earlier.get(outcome, 0) for outcome, count in now.outcomes.items()}
