"""The recount reads an event of any names and types as it is declared; the job's tests say the same."""

from __future__ import annotations

import io
import json
import struct
from typing import TYPE_CHECKING, Any, Final

import fastavro
import pytest

from contract.stream.load import FILE, load_stream
from contract.wire import event_type
from ctr_platform.defs.reconciliation.decode import VALID, Decoded, Decoder

if TYPE_CHECKING:
    from pathlib import Path

    from contract.stream.load import DeclaredStream

KIND: Final = {"type": "enum", "name": "Kind", "symbols": ["VIEW", "CLICK", "BUY"]}
NESTED: Final = {"name": "tags", "type": {"type": "array", "items": "string"}, "default": []}
"""With it records are decoded one by one."""


def _field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def _schema(kind: Any, *more: dict[str, Any]) -> dict[str, Any]:
    fields = [_field("key", "string"), _field("at", "long"), _field("kind", kind), *more]
    return {"type": "record", "name": "E", "fields": fields}


def _stream(
    folder: Path, schema: dict[str, Any], *dimensions: str, unit: str = "ms", equals: str | None = None
) -> DeclaredStream:
    click = '{ field = "kind" }' if equals is None else f'{{ field = "kind", equals = "{equals}" }}'
    text = (
        'name = "shop"\ntitle = { en = "Shop" }\n[event]\nschema = "event.avsc"\nid = "key"\n'
        f'time = {{ field = "at", unit = "{unit}" }}\nclick = {click}\n'
    )
    for each in dimensions:
        text += f'[[dimensions]]\nfield = "{each}"\ncolumn = "by_{each}"\nblank = "none"\n'
        text += 'title = { en = "x" }\n'
    (folder / FILE).write_text(text, encoding="utf-8")
    (folder / "event.avsc").write_text(json.dumps(schema), encoding="utf-8")
    return load_stream(folder)


def _read(stream: DeclaredStream, writer: dict[str, Any], *events: dict[str, Any], nested: bool) -> Decoded:
    if nested:
        writer = {**writer, "fields": [NESTED, *writer["fields"]]}
    parsed: Any = fastavro.parse_schema(writer)
    values = []
    for event in events:
        body = io.BytesIO()
        fastavro.schemaless_writer(body, parsed, {"key": "k", "at": 1, "tags": ["a"], **event})
        values.append(struct.pack(">bi", 0, 1) + body.getvalue())
    return Decoder(stream, lambda _identifier: event_type(writer)).decode(values)


nested = pytest.mark.parametrize("nested", [False, True])


@nested
@pytest.mark.parametrize(
    ("unit", "written", "ms"),
    [
        ("s", [1_700_000_000, -1, 2**63 - 1], [1_700_000_000_000, -1000, (2**63 - 1) // 1000 * 1000]),
        ("us", [1_700_000_000_000_999, -1], [1_700_000_000_000, -1]),
    ],
)
def test_times_are_taken_in_their_unit(
    tmp_path: Path, unit: str, written: list[int], ms: list[int], *, nested: bool
) -> None:
    schema = _schema("boolean", _field("place", "int"))
    stream = _stream(tmp_path, schema, "place", unit=unit)
    decoded = _read(
        stream, schema, *({"kind": True, "place": 1, "at": each} for each in written), nested=nested
    )
    assert decoded.timestamp_ms.tolist() == ms
    assert decoded.dead.tolist() == [VALID] * len(ms)


@nested
@pytest.mark.parametrize(
    ("kind", "equals", "values", "clicks"),
    [
        ("boolean", None, [True, False], [1, 0]),
        ("int", None, [1, 0, 7], [1, 0, 7]),
        ("string", "CLICK", ["CLICK", "click", "CLICK ", "CLICKS", ""], [1, 0, 0, 0, 0]),
        ("bytes", "CLICK", [b"CLICK", b"\xff"], [1, 0]),
        (["null", "string"], "CLICK", ["CLICK", None, "VIEW"], [1, 0, 0]),
        (["string", "null"], "CLICK", ["CLICK", None, "VIEW"], [1, 0, 0]),
        (KIND, "CLICK", ["CLICK", "VIEW", "BUY"], [1, 0, 0]),
        (["null", KIND], "CLICK", ["CLICK", None, "BUY"], [1, 0, 0]),
    ],
)
def test_a_click_is_a_boolean_a_number_or_a_value(
    tmp_path: Path, kind: Any, equals: str | None, values: list[Any], clicks: list[int], *, nested: bool
) -> None:
    declared = _schema("string" if kind == "bytes" else kind, _field("place", "int"))
    stream = _stream(tmp_path, declared, "place", equals=equals)
    writer = _schema(kind, _field("place", "int"))
    decoded = _read(stream, writer, *({"kind": each, "place": 1} for each in values), nested=nested)
    assert decoded.click.tolist() == clicks


@nested
def test_one_field_may_be_click_and_dimension_at_once(tmp_path: Path, *, nested: bool) -> None:
    schema = _schema(KIND, _field("first", "boolean"), _field("place", "int"))
    stream = _stream(tmp_path, schema, "kind", "first", "place", equals="CLICK")
    decoded = _read(
        stream,
        schema,
        {"kind": "CLICK", "first": True, "place": 3},
        {"kind": "BUY", "first": False, "place": -3},
        nested=nested,
    )
    assert {name: each.tolist() for name, each in decoded.dimensions.items()} == {
        "by_kind": ["CLICK", "BUY"],
        "by_first": ["true", "false"],
        "by_place": [3, -3],
    }
    assert decoded.click.tolist() == [1, 0]


@nested
def test_a_missing_text_is_blank_and_a_missing_field_has_its_default(tmp_path: Path, *, nested: bool) -> None:
    country = _field("country", ["null", "string"], default=None)
    colour = _field("colour", {**KIND, "name": "Colour"}, default="BUY")
    schema = _schema("boolean", country, colour)
    stream = _stream(tmp_path, schema, "country", "colour")
    lacking = _read(stream, _schema("boolean"), {"kind": True}, nested=nested)
    assert {name: each.tolist() for name, each in lacking.dimensions.items()} == {
        "by_country": ["none"],
        "by_colour": ["BUY"],
    }
    blank = _read(
        stream,
        schema,
        {"kind": True, "country": None, "colour": "VIEW"},
        {"kind": True, "country": " ", "colour": "VIEW"},
        nested=nested,
    )
    assert blank.dimensions["by_country"].tolist() == ["none", "none"]


@pytest.mark.parametrize(
    ("kind", "usable"),
    [
        ("string", False),
        ("int", False),
        ("boolean", False),
        (["null", "int"], False),
        ({**KIND, "symbols": ["VIEW", "CLICK", "SELL"]}, False),
        ({**KIND, "symbols": ["VIEW", "CLICK"], "name": "Other"}, True),
        (["null", KIND], True),
    ],
)
def test_what_cannot_be_read_as_declared_is_of_an_unknown_schema(
    tmp_path: Path, kind: Any, *, usable: bool
) -> None:
    place = _field("place", "int")
    stream = _stream(tmp_path, _schema(KIND, place), "place", equals="CLICK")
    writer = _schema(kind, place)
    decoded = Decoder(stream, lambda _identifier: event_type(writer)).decode([struct.pack(">bi", 0, 1)])
    assert decoded.dead.tolist() == ["malformed" if usable else "unknown_schema"]


@pytest.mark.parametrize(("byte", "clicks"), [(0, 0), (1, 1), (2, 0), (255, 0)])
@nested
def test_a_boolean_is_true_where_its_byte_is_one(
    tmp_path: Path, byte: int, clicks: int, *, nested: bool
) -> None:
    schema = _schema("boolean", _field("place", "int"))
    stream = _stream(tmp_path, schema, "place")
    writer = {**schema, "fields": [NESTED, *schema["fields"]]} if nested else schema
    value = struct.pack(">bi", 0, 1) + (b"\0" if nested else b"") + b"\x02k\x02" + bytes([byte]) + b"\x02"
    decoded = Decoder(stream, lambda _identifier: event_type(writer)).decode([value])
    assert (decoded.dead.tolist(), decoded.click.tolist()) == ([VALID], [clicks])
