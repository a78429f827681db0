"""Stop, rescale, restore, upgrade, cut over, drill: one job each, each with a dry run."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import dagster as dg
from pydantic import Field

from ctr_platform.defs.catalog import CLUSTER_POOL, FLINK_JOB, OPERATES
from ctr_platform.defs.deployments import cutover, drill, new_epoch, steps, upgrade
from ctr_platform.defs.deployments.steps import DeploymentStep
from ctr_platform.defs.deployments.verification import DeploymentVerification
from ctr_platform.defs.flink_job.assets import metadata_of
from ctr_platform.defs.flink_job.releases import INSTALLED
from ctr_platform.defs.operations import OperationConfig, operation_job
from ctr_platform.resources import Platform

LONGEST_RUN_S: Final = 1800
"""A cutover waits six minutes for its boundary, five for its verification; one that takes longer hangs."""


class StopConfig(OperationConfig):
    """How to stop."""

    why: str = Field(min_length=1, description="The reason, for those who find the job stopped.")


class RescaleConfig(OperationConfig):
    """How to rescale."""

    parallelism: int = Field(ge=1, description="Of the job's chains; the cluster needs as many slots.")


class RestoreConfig(OperationConfig):
    """What to restore."""

    snapshot: str = Field(description="URI of a complete checkpoint or savepoint, as on record.")


class EpochConfig(OperationConfig):
    """Why a new epoch begins."""

    why: str = Field(min_length=1, description="What has become of the earlier topic.")


class VerifiedConfig(OperationConfig):
    """How long to wait for what shows that the windows are right."""

    verify_within_s: float = Field(
        default=upgrade.VERIFY_WITHIN_S,
        gt=0,
        description="Patience with a checkpoint and the recount of the windows that close meanwhile.",
    )


class CodeConfig(VerifiedConfig):
    """Which code to change to."""

    code: str = Field(
        default=str(INSTALLED),
        description="Folder that holds the package flink; by default the installed one.",
    )


@dg.op(pool=CLUSTER_POOL)
def stop(context: dg.OpExecutionContext, config: StopConfig, platform: Platform) -> None:
    """Stop the streaming job on purpose; the supervisor leaves it so."""
    _report(context, steps.stop(platform.settings(), why=config.why, dry_run=config.dry_run))


@dg.op(pool=CLUSTER_POOL)
def rescale(context: dg.OpExecutionContext, config: RescaleConfig, platform: Platform) -> None:
    """Resume with another parallelism."""
    _report(context, steps.rescale(platform.settings(), config.parallelism, dry_run=config.dry_run))


@dg.op(pool=CLUSTER_POOL)
def restore(context: dg.OpExecutionContext, config: RestoreConfig, platform: Platform) -> None:
    """Resume from a chosen snapshot."""
    _report(context, steps.restore(platform.settings(), config.snapshot, dry_run=config.dry_run))


@dg.op(pool=CLUSTER_POOL)
def upgrade_code(context: dg.OpExecutionContext, config: CodeConfig, platform: Platform) -> None:
    """Change to other code, verify it, or roll back."""
    done = upgrade.upgrade(
        platform.settings(), Path(config.code), dry_run=config.dry_run, verify_within_s=config.verify_within_s
    )
    releases = {"from_release": done.from_release, "to_release": done.to_release}
    last = done.roll_back_step or done.step or DeploymentStep()
    _report(context, last, steps=done.steps, verification=done.verification, more=releases)
    if done.rolled_back:
        raise dg.Failure(
            f"{done.to_release} was not healthy, {done.from_release} runs again: {done.rolled_back}",
            allow_retries=False,
        )


@dg.op(pool=CLUSTER_POOL)
def cut_over_code(context: dg.OpExecutionContext, config: CodeConfig, platform: Platform) -> None:
    """Change to other code, or to what is declared now, at a window boundary."""
    done = cutover.cut_over(
        platform.settings(), Path(config.code), dry_run=config.dry_run, verify_within_s=config.verify_within_s
    )
    more = {
        "from_release": done.from_release,
        "to_release": done.to_release,
        "cutover_time": dg.MetadataValue.timestamp(done.cutover_time),
    }
    last = done.roll_back_step or done.to_new or DeploymentStep()
    _report(context, last, steps=done.steps, verification=done.verification, more=more)
    problem = done.rolled_back or (done.verification.problem if done.verification else None)
    if problem:
        raise dg.Failure(f"cut over to {done.to_release}: {problem}", allow_retries=False)


@dg.op(pool=CLUSTER_POOL)
def restart_drill(context: dg.OpExecutionContext, config: VerifiedConfig, platform: Platform) -> None:
    """Restart the job on purpose, and verify that nothing was lost or duplicated."""
    done = drill.restart_drill(
        platform.settings(), dry_run=config.dry_run, verify_within_s=config.verify_within_s
    )
    _report(context, done.step, verification=done.verification)
    if done.verification and done.verification.problem:
        raise dg.Failure(f"the drill has failed: {done.verification.problem}", allow_retries=False)


@dg.op(pool=CLUSTER_POOL)
def begin_topic_epoch(context: dg.OpExecutionContext, config: EpochConfig, platform: Platform) -> None:
    """Go on with a topic that was deleted and made anew."""
    done = new_epoch.begin_epoch(platform.settings(), why=config.why, dry_run=config.dry_run)
    for line in done.steps if config.dry_run else []:
        context.log.info("dry run: %s", line)
    context.add_output_metadata(
        {
            "dry_run": config.dry_run,
            "steps": dg.MetadataValue.md("\n".join(f"1. {line}" for line in done.steps)),
            "rows_filed": dg.MetadataValue.json(done.moved),
            **(metadata_of(done.submission) if done.submission else {}),
        }
    )


def _report(
    context: dg.OpExecutionContext,
    step: DeploymentStep,
    *,
    steps: Sequence[str] = (),
    verification: DeploymentVerification | None = None,
    more: dict[str, Any] | None = None,
) -> None:
    """Put what was done, or would be, into the run and on the job's own page."""
    metadata: dict[str, Any] = {
        "operation": context.job_name,
        "steps": dg.MetadataValue.md("\n".join(f"1. {line}" for line in steps or step.steps)),
        **(more or {}),
    }
    if step.stopped:
        metadata |= {"savepoint": step.stopped.savepoint, "stopped": step.stopped.job_id}
    if step.gap_s is not None:
        metadata["gap_s"] = step.gap_s
    if step.submission:
        metadata |= metadata_of(step.submission)
    if verification:
        metadata |= {name: value for name, value in asdict(verification).items() if value is not None}
    context.add_output_metadata(metadata)
    if not step.stopped:
        for line in steps or step.steps:
            context.log.info("dry run: %s", line)
    if step.stopped:
        context.log_event(dg.AssetMaterialization(FLINK_JOB, metadata=metadata))


def _job(op: dg.OpDefinition, description: str) -> dg.JobDefinition:
    """Make a job whose runs the supervisor waits for."""
    return operation_job(op, description=description, max_runtime_s=LONGEST_RUN_S, tags={OPERATES: "true"})


DRILL_JOB: Final = _job(
    restart_drill,
    "Savepoint, stop, restore, recount: passes only with nothing lost and nothing duplicated.",
)

weekly_drill: Final = dg.ScheduleDefinition(
    name="weekly_drill",
    job=DRILL_JOB,
    cron_schedule="0 4 * * 2",
    run_config=dg.RunConfig(ops={DRILL_JOB.name: VerifiedConfig(dry_run=False)}),
    description="A restart on purpose, on a quiet morning: off until it is wanted.",
)

DEPLOYMENT_JOBS: Final = [
    _job(stop, "Stop the streaming job with a savepoint. It stays stopped until somebody materializes it."),
    _job(rescale, "Resume with another parallelism, from a savepoint; later restarts keep it."),
    _job(
        begin_topic_epoch,
        "Goes on with a topic that was deleted and made anew: until then job, recount, merge and replay "
        "refuse. Files what there is of the earlier one under a name of its own, and starts the job anew, "
        "with its open windows and from the new topic's beginning.",
    ),
    _job(restore, "Resume from a chosen checkpoint or savepoint; what came since is read and counted again."),
    _job(
        upgrade_code,
        "Plan other code, put it in the place of the running one from a savepoint, and verify it by its "
        "checkpoints and a recount of the windows that it closes; if it fails, the old code resumes.",
    ),
    _job(
        cut_over_code,
        "Count as `CTR_STREAM` declares now (a dimension more or less), or by code whose windows have "
        "another shape: the old job counts up to the next five-minute boundary, the new one from there; in "
        "between the tables get their new columns.",
    ),
]
