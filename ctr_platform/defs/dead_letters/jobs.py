"""The job that replays chosen dead letters."""

from typing import Any, Final

import dagster as dg
from pydantic import Field

from ctr_platform.defs.catalog import REPLAY_POOL, REPLAYS
from ctr_platform.defs.dead_letters.fixes import FIXES
from ctr_platform.defs.dead_letters.replay import DEAD, ReplaySelection, replay
from ctr_platform.defs.operations import OperationConfig, moment, operation_job
from ctr_platform.resources import Platform

LONGEST_RUN_S: Final = 3600
"""A replay of everything that a topic's retention keeps takes minutes; one that takes longer hangs."""


class ReplayConfig(OperationConfig):
    """Which dead records to replay, and how."""

    reasons: list[str] = Field(default=[], description=f"Of {', '.join(DEAD)}; empty: all of them.")
    refused_from: str = Field(
        default="", description="Refused at this moment or later, such as 2026-01-31T09:00Z."
    )
    refused_until: str = Field(default="", description="Refused before this moment.")
    coordinates: list[str] = Field(
        default=[], description="PARTITION:OFFSET of the records; empty: all chosen."
    )
    repair: str = Field(
        default="", description=f"Mend them first by one of {', '.join(FIXES)}; empty: as they were."
    )


@dg.op(pool=REPLAY_POOL, description="Puts chosen dead records into the raw topic again, each at most once.")
def replay_dead_letters(context: dg.OpExecutionContext, config: ReplayConfig, platform: Platform) -> None:
    """Replay, or say what would be replayed."""
    selection = ReplaySelection(
        reasons=config.reasons,
        from_ms=_moment_ms(config.refused_from),
        until_ms=_moment_ms(config.refused_until),
        coordinates=config.coordinates,
    )
    done = replay(
        platform.settings(),
        selection,
        repair=config.repair or None,
        dry_run=config.dry_run,
        run_id=context.run_id,
    )
    metadata: dict[str, Any] = {
        "dry_run": config.dry_run,
        "replayed": done.replayed.total(),
        "already_replayed": done.already_replayed.total(),
        "beyond_repair": done.unfixable.total(),
        "by_reason": dg.MetadataValue.json({name: dict(counts) for name, counts in vars(done).items()}),
    }
    context.add_output_metadata(metadata)
    if not config.dry_run:
        context.log_event(dg.AssetMaterialization(REPLAYS, metadata=metadata))


def _moment_ms(text: str) -> int | None:
    return round(moment(text).timestamp() * 1000) if text else None


REPLAY_JOB: Final = operation_job(
    replay_dead_letters,
    description=(
        "Replays dead records, chosen by reason, time or coordinates, as they were or mended. Late events "
        "are not replayed but merged: see `merge_late_events`."
    ),
    max_runtime_s=LONGEST_RUN_S,
)
