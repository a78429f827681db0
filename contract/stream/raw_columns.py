"""The columns of `realtime.raw_events`: what of a chosen event is kept for a look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from contract.stream.declaration import kept_column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contract.stream.declaration import Stream
    from contract.stream.event_fields import EventField

RawKind = Literal["string", "int", "long", "boolean", "time"]


@dataclass(frozen=True)
class RawColumn:
    """A column that says something of the event; `created_at`, which Postgres fills, is none."""

    name: str
    field: str
    """Of the event."""

    kind: RawKind
    """What the column holds. `time`: a moment; an enum is a string."""


def raw_columns(stream: Stream, fields: Mapping[str, EventField | None]) -> Iterator[RawColumn]:
    """In the order in which the job writes them; of a declaration without mistakes."""
    event = stream.event
    yield RawColumn("id", event.id, "string")
    yield RawColumn("click", event.click.field, "int")
    for dimension in stream.dimensions:
        # As it is counted: a boolean is a text.
        kind: RawKind = "int" if _kind(fields, dimension.field) == "int" else "string"
        yield RawColumn(dimension.column_name, dimension.field, kind)
    for field in event.kept:
        yield RawColumn(kept_column(field), field, _kind(fields, field))
    yield RawColumn("event_time", event.time.field, "time")


def _kind(fields: Mapping[str, EventField | None], name: str) -> RawKind:
    found = fields[name]
    assert found is not None  # noqa: S101 - else it was a mistake
    return "string" if found.kind == "enum" else found.kind
