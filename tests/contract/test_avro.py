"""Avro is read strictly, whatever the bytes are, and what they say is what Avro's own writer meant."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.avro import MAX_DEPTH, MAX_VALUES, Record
from contract.errors import Malformed
from contract.wire import event_end, event_type, read_event, schema_id

HEADER = struct.pack(">bi", 0, 1)


def event_of(**fields: Any) -> Record:
    """Type of an event of these fields."""
    found = event_type(
        {"type": "record", "name": "Event", "fields": [{"name": n, "type": t} for n, t in fields.items()]}
    )
    assert found is not None
    return found


def refused(body: bytes, **fields: Any) -> str:
    """Why these bytes are not an event of these fields; to read and to pass over come to the same."""
    event = event_of(**fields)
    with pytest.raises(Malformed) as read:
        read_event(HEADER + body, event)
    with pytest.raises(Malformed) as skipped:
        read_event(HEADER + body, event, ())
    assert str(read.value) == str(skipped.value)
    return str(read.value)


LIST: Any = {"type": "record", "name": "List", "fields": [{"name": "next", "type": ["null", "List"]}]}
TREE: Any = {
    "type": "record",
    "name": "Tree",
    "fields": [{"name": "below", "type": {"type": "array", "items": "Tree"}}],
}


@pytest.mark.parametrize("value", [None, b"", b"\0\0\0\0", b"\1\0\0\0\1x"])
def test_what_has_no_header_is_no_wire_format(value: bytes | None) -> None:
    with pytest.raises(Malformed, match="Confluent wire format"):
        schema_id(value)


def test_an_id_may_be_negative_and_is_then_known_to_nobody() -> None:
    assert schema_id(b"\0\xff\xff\xff\xff") == -1


@pytest.mark.parametrize(
    ("body", "fields", "why"),
    [
        (b"", {"a": "int"}, "ends before"),
        (b"\x80", {"a": "long"}, "ends before"),
        (b"\xff" * 11, {"a": "long"}, "longer than its type"),
        (bytes.fromhex("80808080 8040"), {"a": "int"}, "longer than its type"),  # 2^40
        (bytes.fromhex("82808080 8000"), {"a": "int"}, "longer than its type"),  # 1, in six bytes
        (bytes.fromhex("80808080 10"), {"a": "int"}, "longer than its type"),  # 2^31
        (b"\1", {"a": ["null", "string"]}, "choice that is not there"),  # branch -1
        (b"\4", {"a": ["null", "string"]}, "choice that is not there"),
        (b"\x80\x80\x80\x80\x80\0", {"a": ["null", "string"]}, "longer than its type"),
        (b"\4", {"a": {"type": "enum", "name": "E", "symbols": ["A", "B"]}}, "choice that is not there"),
        (b"\6ab", {"a": "string"}, "beyond the record"),
        (b"\1", {"a": "bytes"}, "beyond the record"),
        (b"ab", {"a": {"type": "fixed", "name": "F", "size": 3}}, "ends before"),
        (b"\2", {"a": {"type": "array", "items": "int"}}, "ends before"),
        (b"\1\6\0\0\0\0", {"a": {"type": "array", "items": "int"}}, "beyond the record"),
        (b"\2\2k", {"a": {"type": "map", "values": "null"}}, "ends before"),
        (b"\0\0", {"a": "int"}, "left over"),
    ],
)
def test_bytes_that_are_not_what_their_schema_says(body: bytes, fields: dict[str, Any], why: str) -> None:
    assert why in refused(body, **fields)


@pytest.mark.parametrize(
    ("body", "fields", "event"),
    [
        (bytes.fromhex("feffffff0f"), {"a": "int"}, {"a": 2**31 - 1}),
        (bytes.fromhex("ffffffffffffffffff01"), {"a": "long"}, {"a": -(2**63)}),
        (b"\0", {"a": ["null", "string"]}, {"a": None}),
        (
            b"\x06\xed\xa0\x80",
            {"a": "string"},
            {"a": "\ufffd"},
        ),  # a surrogate is one character, as on the JVM
        (
            b"\3\4\2\4\0",
            {"a": {"type": "array", "items": "int"}},
            {"a": [1, 2]},
        ),  # a block that gives its size
    ],
)
def test_what_is_at_a_bound_is_read(body: bytes, fields: dict[str, Any], event: dict[str, Any]) -> None:
    assert read_event(HEADER + body, event_of(**fields)) == event


@pytest.mark.parametrize(
    ("kind", "deeper", "end"),
    [(LIST, b"\2", b"\0"), (TREE, b"\2", b"\0")],
    ids=["records", "records and arrays"],
)
def test_values_are_nested_as_deep_as_the_contract_says(kind: Any, deeper: bytes, end: bytes) -> None:
    each = 1 if kind is LIST else 2
    for levels, fits in ((MAX_DEPTH // each, True), (MAX_DEPTH // each + 1, False), (20_000, False)):
        # A tree's arrays end one after the other.
        body = deeper * (levels - 1) + end * (1 if kind is LIST else levels)
        if fits:
            assert event_end(HEADER + body, event_of(a=kind)) == len(HEADER + body)
        else:
            assert "nested deeper" in refused(body, a=kind)


def test_a_record_that_contains_itself_is_too_deep() -> None:
    own = {"type": "record", "name": "Self", "fields": [{"name": "self", "type": "Self"}]}
    assert "nested deeper" in refused(b"", a=own)


def test_records_without_bytes_count_as_depth_too() -> None:
    kind: Any = "null"
    for level in range(MAX_DEPTH + 1):
        kind = {"type": "record", "name": f"R{level}", "fields": [{"name": "a", "type": kind}]}
    assert "nested deeper" in refused(b"", a=kind)


def test_any_number_of_items_without_bytes_costs_nothing() -> None:
    items = event_of(a={"type": "array", "items": "null"})
    body = HEADER + bytes.fromhex("feffffffffffffffff01") + b"\0"
    assert read_event(body, items, ()) == {}
    with pytest.raises(Malformed, match="more than"):
        read_event(body, items)


def test_a_record_of_many_values_is_passed_over_but_not_put_into_objects() -> None:
    wide = {
        "type": "record",
        "name": "Wide",
        "fields": [{"name": "n", "type": "int"}, *({"name": f"e{k}", "type": "null"} for k in range(1_000))],
    }
    event = event_of(a={"type": "array", "items": wide})
    count = 2 * MAX_VALUES // 1_000
    body = io.BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema("long"), count)
    value = HEADER + body.getvalue() + bytes(count) + b"\0"
    assert read_event(value, event, ()) == {}
    with pytest.raises(Malformed, match="more than"):
        read_event(value, event)


def test_a_name_may_be_meant_in_its_namespace_or_whole() -> None:
    kind = {"type": "enum", "name": "Kind", "namespace": "geo", "symbols": ["A", "B"]}
    place = {"type": "record", "name": "geo.Place", "fields": [{"name": "kind", "type": "Kind"}]}
    schema = {
        "type": "record",
        "name": "Event",
        "namespace": "ctr",
        "fields": [{"name": "place", "type": "geo.Place"}, {"name": "again", "type": ["null", "geo.Kind"]}],
    }
    assert event_type(schema) is None
    found = event_type(schema, [kind, place])
    assert found is not None
    assert read_event(HEADER + b"\2\2\0", found) == {"place": {"kind": "B"}, "again": "A"}


@pytest.mark.parametrize(
    "schema",
    [
        "string",
        ["null"],
        7,
        None,
        {},
        {"type": "record"},
        {"type": "record", "name": "E", "fields": [{"name": "a", "type": "nobody"}]},
        {"type": "record", "name": "E", "fields": [{"type": "int"}]},
        {
            "type": "record",
            "name": "E",
            "fields": [{"name": "a", "type": {"type": "fixed", "name": "F", "size": -1}}],
        },
        json.loads('{"type": ' * 900 + '"int"' + "}" * 900),
    ],
)
def test_what_describes_no_event_has_no_type(schema: Any) -> None:
    assert event_type(schema) is None


@given(st.binary(max_size=40), st.sampled_from([LIST, TREE, "string", ["int", "bytes", "null"], "double"]))
@settings(max_examples=300, deadline=None)
def test_whatever_the_bytes_are_they_are_read_or_malformed(body: bytes, kind: Any) -> None:
    event = event_of(a=kind)
    try:
        read = read_event(HEADER + body, event)
    except Malformed:
        with pytest.raises(Malformed):
            read_event(HEADER + body, event, ())
    else:
        assert read_event(HEADER + body, event, ()) == {}
        assert event_end(HEADER + body, event) == len(HEADER + body)
        assert set(read) == {"a"}
