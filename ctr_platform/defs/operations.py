"""Operations: Dagster jobs that a person launches, each a single op of the same name."""

from collections.abc import Mapping

import dagster as dg
from pydantic import Field

from ctr_platform.defs.catalog import MAX_RUNTIME, OWNERS


class OperationConfig(dg.Config):
    """What every operation is asked: it is a dry run until somebody says otherwise."""

    dry_run: bool = Field(default=True, description="Log what would be done, and change nothing.")


def operation_job(
    op: dg.OpDefinition, *, description: str, max_runtime_s: int, tags: Mapping[str, str] | None = None
) -> dg.JobDefinition:
    """Make a job of one op, so that whoever writes run config knows the op's name: it is the job's.

    Args:
        op: what is done.
        description: shown beside the job.
        max_runtime_s: after so many seconds Dagster's run monitoring ends the run: it hangs.
        tags: of every run besides the owner's.
    """
    # A graph may not have the name of an op in it, but a job may.
    graph = dg.GraphDefinition(name=f"{op.name}_graph", node_defs=[op])
    return graph.to_job(
        name=op.name,
        executor_def=dg.in_process_executor,
        tags={"owner": OWNERS[0], MAX_RUNTIME: str(max_runtime_s), **(tags or {})},
        description=description,
    )
