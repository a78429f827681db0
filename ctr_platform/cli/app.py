"""Composition of the `ctr` commands and their one error boundary."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from ctr_platform.cli import dead_letters, stack
from ctr_platform.cli.traffic import produce, replay
from ctr_platform.cli.watch import watch
from ctr_platform.errors import CtrError

app = typer.Typer(
    name="ctr",
    help="Run and watch the ad click-through-rate platform.",
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
app.add_typer(dead_letters.app, name="dead-letters")


def main() -> None:
    """Run the command line; a `CtrError` becomes one line and an exit status."""
    try:
        app()
    except CtrError as error:
        Console(stderr=True).print(f"[red]ctr:[/red] {error}", highlight=False, soft_wrap=True)
        sys.exit(error.exit_status)
