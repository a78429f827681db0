"""Many records of the raw topic at once: the fields that count, or why a record is dead.

Independent of the job's decoder: records whose writer schema holds no array, map or record are decoded by
array operations on all of them together, all others one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from contract.avro import Bytes, Enum, Fixed, Int, Long, Null, Type, Union
from contract.errors import Malformed
from contract.wire import HEADER_BYTES, read_event
from ctr_platform.defs.reconciliation.text import UNKNOWN, normal_category
from ctr_platform.defs.reconciliation.varint import Cursors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from contract.avro import Record

    Ints = NDArray[np.int64]
    Schemas = Callable[[int], "WriterSchema | None"]

NEEDED: Final = (
    *("id", "click", "hour", "C1", "banner_pos", "site_id", "site_category", "device_type", "device_ip"),
    "timestamp",
)
"""The contract's ten fields without a default."""

VALID: Final = ""
"""`Decoded.dead` of a record that is not."""

_NUMBERS: Final = frozenset({"click", "hour", "C1", "banner_pos", "device_type", "timestamp"})
_COUNTED: Final = frozenset({"timestamp", "click", "device_type", "site_category"})


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
    """`malformed`, `unknown_schema`, or `VALID`; click and timestamp are not judged here."""

    timestamp_ms: Ints
    click: Ints
    device_type: Ints
    category: NDArray[np.object_]


def writer_schema(event: Record | None) -> WriterSchema | None:
    """What events of this type are good for; None if they lack a needed field."""
    if event is None or not all(_serves(name, event.fields.get(name)) for name in NEEDED):
        return None
    return WriterSchema(event, all(_is_flat(each) for each in event.fields.values()))


def _serves(name: str, kind: Type | None) -> bool:
    """Whether a written type can be read as the contract's."""
    if name == "timestamp":
        return isinstance(kind, Int | Long)
    if name in _NUMBERS:
        return isinstance(kind, Int)
    if isinstance(kind, Union):
        with_null = len(kind.branches) == 2 and any(isinstance(each, Null) for each in kind.branches)  # noqa: PLR2004
        return with_null and any(isinstance(each, Bytes) for each in kind.branches)
    return isinstance(kind, Bytes)


def _is_flat(kind: Type) -> bool:
    if isinstance(kind, Union):
        return all(_is_flat(each) for each in kind.branches)
    return isinstance(kind, Int | Long | Bytes | Enum | Fixed)


def decode(values: Sequence[bytes | None], schemas: Schemas) -> Decoded:
    """Decode records in Confluent wire format, each with its writer's schema."""
    count = len(values)
    result = Decoded(
        dead=np.full(count, "malformed", object),
        timestamp_ms=np.zeros(count, np.int64),
        click=np.zeros(count, np.int64),
        device_type=np.zeros(count, np.int64),
        category=np.full(count, UNKNOWN, object),
    )
    by_header: dict[bytes, list[int]] = {}
    for row, value in enumerate(values):
        by_header.setdefault(value[:HEADER_BYTES] if value else b"", []).append(row)
    for header, found in by_header.items():
        if len(header) < HEADER_BYTES or header[0] != 0:
            continue
        schema = schemas(int.from_bytes(header[1:], "big", signed=True))
        rows = np.array(found)
        if schema is None:
            result.dead[rows] = "unknown_schema"
        elif schema.flat:
            _decode_flat([(values[row] or b"")[HEADER_BYTES:] for row in found], schema.event, rows, result)
        else:
            for row in found:
                _decode_one(values[row] or b"", schema.event, row, result)
    return result


def _decode_flat(bodies: list[bytes], event: Record, rows: Ints, result: Decoded) -> None:
    cursors = Cursors(bodies)
    numbers: dict[str, Ints] = {}
    category: tuple[Ints, Ints] | None = None
    for name, kind in event.fields.items():
        if name == "site_category":
            category = _slices(cursors, kind)
        elif isinstance(kind, Int):
            numbers[name] = cursors.ints()
        elif isinstance(kind, Long):
            numbers[name] = cursors.longs()
        else:
            _skip(cursors, kind)
    cursors.finish()
    good = ~cursors.bad
    result.dead[rows[good]] = VALID
    result.timestamp_ms[rows] = numbers["timestamp"]
    result.click[rows] = numbers["click"]
    result.device_type[rows] = numbers["device_type"]
    if category is not None:
        known: dict[bytes, str] = {}
        for row, text in zip(rows.tolist(), cursors.cut(*category), strict=True):
            if text not in known:
                known[text] = normal_category(text)
            result.category[row] = known[text]


def _slices(cursors: Cursors, kind: Type) -> tuple[Ints, Ints]:
    """Where the text of each record is; that of a null is empty, and both count as unknown."""
    if not isinstance(kind, Union):
        return cursors.slices()
    index = cursors.choices(len(kind.branches))
    with_text = index == next(i for i, each in enumerate(kind.branches) if isinstance(each, Bytes))
    start, end = cursors.only(with_text, cursors.slices)
    return start, np.where(with_text, end, start)


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


def _decode_one(value: bytes, event: Record, row: int, result: Decoded) -> None:
    try:
        found = read_event(value, event, _COUNTED)
    except Malformed:
        return
    result.dead[row] = VALID
    result.timestamp_ms[row] = found["timestamp"]
    result.click[row] = found["click"]
    result.device_type[row] = found["device_type"]
    result.category[row] = normal_category(found["site_category"])
