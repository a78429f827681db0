"""The jobs by which people answer to alerts; `ctr alerts` does the same from a shell."""

from datetime import timedelta
from typing import Any, Final

import dagster as dg
from pydantic import Field

from ctr_platform.defs.alerts.responses import Response, acknowledge, mute, unmute
from ctr_platform.defs.operations import OperationConfig, operation_job
from ctr_platform.resources import Platform

LONGEST_RUN_S: Final = 300
"""It is a statement or two."""


class ResponseConfig(OperationConfig):
    """Which alerts, who answers, and why."""

    pattern: str = Field(
        min_length=1, description="Keys of the alerts; * stands for any text, as in check:redis/*."
    )
    by: str = Field(min_length=1, description="Who answers.")
    why: str = Field(min_length=1, description="The reason, for those who ask later.")


class MuteConfig(ResponseConfig):
    """And how long."""

    minutes: float = Field(ge=0, description="How long; 0 ends the mutes of this very pattern.")


@dg.op
def acknowledge_alerts(context: dg.OpExecutionContext, config: ResponseConfig, platform: Platform) -> None:
    """Take open alerts in hand."""
    settings = platform.settings()
    done = acknowledge(settings, config.pattern, by=config.by, why=config.why, dry_run=config.dry_run)
    context.add_output_metadata(_metadata(config, done))


@dg.op
def mute_alerts(context: dg.OpExecutionContext, config: MuteConfig, platform: Platform) -> None:
    """Mute alerts, or end a mute."""
    settings = platform.settings()
    if config.minutes == 0:
        done = unmute(settings, config.pattern, dry_run=config.dry_run)
    else:
        duration = timedelta(minutes=config.minutes)
        done = mute(settings, config.pattern, duration, by=config.by, why=config.why, dry_run=config.dry_run)
    context.add_output_metadata(_metadata(config, done))


def _metadata(config: OperationConfig, done: Response) -> dict[str, Any]:
    until = {} if done.until is None else {"until": dg.MetadataValue.timestamp(done.until)}
    return {"dry_run": config.dry_run, "open_alerts": done.keys, **until}


ACKNOWLEDGE_JOB: Final = operation_job(
    acknowledge_alerts,
    description="Takes open alerts in hand: people are not notified of them again until they are over.",
    max_runtime_s=LONGEST_RUN_S,
)
MUTE_JOB: Final = operation_job(
    mute_alerts,
    description="Mutes alerts for a while, or ends that: what is still open then is notified.",
    max_runtime_s=LONGEST_RUN_S,
)
