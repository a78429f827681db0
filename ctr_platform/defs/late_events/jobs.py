"""The job that merges late events into their closed windows."""

from typing import Final

import dagster as dg

from ctr_platform.defs.catalog import LATE_EVENTS, MERGE_POOL
from ctr_platform.defs.late_events import merge
from ctr_platform.defs.late_events.publish import publish_revisions
from ctr_platform.defs.operations import OperationConfig, operation_job
from ctr_platform.resources import Platform

LONGEST_RUN_S: Final = 3600
"""A merge reads the error topic, as far as retention keeps it: minutes; one that takes longer hangs."""


@dg.op(pool=MERGE_POOL)
def merge_late_events(context: dg.OpExecutionContext, config: OperationConfig, platform: Platform) -> None:
    """Put late events of closed windows into `realtime.late_events`, each once; publish revised documents."""
    settings = platform.settings()
    context.log.info("read the late events of the error topic")
    merged = merge.merge_late_events(settings, dry_run=config.dry_run)
    metadata = {
        "merged": merged.merged,
        "already_merged": merged.already_merged,
        "waiting": merged.waiting,
        "windows_1min": sum(kind == "1min" for kind, _ in merged.windows),
        "windows_5min": sum(kind == "5min" for kind, _ in merged.windows),
        "dry_run": config.dry_run,
    }
    if not config.dry_run:
        context.log_event(dg.AssetMaterialization(LATE_EVENTS, metadata=metadata))
        context.log.info("publish the documents of revised windows")
        # Also those that a job, restored from before an earlier merge, has written again.
        published = publish_revisions(settings)
        metadata |= {"documents": published.documents, "written_again": published.overwritten}
    context.add_output_metadata(metadata)


MERGE_JOB: Final = operation_job(
    merge_late_events,
    description=(
        "Merges late events into their closed windows: the views show them, and the windows' documents are "
        "published with a higher revision. To run it twice changes nothing."
    ),
    max_runtime_s=LONGEST_RUN_S,
)
