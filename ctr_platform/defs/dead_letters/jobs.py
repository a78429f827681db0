"""The job that replays chosen dead letters."""

from datetime import datetime
from typing import Any

import dagster as dg
from pydantic import Field

from ctr_platform.dead_letters.repairs import REPAIRS
from ctr_platform.dead_letters.replay import DEAD, Selection, replay
from ctr_platform.defs.platform import OWNERS, REPLAY_POOL, REPLAYS, Platform
from ctr_platform.errors import CtrError


class ReplayConfig(dg.Config):
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
        default="", description=f"Repair them first by one of {', '.join(REPAIRS)}; empty: as they were."
    )
    dry_run: bool = Field(default=True, description="Say what would be replayed, and change nothing.")


@dg.op(pool=REPLAY_POOL, description="Puts chosen dead records into the raw topic again, each at most once.")
def replay_letters(context: dg.OpExecutionContext, config: ReplayConfig, platform: Platform) -> None:
    """Replay, or say what would be replayed."""
    selection = Selection(
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
        "beyond_repair": done.beyond_repair.total(),
        "by_reason": dg.MetadataValue.json({name: dict(counts) for name, counts in vars(done).items()}),
    }
    context.add_output_metadata(metadata)
    if not config.dry_run:
        context.log_event(dg.AssetMaterialization(REPLAYS, metadata=metadata))


def _moment_ms(text: str) -> int | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CtrError(f"{text!r}: write a moment such as 2026-01-31T09:00Z", exit_status=2) from None
    if moment.tzinfo is None:
        raise CtrError(f"{text!r}: say the time zone too, such as 2026-01-31T09:00Z", exit_status=2)
    return round(moment.timestamp() * 1000)


@dg.job(
    executor_def=dg.in_process_executor,
    tags={"owner": OWNERS[0]},
    description=(
        "Replays dead records, chosen by reason, time or coordinates, as they were or repaired. A dry run "
        "unless told otherwise. Late events are not replayed but merged: see `merge_late`."
    ),
)
def replay_dead_letters() -> None:
    """Replay."""
    replay_letters()
