"""Composition of the `ctr` commands and their one error boundary."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `ctr --help` is quick

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from contract.errors import CtrError, StackDown, UsageError
from ctr_platform.cli import alerts, dead_letters, stack, stream
from ctr_platform.cli.follow import follow
from ctr_platform.cli.init_secrets import init_secrets
from ctr_platform.cli.traffic import produce, replay
from ctr_platform.cli.watch import watch

app = typer.Typer(
    name="ctr",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

app.command()(produce)
app.command()(replay)
app.command()(stack.up)
app.command()(stack.down)
app.command()(stack.status)
app.command()(stack.env)
app.command()(stack.logs)
app.command()(stack.doctor)
app.command()(stack.fetch)
app.command()(watch)
app.command()(follow)
app.command()(init_secrets)
app.add_typer(alerts.app, name="alerts")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(stream.app, name="stream")


def _print_version(*, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"ctr {version('ctr-platform')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it and exit.")
    ] = False,
) -> None:
    """Run and watch the ad click-through-rate platform."""


EXIT_STATUSES: Final = ((StackDown, 3), (UsageError, 2), (CtrError, 1))
"""What the shell gets for an error: the status of the first class that it is one of."""


def exit_status(error: CtrError) -> int:
    """The status with which the command ends that raised this."""
    return next(status for kind, status in EXIT_STATUSES if isinstance(error, kind))


def main() -> None:
    """Run the command line; a `CtrError` becomes one line and an exit status."""
    try:
        app()
    except CtrError as error:
        from rich.console import Console

        Console(stderr=True).print(f"[red]ctr:[/red] {error}", highlight=False, soft_wrap=True)
        sys.exit(exit_status(error))
