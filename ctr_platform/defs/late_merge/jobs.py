"""The job that merges late events into their closed windows."""

import dagster as dg

from ctr_platform.defs.platform import LATE_EVENTS, MERGE_POOL, OWNERS, Platform
from ctr_platform.late_merge.merge import merge_late_events
from ctr_platform.late_merge.publish import publish_revisions


class MergeConfig(dg.Config):
    """How to merge."""

    dry_run: bool = False
    """Say what would be merged, and change nothing."""


@dg.op(
    pool=MERGE_POOL,
    description="Puts late events of closed windows into realtime.late_events, each once.",
)
def merge(context: dg.OpExecutionContext, config: MergeConfig, platform: Platform) -> bool:
    """Merge; hands on whether documents are to be published."""
    done = merge_late_events(platform.settings(), dry_run=config.dry_run)
    metadata = {
        "merged": done.merged,
        "already_merged": done.already_merged,
        "waiting": done.waiting,
        "windows_1min": sum(kind == "1min" for kind, _ in done.windows),
        "windows_5min": sum(kind == "5min" for kind, _ in done.windows),
        "dry_run": config.dry_run,
    }
    context.add_output_metadata(metadata)
    if not config.dry_run:
        context.log_event(dg.AssetMaterialization(LATE_EVENTS, metadata=metadata))
    return not config.dry_run


@dg.op(
    pool=MERGE_POOL,
    description="Publishes the documents of revised windows to Redis and ctr_windows, also after a restore.",
)
def publish(context: dg.OpExecutionContext, wanted: bool, platform: Platform) -> None:  # noqa: FBT001
    """Publish every revision that readers lack."""
    if not wanted:
        return
    done = publish_revisions(platform.settings())
    context.add_output_metadata({"documents": done.documents, "written_again": done.overwritten})


@dg.job(
    executor_def=dg.in_process_executor,
    tags={"owner": OWNERS[0]},
    description=(
        "Merges late events into their closed windows: the views show them, and the windows' documents are "
        "published with a higher revision. To run it twice changes nothing."
    ),
)
def merge_late() -> None:
    """Merge, then publish."""
    publish(merge())
