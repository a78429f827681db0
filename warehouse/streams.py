"""The stream that is counted: the declaration by which the tables got their shape, on record in Postgres.

What a folder declares now may be ahead of it, until a cutover.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, insert, select

from contract.errors import WarehouseUnavailable
from contract.stream.load import parse_stream
from warehouse.models.stream import StreamRow
from warehouse.stream_tables import StreamTables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from contract.stream.load import DeclaredStream

    Kept = tuple[str, str, datetime | None]

REMEMBERED: Final = 8
"""Histories of declarations that a process keeps read: one, and a few more in a test."""


@dataclass(frozen=True)
class CountedStream:
    """A stream, the tables that hold it, and since when they do."""

    stream: DeclaredStream
    tables: StreamTables
    counted_from: datetime | None
    """Start of the first window that was counted by it; None: all were."""

    since: Mapping[str, datetime]
    """By column of a dimension that was added: the first window that is split by it. In earlier ones it has
    its `unknown` value; a dimension that is not here was always there."""


def counted_stream(connection: Connection) -> CountedStream:
    """The stream that is counted now.

    Raises:
        WarehouseUnavailable: the warehouse is not migrated yet.
    """
    rows = connection.execute(
        select(StreamRow.declaration, StreamRow.event_schema, StreamRow.counted_from).order_by(
            StreamRow.number
        )
    )
    kept = tuple(tuple(row) for row in rows)
    if not kept:
        raise WarehouseUnavailable("the warehouse is not migrated yet: no stream is on record")
    return _counted(kept)


def tables_of(connection: Connection) -> StreamTables:
    """The tables whose columns the counted stream has declared."""
    return counted_stream(connection).tables


def record_stream(
    connection: Connection, stream: DeclaredStream, counted_from: datetime | None = None
) -> None:
    """Put on record that the tables hold this stream from now on."""
    connection.execute(
        insert(StreamRow).values(
            declaration=stream.text, event_schema=stream.event_schema, counted_from=counted_from
        )
    )


@lru_cache(maxsize=REMEMBERED)
def _counted(kept: tuple[Kept, ...]) -> CountedStream:
    since: dict[str, datetime] = {}
    before: set[str] | None = None
    latest: datetime | None = None
    for text, schema, counted_from in kept:
        stream = parse_stream(text, schema)
        columns = {each.column_name for each in stream.declaration.dimensions}
        since = {name: start for name, start in since.items() if name in columns}
        if before is not None and counted_from is not None:
            since |= dict.fromkeys(columns - before, counted_from)
        before, latest = columns, counted_from or latest
    return CountedStream(stream, StreamTables.of(stream), latest, since)
