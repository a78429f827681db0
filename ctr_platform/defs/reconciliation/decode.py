"""Many records of the raw topic at once: the fields that count, or why a record is dead.

Independent of the job's decoder: records whose writer schema is flat are decoded by array operations on
all of them together, all others one by one by fastavro.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import fastavro
import numpy as np

from ctr_platform.defs.reconciliation.text import INVALID_UTF8, UNKNOWN, normal_category
from ctr_platform.defs.reconciliation.varint import INT_MAX, INT_MIN, Cursors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Schemas = Callable[[int], "WriterSchema | None"]

NEEDED: Final = (
    *("id", "click", "hour", "C1", "banner_pos", "site_id", "site_category", "device_type", "device_ip"),
    "timestamp",
)
"""The contract's ten fields without a default."""

HEADER_BYTES: Final = 5
"""The Confluent wire format begins with a zero and the schema's id."""

VALID: Final = ""
"""`Decoded.dead` of a record that is not."""

_BOUNDS: Final = {"int": (INT_MIN, INT_MAX), "long": (-(2**63), 2**63 - 1)}
_WIDTHS: Final = {"boolean": 1, "float": 4, "double": 8, "null": 0}
_PRIMITIVE: Final = ("int", "long", "string", "bytes", *_WIDTHS)


@dataclass(frozen=True)
class WriterSchema:
    """A usable schema of the registry: all its fields, and whether arrays can decode it."""

    parsed: Any
    """As fastavro parsed it."""

    flat: tuple[tuple[str, str], ...] | None
    """Name and primitive type of each field; None where a field is anything else."""

    bounds: Mapping[str, tuple[int, int]]
    """Lowest and highest value of the fields that are numbers: fastavro gives what is beyond them as well."""


@dataclass(frozen=True)
class Decoded:
    """What N records say, field by field; the values of dead records mean nothing."""

    dead: NDArray[np.object_]
    """`malformed`, `unknown_schema`, or `VALID`; click and timestamp are not judged here."""

    timestamp_ms: Ints
    click: Ints
    device_type: Ints
    category: NDArray[np.object_]


def writer_schema(schema: Any) -> WriterSchema | None:
    """What a schema of the registry (parsed JSON) is good for; None if it lacks a needed field."""
    if not isinstance(schema, dict) or schema.get("type") != "record":
        return None
    types = {field["name"]: _primitive(field["type"]) for field in schema["fields"]}
    if not all(_serves(name, types.get(name)) for name in NEEDED):
        return None
    flat = tuple((name, kind) for name, kind in types.items() if kind in _PRIMITIVE)
    bounds = {name: _BOUNDS[kind] for name, kind in types.items() if kind in ("int", "long")}
    return WriterSchema(fastavro.parse_schema(schema), flat if len(flat) == len(types) else None, bounds)


def _primitive(kind: Any) -> Any:
    """`{"type": "string", "avro.java.string": "String"}` is another way to write `"string"`."""
    return kind["type"] if isinstance(kind, dict) and kind["type"] in _PRIMITIVE else kind


def _serves(name: str, kind: Any) -> bool:
    """Whether a written type can be read as the contract's."""
    if isinstance(kind, list):
        others = [_primitive(each) for each in kind if each != "null"]
        with_null = len(others) == 1 and len(kind) == len(others) + 1
        kind = others[0] if with_null and name not in _NUMBERS else None
    if not isinstance(kind, str):
        return False
    if name == "timestamp":
        return kind in {"int", "long"}
    return kind == "int" if name in _NUMBERS else kind in {"string", "bytes"}


_NUMBERS: Final = frozenset({"click", "hour", "C1", "banner_pos", "device_type", "timestamp"})


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
        elif schema.flat is None:
            for row in found:
                _decode_one(values[row] or b"", schema, row, result)
        else:
            _decode_flat([(values[row] or b"")[HEADER_BYTES:] for row in found], schema.flat, rows, result)
    return result


def _decode_flat(bodies: list[bytes], fields: Sequence[tuple[str, str]], rows: Ints, result: Decoded) -> None:
    cursors = Cursors(bodies)
    numbers: dict[str, Ints] = {}
    category: tuple[Ints, Ints] | None = None
    for name, kind in fields:
        if kind in {"string", "bytes"}:
            cut_out = cursors.slices()
            category = cut_out if name == "site_category" else category
        elif kind == "int":
            numbers[name] = cursors.ints()
        elif kind == "long":
            numbers[name] = cursors.longs()
        else:
            cursors.skip(_WIDTHS[kind])
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
                known[text] = normal_category(text.decode(errors=INVALID_UTF8))
            result.category[row] = known[text]


def _decode_one(value: bytes, schema: WriterSchema, row: int, result: Decoded) -> None:
    body = io.BytesIO(value[HEADER_BYTES:])
    try:
        event: Any = fastavro.schemaless_reader(body, schema.parsed, None, handle_unicode_errors=INVALID_UTF8)
    except Exception:  # noqa: BLE001 - whatever a decoder says of garbage
        return
    fits = all(low <= event[name] <= high for name, (low, high) in schema.bounds.items())
    if body.tell() != len(value) - HEADER_BYTES or not fits:
        return
    result.dead[row] = VALID
    result.timestamp_ms[row] = event["timestamp"]
    result.click[row] = event["click"]
    result.device_type[row] = event["device_type"]
    category = event["site_category"]
    text = category.decode(errors=INVALID_UTF8) if isinstance(category, bytes) else category
    result.category[row] = normal_category(text)
