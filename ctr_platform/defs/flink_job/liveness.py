"""Whether the job does its work, by a few questions to the cluster."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from flink.config import JOB_NAME

if TYPE_CHECKING:
    from contract.settings import Settings
    from ctr_platform.defs.flink_job.metrics import Intake
    from ctr_platform.defs.flink_job.rest import Checkpoints, FlinkCluster, Job

LOOPING_FAILURES: Final = 5
LOOPING_WITHIN_S: Final = 600
"""Flink waits 1, 2, 4 ... s between its own restarts. A store that is unavailable for a minute costs a few;
so many say that they do not help."""

OVERDUE_INTERVALS: Final = 3
"""Beyond the time that one may take: one may fail, and the next may be on its way."""

STALLED_AFTER_S: Final = 60
"""Without a record read although some wait. Deploying and restoring take seconds; the longest known pause of
a healthy job is a fetch from a broker that is starting again."""


@dataclass(frozen=True, kw_only=True)
class JobProgress:
    """How far the job was when it last moved."""

    job_id: str
    records_read: int
    watermark_ms: int | None
    since_s: float
    """Since the epoch: when it was first seen there, or had nothing to read."""


@dataclass(frozen=True, kw_only=True)
class Health:
    """What is to be said of the job now."""

    problem: str | None
    """`missing`, `doubled`, `looping`, `no checkpoint`, `stalled`; None: it runs, or Flink is starting it."""

    detail: str
    """One line for a person."""

    job_id: str | None = None
    """The one that is alive, if exactly one is."""

    end: tuple[str, ...] = ()
    """Jobs that have to go before another one can take their place."""

    progress: JobProgress | None = None
    """For the next look; None where there is nothing to remember."""


def check_liveness(cluster: FlinkCluster, settings: Settings, before: JobProgress | None = None) -> Health:
    """Look at the job: one to six requests.

    Args:
        cluster: to ask.
        settings: the pace of checkpoints.
        before: what the last look has found; without it, nothing is known to stand still.

    Raises:
        FlinkUnavailable: the cluster does not answer; nothing can be said.
        FlinkRefused: a job ended between two questions.
    """
    jobs = [job for job in cluster.jobs() if job.name == JOB_NAME]
    alive = [job for job in jobs if job.alive]
    if not alive:
        return Health(problem="missing", detail=_how_it_ended(cluster, jobs))
    if len(alive) > 1:
        names = ", ".join(sorted(job.id for job in alive))
        return Health(
            problem="duplicated", detail=f"{len(alive)} of them: {names}", end=tuple(job.id for job in alive)
        )
    [job] = alive
    now_s = time.time()
    failures = cluster.failures(job.id, LOOPING_FAILURES)
    recent = [each for each in failures if each.at_ms / 1000 > now_s - LOOPING_WITHIN_S]
    if len(recent) >= LOOPING_FAILURES:
        detail = f"{len(recent)} failures in {LOOPING_WITHIN_S // 60} min, the last: {recent[0].cause}"
        return Health(problem="crash-looping", detail=detail, job_id=job.id, end=(job.id,))
    overdue_s = _overdue_s(cluster, job, settings, now_s)
    if overdue_s > 0:
        detail = f"the next checkpoint is overdue by {overdue_s:.0f} s"
        return Health(problem="no checkpoint", detail=detail, job_id=job.id, end=(job.id,))
    progress = progress_of(job.id, cluster.metrics(job.id).intake(), before, now_s)
    if progress and now_s - progress.since_s > STALLED_AFTER_S:
        detail = f"it has read nothing for {now_s - progress.since_s:.0f} s, and records wait"
        return Health(problem="stalled", detail=detail, job_id=job.id, end=(job.id,), progress=progress)
    detail = f"{JOB_NAME} is {job.state} as {job.id}"
    return Health(problem=None, detail=detail, job_id=job.id, progress=progress)


def progress_of(
    job_id: str, intake: Intake | None, before: JobProgress | None, now_s: float
) -> JobProgress | None:
    """The same as before, if the job has neither read nor decided anything since, and could have."""
    if intake is None:
        return None
    now = JobProgress(
        job_id=job_id, records_read=intake.records_read, watermark_ms=intake.watermark_ms, since_s=now_s
    )
    stalled = before is not None and replace(before, since_s=now_s) == now
    return before if stalled and intake.records_waiting > 0 else now


def _how_it_ended(cluster: FlinkCluster, ended: list[Job]) -> str:
    """Say how the newest job that the cluster remembers has ended."""
    if not ended:
        return "the cluster knows of none"
    newest = ended[0]
    cause = next((each.cause for each in cluster.failures(newest.id, 1)), None)
    return f"{newest.id} is {newest.state}" + (f": {cause}" if cause and newest.state == "FAILED" else "")


def checkpoint_age_s(job: Job, checkpoints: Checkpoints, now_s: float) -> float:
    """Since the job's newest completed checkpoint, or its start if there is none yet."""
    latest = checkpoints.latest
    since_ms = job.started_ms if latest is None else latest.triggered_ms + latest.duration_ms
    return now_s - since_ms / 1000


def _overdue_s(cluster: FlinkCluster, job: Job, settings: Settings, now_s: float) -> float:
    """By how much the next checkpoint is later than it may be; negative: it is not."""
    allowed_s = settings.flink_checkpoint_timeout + OVERDUE_INTERVALS * settings.flink_checkpoint_interval
    return checkpoint_age_s(job, cluster.checkpoints(job.id), now_s) - allowed_s
