"""The streaming job as an asset: materializing it means that it runs."""

from typing import Any, Final

import dagster as dg
from pydantic import Field

from contract.settings import load_settings
from ctr_platform.defs.catalog import (
    BY_DAGSTER,
    CLUSTER_POOL,
    EVENT_SCHEMA,
    FLINK_JOB,
    FLINK_UI,
    MIGRATIONS,
    OWNERS,
    PROCESSING,
    RAW_EVENTS,
    TOPICS,
    web_page,
)
from ctr_platform.defs.flink_job.deploy import Submission, bring_up, start
from ctr_platform.defs.flink_job.desired_state import current_desired_state
from ctr_platform.defs.flink_job.releases import release_name
from ctr_platform.resources import Platform
from flink.config import JOB_NAME

WHY: Final = "ctr/why"
"""Tag of a run that the supervisor has asked for: the problem."""

DETAIL: Final = "ctr/detail"
"""And what it has seen of it."""


class BringUp(dg.Config):
    """How to start the job if it does not run."""

    from_nothing: bool = Field(
        default=False,
        description="Start at the topic's beginning although the job has run before: only where its "
        "snapshots are lost.",
    )
    restore_from: str | None = Field(
        default=None,
        description="URI of a complete snapshot to begin with, whoever took it: only where the job's own "
        "are lost.",
    )
    replace: list[str] = Field(
        default_factory=list,
        description="Ids of jobs to cancel first, which no longer do their work; one that has ended since "
        "is ignored.",
    )


@dg.asset(
    key=FLINK_JOB,
    deps=[TOPICS, RAW_EVENTS, EVENT_SCHEMA, MIGRATIONS],
    group_name=PROCESSING,
    kinds={"flink", "java", "python", "sql"},
    owners=OWNERS,
    tags=BY_DAGSTER,
    pool=CLUSTER_POOL,
    description=(
        "The streaming job: reads the raw topic once, decides every record's outcome, and keeps the windows "
        "of 1 and 5 minutes in Postgres, Redis and Kafka. Materialized means: it runs."
    ),
)
def ctr_windows(
    context: dg.AssetExecutionContext, config: BringUp, platform: Platform
) -> dg.MaterializeResult[None]:
    """Submit the job from its newest allowed snapshot, unless it runs already.

    A person who materializes this wants the job to run; the supervisor only what is wanted already.
    """
    settings = platform.settings()
    tags = context.run.tags
    why = f"{tags[WHY]}: {tags.get(DETAIL, '')}" if WHY in tags else None
    desired = current_desired_state(settings) if why else None
    if desired is not None and not desired.running:
        context.log.info("%s has been stopped meanwhile: %s", JOB_NAME, desired.why)
        return dg.MaterializeResult(metadata={"left_stopped": desired.why})
    submission = (
        bring_up(settings, desired, replace_jobs=config.replace)
        if desired
        else start(
            settings,
            from_nothing=config.from_nothing,
            restore_from=config.restore_from,
            replace_jobs=config.replace,
            why=why or f"run {context.run.run_id[:8]}",
        )
    )
    return dg.MaterializeResult(metadata={"why": why or "by hand", **metadata_of(submission)})


def metadata_of(submission: Submission) -> dict[str, Any]:
    """What the asset's page shows of it."""
    newest = release_name()
    return {
        "job_id": submission.job_id,
        "job": dg.MetadataValue.url(submission.url),
        "parallelism": submission.parallelism,
        "restored_from": submission.restored_from or "nothing: the topic's beginning",
        "passed_over": dg.MetadataValue.json(submission.skipped),
        "already_running": submission.already_running,
        "release": submission.release,
        "newest_code": "runs" if submission.release == newest else f"{newest} is not deployed: run upgrade",
    }


def _flink_ui(url: str) -> dg.AssetSpec:
    """The cluster's own pages."""
    return web_page(
        FLINK_UI,
        [FLINK_JOB],
        group=PROCESSING,
        kind="flink",
        url=url,
        description="Flink's web UI: the job's graph, checkpoints, back pressure and exceptions.",
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Define the job, and the cluster's pages at their address."""
    settings = load_settings()
    return dg.Definitions(assets=[ctr_windows, _flink_ui(settings.flink_ui_url or settings.flink_rest_url)])
