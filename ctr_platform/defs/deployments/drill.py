"""The restart drill: stop with a savepoint, restore, and verify that nothing was lost or doubled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ctr_platform.defs.deployments.steps import DeploymentStep, resume, running_desired_state, stop_job
from ctr_platform.defs.deployments.upgrade import VERIFY_WITHIN_S
from ctr_platform.defs.deployments.verification import DeploymentVerification, verify_deployment
from ctr_platform.defs.flink_job.deploy import followed_by
from flink.config import JOB_NAME

if TYPE_CHECKING:
    from contract.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Drill:
    """What a restart drill has shown; without a verification it was a dry run."""

    step: DeploymentStep
    verification: DeploymentVerification | None = None


def restart_drill(
    settings: Settings, *, dry_run: bool = False, verify_within_s: float = VERIFY_WITHIN_S
) -> Drill:
    """Restart the job on purpose, as a fault would, and verify the windows that were open meanwhile.

    Raises:
        CtrError: the job does not run, or does not come up again.
    """
    desired = running_desired_state(settings)
    steps = [
        f"stop {JOB_NAME} with a savepoint, and submit it from there as it was",
        f"verify within {verify_within_s:.0f} s that no record was lost or doubled",
    ]
    if dry_run:
        return Drill(step=DeploymentStep(steps=steps))
    stopped = stop_job(settings)
    wanted = replace(
        followed_by(desired, "restart drill", why="to see that it works", running=True),
        restore_from=stopped.savepoint,
    )
    step = resume(settings, stopped, wanted)
    verification = verify_deployment(settings, stopped.asked_at, within_s=verify_within_s)
    return Drill(step=replace(step, steps=steps), verification=verification)
