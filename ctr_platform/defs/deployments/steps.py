"""The moves that every operation is made of, and the operations that are one move."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from contract.errors import CtrError, UsageError
from ctr_platform.defs.flink_job.deploy import Submission, bring_up, followed_by
from ctr_platform.defs.flink_job.desired_state import (
    DesiredState,
    RecordedState,
    current_desired_state,
    record_desired_state,
)
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.restore_points import complete_snapshots
from ctr_platform.defs.flink_job.snapshots import canonical, checkpoint_id_of, path_of
from ctr_platform.defs.flink_job.submission import end_jobs
from ctr_platform.defs.flink_job.submitted_jobs import snapshot_folder
from flink.config import JOB_NAME

if TYPE_CHECKING:
    from contract.settings import Settings
    from ctr_platform.defs.flink_job.rest import JobDetail

LOG: Final = logging.getLogger(__name__)

SAVEPOINT_WITHIN_S: Final = 300
"""A savepoint is a whole copy of the state; that of this job is a few MB, whatever the traffic."""


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """A job that has been stopped with a savepoint."""

    job_id: str
    savepoint: str
    asked_at: datetime
    """When it was asked to stop: it counted until some moment after."""

    ended_at: datetime


@dataclass(frozen=True, kw_only=True)
class DeploymentStep:
    """What an operation has done, or with `dry_run` would do."""

    steps: list[str] = field(default_factory=list)
    """In words, as a dry run tells them."""

    stopped: Stopped | None = None
    submission: Submission | None = None
    gap_s: float | None = None
    """From the request to stop until all of the new job ran: meanwhile nothing was counted, or lost."""


def running_desired_state(settings: Settings) -> RecordedState:
    """The order of a job that is to run.

    Raises:
        CtrError: the job has never been started, or has been stopped on purpose.
    """
    desired = current_desired_state(settings)
    if desired is None:
        raise UsageError(f"{JOB_NAME} has never been started: materialize it first")
    if not desired.running:
        raise UsageError(
            f"{JOB_NAME} has been stopped on purpose ({desired.why}): materialize it to start it"
        )
    return desired


def require_single_job(cluster: FlinkCluster) -> JobDetail:
    """The one job of that name, all of it running.

    Raises:
        CtrError: there is none, or more than one, or not all of it runs.
    """
    alive = cluster.alive(JOB_NAME)
    if len(alive) != 1:
        raise CtrError(f"{len(alive)} jobs {JOB_NAME} are alive, not one: let the supervisor mend that first")
    job = cluster.job(alive[0].id)
    if not job.running:
        raise CtrError(f"{JOB_NAME} is {job.state} and not all of it runs: try again when it does")
    return job


def stop_job(settings: Settings) -> Stopped:
    """Stop the job with a savepoint, and return when it has ended; Flink deletes its checkpoints.

    Raises:
        CtrError: it does not run, or the savepoint fails; then it goes on.
    """
    with FlinkCluster(settings.flink_rest_url) as cluster:
        job = require_single_job(cluster)
        LOG.info("stop %s (%s) with a savepoint", JOB_NAME, job.id)
        asked_at = datetime.now(tz=UTC)
        savepoint = cluster.stop_with_savepoint(job.id, snapshot_folder(settings), SAVEPOINT_WITHIN_S)
        end_jobs(cluster, [job.id], ask=False)
        LOG.info("it has ended; savepoint %s", savepoint)
    return Stopped(
        job_id=job.id,
        savepoint=canonical(savepoint),
        asked_at=asked_at,
        ended_at=datetime.now(tz=UTC),
    )


def _leave(settings: Settings, chosen: str) -> Stopped:
    """End the job after a savepoint, in a way that leaves its checkpoints.

    Raises:
        CtrError: the savepoint fails, or the chosen snapshot is gone; then the job goes on.
    """
    with FlinkCluster(settings.flink_rest_url) as cluster:
        job = require_single_job(cluster)
        LOG.info("make a savepoint of %s (%s)", JOB_NAME, job.id)
        savepoint = cluster.savepoint(job.id, snapshot_folder(settings), SAVEPOINT_WITHIN_S)
        if checkpoint_id_of(path_of(chosen)) is None:
            raise CtrError(f"{chosen} has given way to newer checkpoints meanwhile: choose another one")
        LOG.info("savepoint %s, as a way back; end the job", savepoint)
        asked_at = datetime.now(tz=UTC)
        end_jobs(cluster, [job.id])
    return Stopped(
        job_id=job.id,
        savepoint=canonical(savepoint),
        asked_at=asked_at,
        ended_at=datetime.now(tz=UTC),
    )


def resume(
    settings: Settings, stopped: Stopped, desired: DesiredState, *, newest_only: bool = False
) -> DeploymentStep:
    """Give an order, and bring its job up in the place of one that has been stopped."""
    submission = bring_up(settings, record_desired_state(settings, desired), newest_only=newest_only)
    gap_s = time.time() - stopped.asked_at.timestamp()
    LOG.info("nothing was counted for %.1f s, or lost", gap_s)
    return DeploymentStep(stopped=stopped, submission=submission, gap_s=round(gap_s, 1))


def stop(settings: Settings, *, why: str, dry_run: bool = False) -> DeploymentStep:
    """Stop the job with a savepoint, on purpose: nobody starts it again but a person.

    Raises:
        CtrError: it does not run, or the savepoint fails; then it goes on.
    """
    desired = running_desired_state(settings)
    steps = [
        f"stop {_described(settings)} with a savepoint",
        "leave it stopped until a person materializes it",
    ]
    if dry_run:
        return DeploymentStep(steps=steps)
    stopped = stop_job(settings)
    record_desired_state(
        settings,
        replace(followed_by(desired, "stop", why=why, running=False), restore_from=stopped.savepoint),
    )
    return DeploymentStep(steps=steps, stopped=stopped)


def rescale(settings: Settings, parallelism: int, *, dry_run: bool = False) -> DeploymentStep:
    """Go on with another parallelism, from a savepoint.

    Raises:
        CtrError: the cluster has too few slots, or the job does not run; then nothing has been changed.
    """
    desired = running_desired_state(settings)
    with FlinkCluster(settings.flink_rest_url) as cluster:
        job = require_single_job(cluster)
        room = cluster.overview().free_slots + job.parallelism
    if not 1 <= parallelism <= room:
        raise UsageError(f"a parallelism of {parallelism}: the cluster has slots for 1 to {room}")
    steps = [
        f"stop {_described(settings)} with a savepoint",
        f"submit it from there with a parallelism of {parallelism}",
    ]
    if dry_run:
        return DeploymentStep(steps=steps)
    stopped = stop_job(settings)
    wanted = replace(
        followed_by(desired, "rescale", why=f"{job.parallelism} to {parallelism}", running=True),
        parallelism=parallelism,
        restore_from=stopped.savepoint,
    )
    return replace(resume(settings, stopped, wanted), steps=steps)


def restore(settings: Settings, snapshot: str, *, dry_run: bool = False) -> DeploymentStep:
    """Go on from a chosen checkpoint or savepoint: everything since is read and counted again.

    A savepoint is made before, so that there is a way back.

    Args:
        settings: where everything is.
        snapshot: URI, as on record or in the checkpoint folder; one of another installation, if need be.
        dry_run: change nothing.

    Raises:
        CtrError: there is no such complete snapshot, the job does not run, or its savepoint fails.
    """
    desired = running_desired_state(settings)
    chosen = canonical(snapshot)
    checkpoint_id = checkpoint_id_of(path_of(chosen))
    if checkpoint_id is None:
        newest = ", ".join(each.uri for each in complete_snapshots(settings)[:3]) or "none"
        raise UsageError(f"{snapshot} is no complete snapshot; the newest: {newest}")
    steps = [
        f"make a savepoint of {_described(settings)}, as a way back, and end it",
        f"submit it from {chosen} (checkpoint {checkpoint_id}): what came since is read again",
    ]
    if dry_run:
        return DeploymentStep(steps=steps)
    stopped = _leave(settings, chosen)
    wanted = replace(
        followed_by(desired, "restore", why=f"from {chosen}", running=True),
        restore_from=chosen,
        excludes_since=True,
    )
    return replace(resume(settings, stopped, wanted), steps=steps)


def _described(settings: Settings) -> str:
    with FlinkCluster(settings.flink_rest_url) as cluster:
        job = require_single_job(cluster)
    return f"{JOB_NAME} ({job.id}, parallelism {job.parallelism})"
