"""The fields of a declared stream's events, by what synthetic events and click logs need to know of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from contract.avro import Boolean, Budget, Bytes, Enum, Fixed, Int, Long, Null, Record, String, Union
from contract.avro_schema import type_of

if TYPE_CHECKING:
    from contract.avro import Type
    from contract.stream.load import DeclaredStream

_FLOATS: Final = ("float", "double")

_ZEROS: Final = bytes(1 << 16)
"""They begin with a value of any type: 0, an empty text, the first symbol, a record of such values."""


@dataclass(frozen=True)
class SchemaField:
    """A field of the Avro schema."""

    name: str
    kind: str
    """`string`, `int`, `long`, `double`, `boolean` or `enum`; else `other`."""
    nullable: bool
    has_default: bool
    symbols: tuple[str, ...]
    """Of an enum."""
    logical_type: str | None
    empty: Any
    """A value that is as good as none: null, 0, an empty text."""
    default_bytes: bytes | None
    """The default of bytes: JSON has them as a text."""


def schema_fields(stream: DeclaredStream) -> list[SchemaField]:
    """Return the fields in the order of the schema."""
    schema = json.loads(stream.event_schema)
    record = type_of(schema)
    assert isinstance(record, Record)  # noqa: S101 - else the stream would not have been read
    return [_field(each, record.fields[each["name"]]) for each in schema["fields"]]


def _field(described: Any, kind: Type) -> SchemaField:
    written, branches = described["type"], [kind]
    if isinstance(kind, Union):
        pairs = [
            each
            for each in zip(written, kind.branches, strict=True)
            if isinstance(written, list) and not isinstance(each[1], Null)
        ]
        branches = [branch for _, branch in pairs]
        written = pairs[0][0] if pairs else None
    alone = branches[0] if len(branches) == 1 else None
    logical = written.get("logicalType") if isinstance(written, dict) else None
    nullable = isinstance(kind, Union) and any(isinstance(each, Null) for each in kind.branches)
    return SchemaField(
        name=described["name"],
        kind=_kind(alone, written),
        nullable=nullable,
        has_default="default" in described,
        symbols=tuple(alone.symbols) if isinstance(alone, Enum) else (),
        logical_type=logical if isinstance(logical, str) else None,
        empty=None if nullable else kind.read(_ZEROS, 0, 0, Budget())[0],
        default_bytes=_default_bytes(described.get("default"), kind),
    )


def _default_bytes(default: Any, kind: Type) -> bytes | None:
    # A default is one of a union's first branch.
    first = kind.branches[0] if isinstance(kind, Union) else kind
    if isinstance(default, str) and isinstance(first, Bytes | Fixed) and not isinstance(first, String):
        return default.encode("latin-1")
    return None


def _kind(kind: Type | None, written: Any) -> str:
    name = written.get("type") if isinstance(written, dict) else written
    if name in _FLOATS:
        return "double"
    for of, called in (
        (String, "string"),
        (Boolean, "boolean"),
        (Int, "int"),
        (Long, "long"),
        (Enum, "enum"),
    ):
        if isinstance(kind, of):
            return called
    return "other"
