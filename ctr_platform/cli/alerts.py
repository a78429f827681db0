"""`ctr alerts`: what is wrong, and what people answer to it."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `ctr --help` is quick

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from ctr_platform.defs.alerts.responses import Response

app: Final = typer.Typer(help="See what is wrong, and answer to it.", no_args_is_help=True)

Pattern = Annotated[
    str, typer.Argument(metavar="KEY", help="Key of an alert; * stands for any text: 'check:redis/*'.")
]
Why = Annotated[str, typer.Option(help="The reason, for those who ask later.")]
By = Annotated[str, typer.Option(help="Who answers.", default_factory=getpass.getuser, show_default="you")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say which open alerts it is about.")]


@app.command("list")
def list_alerts(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON, a line for each.")] = False
) -> None:
    """List the open alerts, the newest first, and the mutes."""
    from ctr_platform.cli.show_alerts import show_alerts

    show_alerts(as_json=as_json)


@app.command()
def acknowledge(pattern: Pattern, why: Why, by: By, *, dry_run: DryRun = False) -> None:
    """Take open alerts in hand: they are not repeated until they are over."""
    from contract.settings import load_settings
    from ctr_platform.defs.alerts import responses

    done = responses.acknowledge(load_settings(), pattern, by=by, why=why, dry_run=dry_run)
    _say("acknowledged", done, dry_run=dry_run)


@app.command()
def mute(
    pattern: Pattern,
    why: Why,
    by: By,
    duration: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long, such as 30m or 2h.")],
    *,
    dry_run: DryRun = False,
) -> None:
    """Notify nobody of some alerts for a while; then of what is still open."""
    from datetime import timedelta

    from contract.settings import load_settings
    from ctr_platform.cli.units import duration_ms
    from ctr_platform.defs.alerts import responses

    length = timedelta(milliseconds=duration_ms(duration))
    done = responses.mute(load_settings(), pattern, length, by=by, why=why, dry_run=dry_run)
    _say(f"muted until {done.until:%Y-%m-%d %H:%M:%S} UTC", done, dry_run=dry_run)


@app.command()
def unmute(pattern: Pattern, *, dry_run: DryRun = False) -> None:
    """End the mutes of a pattern, written as it was when they began."""
    from contract.settings import load_settings
    from ctr_platform.defs.alerts import responses

    _say("no longer muted", responses.unmute(load_settings(), pattern, dry_run=dry_run), dry_run=dry_run)


def _say(what: str, done: Response, *, dry_run: bool) -> None:
    would = "dry run, nothing has changed: " if dry_run else ""
    typer.echo(f"{would}{what}; open alerts: {', '.join(done.keys) or 'none'}")
