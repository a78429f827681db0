"""Upgrade the job to other code, verify that it counts right, and go back to the old code if it does not."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from contract.errors import CtrError, UsageError
from ctr_platform.defs.deployments.steps import resume, running_desired_state, stop_job
from ctr_platform.defs.deployments.verification import verify_deployment
from ctr_platform.defs.flink_job.deploy import config_of, followed_by
from ctr_platform.defs.flink_job.releases import INSTALLED, make_release
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.submission import check, end_jobs
from flink.config import JOB_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from contract.settings import Settings
    from contract.stream.load import DeclaredStream
    from ctr_platform.defs.deployments.steps import DeploymentStep, Stopped
    from ctr_platform.defs.deployments.verification import DeploymentVerification
    from ctr_platform.defs.flink_job.desired_state import DesiredState, RecordedState
    from ctr_platform.defs.flink_job.releases import Release

LOG: Final = logging.getLogger(__name__)

VERIFY_WITHIN_S: Final = 300.0
"""A minute has to end, to close 10 s later, to be in a checkpoint, and to be recounted."""


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """What has become of an upgrade, or with `dry_run` would."""

    steps: list[str]
    from_release: str
    to_release: str
    step: DeploymentStep | None = None
    verification: DeploymentVerification | None = None
    """Verification of the new code; None where it did not come up."""

    rolled_back: str | None = None
    """Why the old code runs again; None: the new code does."""

    roll_back_step: DeploymentStep | None = None


def upgrade(
    settings: Settings,
    code: Path = INSTALLED,
    *,
    dry_run: bool = False,
    verify_within_s: float = VERIFY_WITHIN_S,
) -> Upgrade:
    """Put other code in the place of the running one, from a savepoint.

    The new job is planned before the old one is touched, so that code that does not compile costs nothing. It
    is healthy when its checkpoints complete and the recount agrees with the first window that it closes;
    else the old code goes on from the same savepoint, and writes the windows since then again.

    Args:
        settings: where everything is.
        code: folder that holds the package `flink`; by default what is installed here.
        dry_run: plan the new job, and change nothing.
        verify_within_s: patience with the verification.

    Raises:
        CtrError: the code cannot be planned, the job does not run, or the old code does not come up again.
    """
    desired = running_desired_state(settings)
    release = make_release(settings, code)
    if release.name == desired.release:
        raise UsageError(f"{JOB_NAME} runs release {release.name}, the code in {code}: nothing to do")
    wanted = replace(
        followed_by(desired, "upgrade", why=f"{desired.release} to {release.name}", running=True),
        release=release.name,
    )
    plan(settings, wanted, release)
    steps = [
        f"the code in {code} has been planned as release {release.name}",
        f"stop {JOB_NAME} (release {desired.release}) with a savepoint, submit the new release from there",
        f"verify for {verify_within_s:.0f} s that checkpoints complete and windows are exact, else roll back",
    ]
    planned = Upgrade(steps=steps, from_release=desired.release, to_release=release.name)
    if dry_run:
        return planned
    stopped = stop_job(settings)
    step: DeploymentStep | None = None
    verification: DeploymentVerification | None = None
    try:
        step = resume(settings, stopped, replace(wanted, restore_from=stopped.savepoint), newest_only=True)
        verification = verify_deployment(settings, stopped.ended_at, within_s=verify_within_s)
        problem = verification.problem
    except CtrError as error:
        problem = str(error)
    roll_back_step = roll_back(settings, desired, stopped, problem) if problem else None
    return replace(
        planned, step=step, verification=verification, rolled_back=problem, roll_back_step=roll_back_step
    )


def plan(
    settings: Settings, desired: DesiredState, release: Release, stream: DeclaredStream | None = None
) -> None:
    """Plan a job, of a stream that may not be counted yet, and send nothing.

    Raises:
        CtrError: its front does not compile, or its SQL cannot be planned.
    """
    LOG.info("plan release %s, and send nothing", release.name)
    check(config_of(settings, desired, release, stream), release.folder)


def roll_back(settings: Settings, desired: RecordedState, stopped: Stopped, why: str) -> DeploymentStep:
    """End whatever runs, and go on with the old order from the savepoint.

    Raises:
        CtrError: that does not come up either.
    """
    LOG.warning("roll back to release %s: %s", desired.release, why)
    with FlinkCluster(settings.flink_rest_url) as cluster:
        end_jobs(cluster, [job.id for job in cluster.alive(JOB_NAME)])
    old = replace(
        followed_by(desired, "roll back", why=why, running=True),
        restore_from=stopped.savepoint,
        excludes_since=True,
    )
    # The way back took from the moment at which the new code was given up.
    return resume(settings, replace(stopped, asked_at=datetime.now(tz=UTC)), old)
