"""The jobs by which a person accepts windows, gaps and missing dead letters as they are."""

from dataclasses import asdict
from typing import Final

import dagster as dg
from pydantic import Field

from ctr_platform.defs.catalog import table_of
from ctr_platform.defs.operations import OperationConfig, moment, operation_job
from ctr_platform.defs.reconciliation.awaited_letters import acknowledge_missing
from ctr_platform.defs.reconciliation.gaps import acknowledge_gaps
from ctr_platform.defs.reconciliation.inexact import acknowledge
from ctr_platform.resources import Platform

LONGEST_RUN_S: Final = 300
"""It is one statement."""


class AcknowledgeConfig(OperationConfig):
    """Which windows, and why."""

    first_window: str = Field(description="Start of the first window, such as 2026-01-31T09:05Z.")
    last_window: str = Field(default="", description="Start of the last one; empty: the first alone.")
    why: str = Field(min_length=1, description="The reason, for those who look at these windows later.")


@dg.op
def acknowledge_windows(
    context: dg.OpExecutionContext, config: AcknowledgeConfig, platform: Platform
) -> None:
    """Accept windows that are not exact: `windows_exact` passes without them, until their figures change."""
    first = moment(config.first_window)
    last = moment(config.last_window or config.first_window)
    windows = acknowledge(platform.settings(), first, last, why=config.why, dry_run=config.dry_run)
    context.add_output_metadata(
        {
            "dry_run": config.dry_run,
            "windows": table_of(
                [{name: str(value) for name, value in asdict(each).items()} for each in windows]
            ),
        }
    )


class ReasonConfig(OperationConfig):
    """Why what was found may stay as it is."""

    why: str = Field(min_length=1, description="The reason, for those who look at it later.")


@dg.op
def acknowledge_offset_gaps(context: dg.OpExecutionContext, config: ReasonConfig, platform: Platform) -> None:
    """Accept records that were deleted unread: `nothing_deleted_unread` passes until there are more."""
    gaps = acknowledge_gaps(platform.settings(), why=config.why, dry_run=config.dry_run)
    context.add_output_metadata(
        {"dry_run": config.dry_run, "gaps": table_of([asdict(each) for each in gaps])}
    )


@dg.op
def acknowledge_missing_letters(
    context: dg.OpExecutionContext, config: ReasonConfig, platform: Platform
) -> None:
    """Accept rejected records without a dead letter: `records_conserved` passes until there are more."""
    records = acknowledge_missing(platform.settings(), why=config.why, dry_run=config.dry_run)
    context.add_output_metadata(
        {"dry_run": config.dry_run, "records": table_of([asdict(each) for each in records])}
    )


ACKNOWLEDGE_LETTERS_JOB: Final = operation_job(
    acknowledge_missing_letters,
    description=(
        "Accepts that records were dead or late and have no dead letter. They are in the raw topic until its "
        "retention ends, and stay on record in quality.awaited_letters."
    ),
    max_runtime_s=LONGEST_RUN_S,
)


ACKNOWLEDGE_GAPS_JOB: Final = operation_job(
    acknowledge_offset_gaps,
    description=(
        "Accepts the open gaps: records that retention has deleted before the job, the recount or the merge "
        "had read them. They stay on record in quality.offset_gaps."
    ),
    max_runtime_s=LONGEST_RUN_S,
)


ACKNOWLEDGE_JOB: Final = operation_job(
    acknowledge_windows,
    description=(
        "Accepts windows that are not exact and cannot be made so: what retention has deleted cannot be "
        "recomputed. They stay on record, and are an error again when their figures change."
    ),
    max_runtime_s=LONGEST_RUN_S,
)
