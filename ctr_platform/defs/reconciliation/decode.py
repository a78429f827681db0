"""Many records of the raw topic at once: the fields that count, or why a record is dead.

Independent of the job's decoder: records whose writer schema holds no array, map or record are decoded by
array operations on all of them together, all others one by one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from contract.avro import Boolean, Bytes, Enum, Fixed, Int, Long, Null, Type, Union
from contract.errors import Malformed
from contract.wire import HEADER_BYTES, read_event
from ctr_platform.defs.reconciliation.text import normal_text
from ctr_platform.defs.reconciliation.varint import Cursors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from contract.avro import Record
    from contract.stream.event_fields import EventField
    from contract.stream.load import DeclaredStream

    Ints = NDArray[np.int64]
    EventTypes = Callable[[int], Record | None]

VALID: Final = ""
"""`Decoded.dead` of a record that is not."""

UNKNOWN_NUMBER: Final = -1
"""Of a dimension that is a number, in windows from before there was such a dimension."""

_BLANK: Final = b""
"""Stands for a text that is missing."""


@dataclass(frozen=True)
class WriterSchema:
    """A usable schema of the registry."""

    event: Record
    flat: bool
    """Whether arrays can decode its events: none of its fields holds an array, a map or a record."""


@dataclass(frozen=True)
class Decoded:
    """What N records say, field by field; the values of dead records mean nothing."""

    dead: NDArray[np.object_]
    """`malformed`, `unknown_schema`, or `VALID`; click and time are not judged here."""

    timestamp_ms: Ints
    click: Ints
    dimensions: dict[str, NDArray[Any]]
    """By column: int64[N] of an int, else texts as they count, object[N]."""

    measures: dict[str, Ints]
    """By column, what is summed: int64[N]."""


class Decoder:
    """Decodes the events of a declared stream.

    What a schema id means never changes: it is asked for once. Make a new one for every pass: new ids appear.
    """

    def __init__(
        self,
        stream: DeclaredStream,
        event_types: EventTypes,
        since: Mapping[str, datetime] = MappingProxyType({}),
    ) -> None:
        """Decode events of a stream.

        Args:
            stream: the declared one.
            event_types: gives the type of a schema id's events; None: nobody knows it, or it has none.
            since: by column of a dimension, the first window that is split by it: of events before, it says
                nothing.
        """
        declared = stream.declaration
        self._event_types = event_types
        self._known: dict[int, WriterSchema | None] = {}
        self._fields = stream.fields
        self._time = declared.event.time.field
        self._unit = stream.time_unit
        self._click = declared.event.click.field
        self._clicked = declared.event.click.equals
        self._dimensions = declared.dimensions
        self._read = {self._time, self._click, *(each.field for each in self._dimensions)}
        self._defaults = {
            each["name"]: each["default"]
            for each in json.loads(stream.event_schema)["fields"]
            if "default" in each
        }
        self._since_ms = {column: round(1000 * start.timestamp()) for column, start in since.items()}
        self._measures = declared.measures
        self._summed = {each.field for each in declared.measures}
        self._read |= self._summed

    # ---- which schemas can be read ---------------------------------------------------------------

    def _schema(self, identifier: int) -> WriterSchema | None:
        """What events of a schema id are good for; None if it is not known, or they lack a needed field."""
        if identifier not in self._known:
            self._known[identifier] = self._usable(self._event_types(identifier))
        return self._known[identifier]

    def _usable(self, event: Record | None) -> WriterSchema | None:
        if event is None or not all(self._has(event, name) for name in self._fields):
            return None
        return WriterSchema(event, all(_is_flat(each) for each in event.fields.values()))

    def _has(self, event: Record, name: str) -> bool:
        """Whether a declared field is there as it must be."""
        written = event.fields.get(name)
        if name not in {self._time, self._click} and name in self._defaults:
            counts = name in self._read or name in self._summed
            if written is None or not counts:
                return True
        return written is not None and _serves(written, self._fields[name])

    # ---- records ---------------------------------------------------------------------------------

    def decode(self, values: Sequence[bytes | None]) -> Decoded:
        """Decode records in Confluent wire format, each with its writer's schema.

        Raises:
            CtrError: the registry is unavailable: then nothing is known of any record.
        """
        count = len(values)
        result = Decoded(
            dead=np.full(count, "malformed", object),
            timestamp_ms=np.zeros(count, np.int64),
            click=np.zeros(count, np.int64),
            dimensions={each.column_name: self._unread(each.field, count) for each in self._dimensions},
            measures={each.column_name: np.zeros(count, np.int64) for each in self._measures},
        )
        by_header: dict[bytes, list[int]] = {}
        for row, value in enumerate(values):
            by_header.setdefault(value[:HEADER_BYTES] if value else b"", []).append(row)
        for header, found in by_header.items():
            if len(header) < HEADER_BYTES or header[0] != 0:
                continue
            schema = self._schema(int.from_bytes(header[1:], "big", signed=True))
            rows = np.array(found)
            if schema is None:
                result.dead[rows] = "unknown_schema"
            elif schema.flat:
                bodies = [(values[row] or b"")[HEADER_BYTES:] for row in found]
                self._decode_flat(bodies, schema.event, rows, result)
            else:
                for row in found:
                    self._decode_one(values[row] or b"", schema.event, row, result)
        for dimension in self._dimensions:
            if start_ms := self._since_ms.get(dimension.column_name):
                before = result.timestamp_ms < start_ms
                nothing = UNKNOWN_NUMBER if self._is_number(dimension.field) else dimension.blank
                result.dimensions[dimension.column_name][before] = nothing
        return result

    def _unread(self, field: str, count: int) -> NDArray[Any]:
        return np.zeros(count, np.int64) if self._is_number(field) else np.full(count, "", object)

    def _is_number(self, field: str) -> bool:
        declared = self._fields[field]
        return declared is not None and declared.kind == "int"

    def _decode_flat(self, bodies: list[bytes], event: Record, rows: Ints, result: Decoded) -> None:
        cursors = Cursors(bodies)
        read: dict[str, Ints | list[Any]] = {}
        for name, kind in event.fields.items():
            if name in self._read:
                read[name] = _column(cursors, kind)
            else:
                _skip(cursors, kind)
        cursors.finish()
        result.dead[rows[~cursors.bad]] = VALID
        result.timestamp_ms[rows] = self._in_ms(np.asarray(read[self._time], np.int64))
        result.click[rows] = self._clicks(read[self._click])
        for dimension in self._dimensions:
            column = result.dimensions[dimension.column_name]
            values = read.get(dimension.field)
            if values is None:
                values = [self._defaults[dimension.field]] * len(rows)
            column[rows] = values if self._is_number(dimension.field) else _texts(values, dimension.blank)
        for measure in self._measures:
            result.measures[measure.column_name][rows] = read.get(
                measure.field, self._defaults.get(measure.field)
            )

    def _decode_one(self, value: bytes, event: Record, row: int, result: Decoded) -> None:
        try:
            found = read_event(value, event, self._read)
        except Malformed:
            return
        result.dead[row] = VALID
        result.timestamp_ms[row] = self._in_ms(np.array([found[self._time]], np.int64))[0]
        result.click[row] = self._clicks([found[self._click]])[0]
        for dimension in self._dimensions:
            written = found.get(dimension.field, self._defaults.get(dimension.field))
            if not self._is_number(dimension.field):
                written = _texts([written], dimension.blank)[0]
            result.dimensions[dimension.column_name][row] = written
        for measure in self._measures:
            result.measures[measure.column_name][row] = found.get(
                measure.field, self._defaults.get(measure.field)
            )

    def _in_ms(self, times: Ints) -> Ints:
        """An instant beyond all times in ms stays beyond them."""
        if self._unit == "us":
            return times // 1000
        if self._unit == "s":
            most = np.iinfo(np.int64).max // 1000
            return np.clip(times, -most, most) * 1000
        return times

    def _clicks(self, values: Ints | list[Any]) -> Ints:
        if self._clicked is None:
            return np.asarray(values, np.int64)
        clicked = self._clicked.encode()
        return np.fromiter((_bytes(each) == clicked for each in values), np.int64, len(values))


def _serves(written: Type, declared: EventField | None) -> bool:
    """Whether a written type can be read as a declared one; None: nobody reads it."""
    if declared is None:
        return True
    if declared.kind == "long":
        return isinstance(written, Int | Long)
    if declared.kind == "int":
        return isinstance(written, Int)
    if declared.kind == "boolean":
        return isinstance(written, Boolean)
    text = _without_null(written)
    if declared.kind == "enum":
        return isinstance(text, Enum) and set(text.symbols) <= set(declared.symbols)
    return isinstance(text, Bytes)


def _without_null(kind: Type) -> Type:
    """The one other branch of a union with null, else the type itself."""
    if isinstance(kind, Union) and len(kind.branches) == 2:  # noqa: PLR2004
        others = [each for each in kind.branches if not isinstance(each, Null)]
        if len(others) == 1:
            return others[0]
    return kind


def _is_flat(kind: Type) -> bool:
    if isinstance(kind, Union):
        return all(_is_flat(each) for each in kind.branches)
    return isinstance(kind, Int | Long | Bytes | Enum | Fixed)


def _column(cursors: Cursors, kind: Type) -> Ints | list[Any]:
    """Numbers, booleans as 0 and 1, or texts, as bytes or symbols: one of each record."""
    if isinstance(kind, Int):
        return cursors.ints()
    if isinstance(kind, Long):
        return cursors.longs()
    if isinstance(kind, Boolean):
        return cursors.booleans()
    if not isinstance(kind, Union):
        return _written_texts(cursors, kind)
    index = cursors.choices(len(kind.branches))
    text = _without_null(kind)
    present = index == kind.branches.index(text)
    found = cursors.only(present, lambda: _written_texts(cursors, text))
    return [each if here else _BLANK for each, here in zip(found, present.tolist(), strict=True)]


def _written_texts(cursors: Cursors, kind: Type) -> list[Any]:
    if isinstance(kind, Enum):
        symbols = [*kind.symbols, ""]
        index = np.clip(cursors.choices(len(kind.symbols)), 0, len(kind.symbols))
        return [symbols[each] for each in index.tolist()]
    return cursors.cut(*cursors.slices())


def _texts(values: Iterable[Any], blank: str) -> list[str]:
    """Texts as they count; there are few distinct ones."""
    known: dict[Any, str] = {}
    found = []
    for each in values:
        # True and 1 are one key.
        written = _bytes(each) if isinstance(each, bool | np.integer) else each
        if written not in known:
            known[written] = normal_text(written, blank)
        found.append(known[written])
    return found


def _bytes(value: Any) -> bytes:
    """A written text, symbol or boolean; a missing one is empty."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool | np.integer):
        return b"true" if value else b"false"
    return (value or "").encode()


def _skip(cursors: Cursors, kind: Type) -> None:
    if isinstance(kind, Union):
        index = cursors.choices(len(kind.branches))
        for number, branch in enumerate(kind.branches):
            cursors.only(index == number, lambda branch=branch: _skip(cursors, branch))  # type: ignore[misc]
    elif isinstance(kind, Int):
        cursors.ints()
    elif isinstance(kind, Long):
        cursors.longs()
    elif isinstance(kind, Enum):
        cursors.choices(len(kind.symbols))
    elif isinstance(kind, Fixed):
        cursors.skip(kind.size)
    else:
        cursors.slices()
