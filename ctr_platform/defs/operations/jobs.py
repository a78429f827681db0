"""Stop, rescale, restore, upgrade, hand over, drill, discard: one job each, each with a dry run."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import dagster as dg
from pydantic import Field

from ctr_platform.defs.flink.assets import metadata_of
from ctr_platform.defs.platform import CLUSTER_POOL, FLINK_JOB, MAX_RUNTIME, OPERATES, OWNERS, Platform
from ctr_platform.flink_cluster.releases import INSTALLED
from ctr_platform.operations import drill, hand_over, moves, retention, upgrade
from ctr_platform.operations.moves import Move
from ctr_platform.operations.proof import Proof

LONGEST_RUN_S: Final = 1800
"""A hand-over waits six minutes for its boundary, and five for its proof; one that takes longer hangs."""

_TAGS: Final = {"owner": OWNERS[0], OPERATES: "true", MAX_RUNTIME: str(LONGEST_RUN_S)}


class DryRun(dg.Config):
    """Of every operation."""

    dry_run: bool = Field(default=False, description="Say what would be done, and change nothing.")


class StopConfig(DryRun):
    """How to stop."""

    why: str = Field(default="by hand", description="For those who wonder later.")


class RescaleConfig(DryRun):
    """How to rescale."""

    parallelism: int = Field(ge=1, description="Of the job's chains; the cluster needs as many slots.")


class RestoreConfig(DryRun):
    """What to restore."""

    snapshot: str = Field(description="URI of a complete checkpoint or savepoint, as on record.")


class CodeConfig(DryRun):
    """Which code to change to."""

    code: str = Field(
        default=str(INSTALLED),
        description="Folder that holds the package flink; by default the installed one.",
    )
    prove_within_s: float = Field(
        default=upgrade.PROVE_WITHIN_S, gt=0, description="Patience with the proof that it counts right."
    )


class DrillConfig(DryRun):
    """How to drill."""

    prove_within_s: float = Field(
        default=upgrade.PROVE_WITHIN_S, gt=0, description="Patience with the proof that nothing was lost."
    )


@dg.op(pool=CLUSTER_POOL)
def stop_with_savepoint(context: dg.OpExecutionContext, config: StopConfig, platform: Platform) -> None:
    """Stop the streaming job on purpose; the supervisor leaves it so."""
    _report(context, moves.stop(platform.settings(), why=config.why, dry_run=config.dry_run))


@dg.op(pool=CLUSTER_POOL)
def change_parallelism(context: dg.OpExecutionContext, config: RescaleConfig, platform: Platform) -> None:
    """Go on with another parallelism."""
    _report(context, moves.rescale(platform.settings(), config.parallelism, dry_run=config.dry_run))


@dg.op(pool=CLUSTER_POOL)
def restore_snapshot(context: dg.OpExecutionContext, config: RestoreConfig, platform: Platform) -> None:
    """Go on from a chosen snapshot."""
    _report(context, moves.restore(platform.settings(), config.snapshot, dry_run=config.dry_run))


@dg.op(pool=CLUSTER_POOL)
def upgrade_job(context: dg.OpExecutionContext, config: CodeConfig, platform: Platform) -> None:
    """Change to other code, prove it, or go back."""
    done = upgrade.upgrade(
        platform.settings(), Path(config.code), dry_run=config.dry_run, prove_within_s=config.prove_within_s
    )
    releases = {"from_release": done.from_release, "to_release": done.to_release}
    last = done.way_back or done.move or Move()
    _report(context, last, steps=done.steps, proof=done.proof, more=releases)
    if done.rolled_back:
        raise dg.Failure(
            f"{done.to_release} was not healthy, {done.from_release} runs again: {done.rolled_back}",
            allow_retries=False,
        )


@dg.op(pool=CLUSTER_POOL)
def hand_over_job(context: dg.OpExecutionContext, config: CodeConfig, platform: Platform) -> None:
    """Change to code of another shape at a window boundary."""
    done = hand_over.hand_over(
        platform.settings(), Path(config.code), dry_run=config.dry_run, prove_within_s=config.prove_within_s
    )
    more = {
        "from_release": done.from_release,
        "to_release": done.to_release,
        "boundary": dg.MetadataValue.timestamp(done.boundary),
    }
    last = done.way_back or done.to_new or Move()
    _report(context, last, steps=done.steps, proof=done.proof, more=more)
    problem = done.rolled_back or (done.proof.problem if done.proof else None)
    if problem:
        raise dg.Failure(f"handed over to {done.to_release}: {problem}", allow_retries=False)


@dg.op(pool=CLUSTER_POOL)
def drill_restart(context: dg.OpExecutionContext, config: DrillConfig, platform: Platform) -> None:
    """Restart the job on purpose, and prove that nothing was lost or doubled."""
    done = drill.restart_drill(
        platform.settings(), dry_run=config.dry_run, prove_within_s=config.prove_within_s
    )
    _report(context, done.move, proof=done.proof)
    if done.proof and done.proof.problem:
        raise dg.Failure(f"the drill has failed: {done.proof.problem}", allow_retries=False)


@dg.op(pool=CLUSTER_POOL)
def discard_old(context: dg.OpExecutionContext, config: DryRun, platform: Platform) -> None:
    """Delete what nobody will ask for again."""
    done = retention.discard(platform.settings(), dry_run=config.dry_run)
    context.add_output_metadata({**asdict(done), "dry_run": config.dry_run})


def _report(
    context: dg.OpExecutionContext,
    move: Move,
    *,
    steps: Sequence[str] = (),
    proof: Proof | None = None,
    more: dict[str, Any] | None = None,
) -> None:
    """Put what was done, or would be, into the run and on the job's own page."""
    metadata: dict[str, Any] = {
        "operation": context.job_name,
        "steps": dg.MetadataValue.md("\n".join(f"1. {step}" for step in steps or move.steps)),
        **(more or {}),
    }
    if move.stopped:
        metadata |= {"savepoint": move.stopped.savepoint, "stopped": move.stopped.job_id}
    if move.gap_s is not None:
        metadata["gap_s"] = move.gap_s
    if move.submission:
        metadata |= metadata_of(move.submission)
    if proof:
        metadata |= {name: value for name, value in asdict(proof).items() if value is not None}
    context.add_output_metadata(metadata)
    for step in steps or move.steps:
        context.log.info(step)
    if move.stopped:
        context.log_event(dg.AssetMaterialization(FLINK_JOB, metadata=metadata))


@dg.job(
    executor_def=dg.in_process_executor,
    tags=_TAGS,
    description="Stop the streaming job with a savepoint. It stays stopped until somebody materializes it.",
)
def stop() -> None:
    """Stop."""
    stop_with_savepoint()


@dg.job(
    executor_def=dg.in_process_executor,
    tags=_TAGS,
    description="Go on with another parallelism, from a savepoint; later restarts keep it.",
)
def rescale() -> None:
    """Rescale."""
    change_parallelism()


@dg.job(
    executor_def=dg.in_process_executor,
    tags=_TAGS,
    description="Go on from a chosen checkpoint or savepoint; what came since is read and counted again.",
)
def restore() -> None:
    """Restore."""
    restore_snapshot()


@dg.job(
    executor_def=dg.in_process_executor,
    tags=_TAGS,
    description=(
        "Plan other code, put it in the place of the running one from a savepoint, and prove it by its "
        "checkpoints and a recount of the windows that it closes; if it fails, the old code goes on."
    ),
)
def upgrade_code() -> None:
    """Upgrade."""
    upgrade_job()


@dg.job(
    executor_def=dg.in_process_executor,
    tags=_TAGS,
    description=(
        "Change to code whose windows have another shape (a dimension, a measure): the old code counts up to "
        "the next five-minute boundary, the new code from there, and the migrations that wait run in between."
    ),
)
def hand_over_code() -> None:
    """Hand over."""
    hand_over_job()


@dg.job(
    executor_def=dg.in_process_executor,
    tags=_TAGS,
    description="Savepoint, stop, restore, recount: passes only with nothing lost and nothing doubled.",
)
def restart_drill() -> None:
    """Drill."""
    drill_restart()


@dg.job(
    executor_def=dg.in_process_executor,
    tags=_TAGS,
    description="Delete snapshots, releases and rows that are older than the settings keep them.",
)
def apply_retention() -> None:
    """Discard."""
    discard_old()


weekly_drill: Final = dg.ScheduleDefinition(
    name="weekly_drill",
    job=restart_drill,
    cron_schedule="0 4 * * 2",
    description="A restart on purpose, on a quiet morning: off until it is wanted.",
)

daily_retention: Final = dg.ScheduleDefinition(
    name="daily_retention",
    job=apply_retention,
    cron_schedule="30 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night, what is older than the settings keep it goes.",
)
