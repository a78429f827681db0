"""Operations: Dagster jobs that a person launches, each a single op of the same name."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import dagster as dg
from pydantic import Field

from contract.errors import UsageError
from ctr_platform.defs.catalog import LONGEST_TAG, MAX_RUNTIME, OWNERS, REFUSED

LAUNCHED_BY: Final = frozenset({"dagster/schedule_name", "dagster/sensor_name"})
"""Dagster's tags of runs that no person has launched."""


class OperationConfig(dg.Config):
    """What every operation is asked: it is a dry run until somebody says otherwise."""

    dry_run: bool = Field(default=True, description="Log what would be done, and change nothing.")


def moment(text: str) -> datetime:
    """Read a moment as an operation's config holds it, such as 2026-01-31T09:00Z.

    Raises:
        UsageError: it is none, or has no time zone.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r}: write a moment such as 2026-01-31T09:00Z") from None
    if read.tzinfo is None:
        raise UsageError(f"{text!r}: say the time zone too, such as 2026-01-31T09:00Z")
    return read


@dg.failure_hook
def mark_refusal(context: dg.HookContext) -> None:
    """Mark a run of a person who asked what cannot be done: nothing has changed, and no alert lasts.

    What a schedule or a sensor asks in vain is an alert: nobody would see it.
    """
    run = context.instance.get_run_by_id(context.run_id)
    by_person = run is not None and not LAUNCHED_BY.intersection(run.tags)
    if by_person and isinstance(context.op_exception, UsageError):
        context.instance.add_run_tags(context.run_id, {REFUSED: str(context.op_exception)[:LONGEST_TAG]})


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
        hooks={mark_refusal},
        tags={"owner": OWNERS[0], MAX_RUNTIME: str(max_runtime_s), **(tags or {})},
        description=description,
    )
