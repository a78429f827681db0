"""An operation on the running job: a savepoint to keep, without stopping it."""

from typing import Final

import dagster as dg
from pydantic import Field

from ctr_platform.defs.catalog import CLUSTER_POOL
from ctr_platform.defs.deployments.steps import require_single_job
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.operations import OperationConfig, operation_job
from ctr_platform.resources import Platform

WITHIN_S: Final = 300.0
"""A savepoint of a large state takes a minute or two."""


class SavepointConfig(OperationConfig):
    """Where to put it."""

    directory: str = Field(description="URI of a folder that Flink reaches; retention leaves it alone.")


@dg.op(pool=CLUSTER_POOL)
def take_savepoint(context: dg.OpExecutionContext, config: SavepointConfig, platform: Platform) -> None:
    """Operations of one pool take turns."""
    with FlinkCluster(platform.settings().flink_rest_url) as cluster:
        job = require_single_job(cluster)
        context.log.info("savepoint of %s into %s", job.id, config.directory)
        if not config.dry_run:
            savepoint = cluster.savepoint(job.id, config.directory, WITHIN_S)
            context.add_output_metadata({"savepoint": savepoint})


SAVEPOINT_JOB: Final = operation_job(
    take_savepoint,
    description="Make a savepoint of the running job in a folder of your own; the job goes on.",
    max_runtime_s=600,
)
