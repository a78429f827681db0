"""Composition of the `ctr` commands and their one error boundary."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer
from rich.console import Console

from ctr_platform.cli import dead_letters, stack
from ctr_platform.cli.secret_file import init_secrets
from ctr_platform.cli.traffic import produce, replay
from ctr_platform.cli.watch import watch
from ctr_platform.errors import CtrError

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
app.command()(init_secrets)
app.add_typer(dead_letters.app, name="dead-letters")


def _print_version(*, wanted: bool) -> None:
    if wanted:
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


def main() -> None:
    """Run the command line; a `CtrError` becomes one line and an exit status."""
    try:
        app()
    except CtrError as error:
        Console(stderr=True).print(f"[red]ctr:[/red] {error}", highlight=False, soft_wrap=True)
        sys.exit(error.exit_status)
