"""`ctr stream`: what the platform counts, as it is declared."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `ctr --help` is quick

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True, help="Look at the declaration of a stream, and at what a change of it takes."
)

Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="FOLDER",
        help="Folder that holds `stream.toml`; `CTR_STREAM` if left out, else the one that ships.",
        show_default=False,
    ),
]


@app.callback()
def _stream() -> None:
    """Look at the declaration of a stream, and at what a change of it takes."""


@app.command()
def check(folder: Folder = None) -> None:
    """Read a declaration, its schema and its files of names, and say of each mistake what to do."""
    from ctr_platform.cli.show_stream import show_declaration

    show_declaration(folder)


@app.command()
def plan(folder: Folder = None) -> None:
    """Compare a declaration with what is counted now: what would change, and which operation it takes."""
    from ctr_platform.cli.show_stream import show_plan

    show_plan(folder)
