"""Arrays decode a record as fastavro does, whatever its bytes are."""

from __future__ import annotations

import io
import json
import re
import struct
from typing import TYPE_CHECKING, Any

import fastavro
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.stream.load import shipped_stream
from contract.wire import event_type
from ctr_platform.defs.reconciliation.decode import VALID, Decoded, Decoder
from ctr_platform.defs.reconciliation.text import normal_text
from tests.oracle import schema_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from contract.avro import Record

SCHEMA: Any = json.loads(schema_file().read_text(encoding="utf-8"))
SCHEMA_ID = 7
INT = st.integers(-(2**31), 2**31 - 1)
LONG = st.integers(-(2**63), 2**63 - 1)


BEYOND_64_BITS = re.compile(rb"[\x80-\xff]{10}")
"""A number of more than ten bytes has this in it, and fastavro reads some of its bits; texts may too."""

PARSED: Any = fastavro.parse_schema(SCHEMA)


EVENT = event_type(SCHEMA)


def decode(values: Sequence[bytes | None], types: Callable[[int], Record | None]) -> Decoded:
    return Decoder(shipped_stream(), types).decode(values)


def _serves(schema: Any) -> bool:
    """Whether events of a schema are judged by their content."""
    decoded = decode([struct.pack(">bi", 0, SCHEMA_ID)], lambda _identifier: event_type(schema))
    return bool(decoded.dead[0] == "malformed")


@st.composite
def records(draw: st.DrawFn) -> bytes:
    """An event with any values in wire format; sometimes damaged."""
    event = {
        field["name"]: draw({"int": INT, "long": LONG, "string": st.text(max_size=9)}[field["type"]])
        for field in SCHEMA["fields"]
    }
    body = io.BytesIO()
    fastavro.schemaless_writer(body, PARSED, event)
    value = struct.pack(">bi", 0, SCHEMA_ID) + body.getvalue()
    damage = draw(st.sampled_from(["none", "none", "cut", "more", "noise"]))
    if damage == "cut":
        return value[: draw(st.integers(0, len(value) - 1))]
    if damage == "more":
        return value + draw(st.binary(min_size=1, max_size=4))
    if damage == "noise":
        at = draw(st.integers(5, len(value) - 1))
        return value[:at] + draw(st.binary(min_size=1, max_size=12)) + value[at + 1 :]
    return value


def _one_by_one(value: bytes) -> tuple[object, ...] | None:
    """What fastavro says of a record; None if it is malformed."""
    body = io.BytesIO(value[5:])
    try:
        event: Any = fastavro.schemaless_reader(body, PARSED, None, handle_unicode_errors="ctr-replace")
    except Exception:  # noqa: BLE001 - whatever a decoder says of garbage
        return None
    numbers = [event[field["name"]] for field in SCHEMA["fields"] if field["type"] == "int"]
    fits = all(-(2**31) <= number < 2**31 for number in numbers)
    if body.tell() != len(value) - 5 or not fits or not -(2**63) <= event["timestamp"] < 2**63:
        return None
    return (
        event["timestamp"],
        event["click"],
        event["device_type"],
        normal_text(event["site_category"], "unknown"),
    )


@given(st.lists(records(), min_size=1, max_size=20))
@settings(max_examples=200, deadline=None)
def test_arrays_agree_with_fastavro(values: list[bytes]) -> None:
    decoded = decode(values, lambda _identifier: EVENT)
    for row, value in enumerate(values):
        whole = len(value) >= 5
        wanted = _one_by_one(value) if whole else None
        if wanted is None:
            assert decoded.dead[row] == "malformed"
        elif not BEYOND_64_BITS.search(value):
            assert decoded.dead[row] == VALID
            assert (
                decoded.timestamp_ms[row],
                decoded.click[row],
                decoded.dimensions["device_type"][row],
                decoded.dimensions["site_category"][row],
            ) == wanted


def test_a_number_of_more_than_64_bits_is_malformed() -> None:
    """Of which fastavro takes some of the bits."""
    event = {field["name"]: 1 if field["type"] != "string" else "x" for field in SCHEMA["fields"]}
    body = io.BytesIO()
    fastavro.schemaless_writer(body, PARSED, event)
    value = struct.pack(">bi", 0, SCHEMA_ID) + body.getvalue()[:-1]
    values = [value + b"\x80" * length + b"\x01" for length in (8, 9, 10, 11)]
    decoded = decode(values, lambda _identifier: EVENT)
    assert decoded.dead.tolist() == [VALID, VALID, "malformed", "malformed"]


def test_what_is_no_wire_format_is_malformed_and_an_unknown_id_is_said_to_be_so() -> None:
    values = [None, b"", b"\0\0\0\0", b"\1\0\0\0\7x", b"\0\0\0\0\x09x"]
    decoded = decode(values, lambda _identifier: None)
    assert decoded.dead.tolist() == ["malformed"] * 4 + ["unknown_schema"]


def test_another_writers_schema_is_read_by_its_own_fields() -> None:
    reversed_fields = {**SCHEMA, "fields": [*reversed(SCHEMA["fields"]), {"name": "new", "type": "double"}]}
    nested = {
        **SCHEMA,
        "fields": [
            {"name": "tags", "type": {"type": "array", "items": "string"}},
            *(
                {"name": field["name"], "type": ["null", "string"]}
                if field["name"] == "site_category"
                else field
                for field in SCHEMA["fields"]
            ),
        ],
    }
    schemas = {1: reversed_fields, 2: nested}
    event = {field["name"]: 1 if field["type"] != "string" else "x" for field in SCHEMA["fields"]}
    values = []
    for identifier, more in ((1, {"new": 0.5}), (2, {"tags": ["a"], "site_category": None})):
        body = io.BytesIO()
        fastavro.schemaless_writer(
            body, fastavro.parse_schema(schemas[identifier]), {**event, "timestamp": 5, **more}
        )
        values.append(struct.pack(">bi", 0, identifier) + body.getvalue())
    decoded = decode(values, lambda identifier: event_type(schemas[identifier]))
    assert decoded.dead.tolist() == [VALID, VALID]
    assert decoded.timestamp_ms.tolist() == [5, 5]
    assert decoded.dimensions["site_category"].tolist() == ["x", "unknown"]


def _with(**types: Any) -> dict[str, Any]:
    """The schema with other types of some fields."""
    fields = [{**field, "type": types.get(field["name"], field["type"])} for field in SCHEMA["fields"]]
    return {**SCHEMA, "fields": fields}


def test_a_type_may_be_written_at_length() -> None:
    assert _serves(_with(site_category={"type": "string", "avro.java.string": "String"}))


def test_logical_types_do_not_change_what_is_read() -> None:
    schema = _with(
        timestamp={"type": "long", "logicalType": "timestamp-millis"},
        site_domain=["null", {"type": "int", "logicalType": "date"}],
    )
    found = event_type(schema)
    plain = _with(site_domain=["null", {"type": "int"}])
    event = {field["name"]: 1 if field["type"] != "string" else "x" for field in SCHEMA["fields"]}
    body = io.BytesIO()
    fastavro.schemaless_writer(
        body, fastavro.parse_schema(plain), {**event, "timestamp": 5, "site_domain": 7}
    )
    decoded = decode([struct.pack(">bi", 0, 1) + body.getvalue()], lambda _identifier: found)
    assert (decoded.dead.tolist(), decoded.timestamp_ms.tolist()) == ([VALID], [5])


def test_numbers_beyond_their_type_are_malformed_in_any_schema() -> None:
    schema = _with(site_domain=["null", "string"])
    found = event_type(schema)
    # Written with wider types, so that the bytes hold what the schema does not allow.
    wide = fastavro.parse_schema(_with(site_domain=["null", "string"], device_type="long", hour="long"))
    event = {field["name"]: 1 if field["type"] != "string" else "x" for field in SCHEMA["fields"]}
    values = []
    for change in ({}, {"device_type": 2**31}, {"hour": -(2**31) - 1}):
        body = io.BytesIO()
        fastavro.schemaless_writer(body, wide, {**event, **change})
        values.append(struct.pack(">bi", 0, 1) + body.getvalue())
    decoded = decode(values, lambda _identifier: found)
    assert decoded.dead.tolist() == [VALID, "malformed", "malformed"]


def test_only_a_union_with_null_serves_as_a_string() -> None:
    assert _serves(_with(site_category=["string", "null"]))
    assert not _serves(_with(site_category=["string"]))
    assert not _serves(_with(click=["null", "int"]))


def test_a_schema_that_lacks_a_needed_field_serves_nobody() -> None:
    without = {**SCHEMA, "fields": [field for field in SCHEMA["fields"] if field["name"] != "click"]}
    assert not _serves(without)
    assert not _serves("string")
