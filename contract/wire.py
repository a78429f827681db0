"""The Confluent wire format: a zero, the id of the writer's schema in four bytes, and the event in Avro."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from contract.avro import Budget, Record
from contract.avro_schema import NotAvro, names_of, type_of
from contract.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

HEADER_BYTES: Final = 5

NOT_WIRE_FORMAT: Final = "not in Confluent wire format (magic byte 0, 4 bytes of schema id, Avro)"
BYTES_LEFT_OVER: Final = "bytes are left over after the last field"

_FIELD_DEPTH: Final = 0
"""Of the event's own fields: it does not count as nesting."""


def schema_id(value: bytes | None) -> int:
    """Return the id in a value's header.

    Raises:
        Malformed: it has none.
    """
    if value is None or len(value) < HEADER_BYTES or value[0] != 0:
        raise Malformed(NOT_WIRE_FORMAT)
    return int.from_bytes(value[1:HEADER_BYTES], "big", signed=True)


def event_type(schema: Any, referenced: Sequence[Any] = ()) -> Record | None:
    """Return the type of the events that a schema describes; None: it describes none.

    Args:
        schema: of the registry, parsed JSON.
        referenced: schemas that it refers to, each after those that it refers to itself.
    """
    known: dict[str, Any] = {}
    try:
        for each in referenced:
            known = names_of(each, known)
        found = type_of(schema, known)
    except (NotAvro, RecursionError):
        return None
    return found if isinstance(found, Record) else None


def event_end(value: bytes, event: Record) -> int:
    """Return where the event that a value begins with ends; see `read_event`."""
    schema_id(value)
    at = HEADER_BYTES
    for field in event.fields.values():
        at = field.skip(value, at, _FIELD_DEPTH)
    return at


def read_event(value: bytes, event: Record, names: Collection[str] | None = None) -> dict[str, Any]:
    """Return the event that a value is, whole and with nothing left over.

    Args:
        value: of a Kafka record.
        event: the type that the value's schema id stands for.
        names: the fields that are wanted; None: all. The others are passed over, whatever they hold.

    Raises:
        Malformed: it is none, or the wanted fields hold too many values.
    """
    schema_id(value)
    at, budget = HEADER_BYTES, Budget()
    found = {}
    for name, field in event.fields.items():
        if names is None or name in names:
            found[name], at = field.read(value, at, _FIELD_DEPTH, budget)
        else:
            at = field.skip(value, at, _FIELD_DEPTH)
    if at != len(value):
        raise Malformed(BYTES_LEFT_OVER)
    return found
