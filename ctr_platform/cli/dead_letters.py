"""`ctr dead-letters`: what was refused, and why."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `ctr --help` is quick

from __future__ import annotations

import re
from typing import Annotated, Final

import typer

from contract.errors import UsageError

app: Final = typer.Typer(
    help="Look into the dead letter queue: late and dead records, with the reason.", no_args_is_help=True
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, a line for each.")]


@app.command("list")
def list_reasons(
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many of the newest messages of each partition.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Count the rejected records by reason."""
    from ctr_platform.cli.show_dead_letters import show_reasons

    show_reasons(limit, as_json=as_json)


@app.command()
def sample(
    reason: Annotated[str | None, typer.Option(help="Only records refused for this.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 10,
    *,
    as_json: AsJson = False,
) -> None:
    """Show rejected records, decoded where that is possible."""
    from ctr_platform.cli.show_dead_letters import show_sample

    show_sample(reason, limit, as_json=as_json)


@app.command()
def show(
    coordinates: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="Of the rejected record.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one rejected record with everything that is known of it."""
    if re.fullmatch(r"\d+:\d+", coordinates) is None:
        raise UsageError(f"{coordinates!r}: write PARTITION:OFFSET, such as 2:1047")
    from ctr_platform.cli.show_dead_letters import show_record

    show_record(coordinates, as_json=as_json)
