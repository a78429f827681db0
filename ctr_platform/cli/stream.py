"""`ctr stream`: what the platform counts, as it is declared."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `ctr --help` is quick

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Look at the declaration of a stream.")

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
    """Look at the declaration of a stream."""


@app.command()
def check(folder: Folder = None) -> None:
    """Read a declaration, its schema and its files of names, and say of each mistake what to do."""
    from contract.settings import load_settings
    from contract.stream.load import load_stream

    stream = load_stream(folder or load_settings().ctr_stream)
    declared = stream.declaration
    typer.echo(f"{declared.name}: {declared.title['en']}")
    typer.echo(f"  event       {declared.event.avro_schema}, {len(stream.fields)} fields")
    typer.echo(f"  time        {declared.event.time.field}, in {stream.time_unit} since the epoch")
    click = declared.event.click
    typer.echo(f"  click       {click.field}" + (f' = "{click.equals}"' if click.equals else ""))
    for dimension in declared.dimensions:
        names = stream.names.get(dimension.column_name)
        known = f", {len(names)} names" if names is not None else ""
        typer.echo(f"  dimension   {dimension.field} ({dimension.title['en']}){known}")
    for measure in declared.measures:
        typer.echo(f"  measure     {measure.field} ({measure.title['en']})")
