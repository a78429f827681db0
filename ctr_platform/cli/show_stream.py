"""What `ctr stream` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from contract.settings import load_settings
from contract.stream.changes import change
from contract.stream.load import load_stream
from ctr_platform.defs.registry.subject import schema_standing
from warehouse.reads import Warehouse
from warehouse.stream_tables import StreamTables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contract.stream.changes import StreamChange
    from contract.stream.load import DeclaredStream
    from warehouse.streams import CountedStream


def show_declaration(folder: Path | None) -> None:
    """Print what a folder declares.

    Raises:
        InvalidStream: it declares no stream.
    """
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


def show_plan(folder: Path | None) -> None:
    """Print what would change if the stream were counted as a folder declares.

    Raises:
        InvalidStream: it declares no stream.
        CtrError: Postgres or the registry is unavailable.
    """
    settings = load_settings()
    declared = load_stream(folder or settings.ctr_stream)
    warehouse = Warehouse(settings.postgres_url)
    try:
        counted = warehouse.stream()
    finally:
        warehouse.close()
    found = change(counted.stream, declared)
    typer.echo(f"counted:  {_by(counted.stream)}")
    typer.echo(f"declared: {_by(declared)}")
    for each in (*found.labels, *found.counting, *found.refused):
        typer.echo(f"  {each}")
    typer.echo(f"schema:   {schema_standing(settings, declared.event_schema)}")
    if found.counting and not found.refused:
        for line in _consequences(counted, declared):
            typer.echo(line)
    typer.echo(_to_do(found))


def _by(stream: DeclaredStream) -> str:
    columns = ", ".join(each.column_name for each in stream.declaration.dimensions)
    return f"{stream.declaration.name}, by {columns}"


def _consequences(counted: CountedStream, declared: DeclaredStream) -> Iterator[str]:
    before, after = counted.tables, StreamTables.of(declared)
    known = {each.name: each for each in before.columns}
    wanted = {each.name: each for each in after.columns}
    tables = ", ".join(each.fullname for each in after.all_tables)
    more = [each for name, each in wanted.items() if name not in known]
    less = [name for name in known if name not in wanted]
    if more or less:
        yield f"tables:   {tables}"
    for each in more:
        kind = "integer" if each.is_number else "text"
        yield f"            + {each.name} {kind}; in windows from before it is {each.unknown}"
    for name in less:
        yield f"            - {name}; what was split by it is summed, and cannot be split again"
    rates = [
        *(f"+ {each.rates_name}" for each in after.columns if each not in before.columns),
        *(f"- {each.rates_name}" for each in before.columns if each not in after.columns),
    ]
    if rates:
        yield f"views:    realtime.metrics_1min and metrics_5min: {', '.join(rates)}"
    yield f"document: segments are [{', '.join((*after.dimensions, 'impressions', 'clicks'))}]"
    yield "state:    of open windows begins anew at the boundary; offsets and watermarks go on"


def _to_do(found: StreamChange) -> str:
    if found.nothing:
        return "nothing to do: it is counted as declared"
    if found.refused:
        return "to do:    give it topics and a database of its own: this is another stream"
    if found.counting:
        return (
            "to do:    run the job cut_over_code, first as a dry run; it takes up to eight minutes, of which "
            "seconds without counting"
        )
    return "to do:    materialize postgres/migrations; nothing is restarted"
