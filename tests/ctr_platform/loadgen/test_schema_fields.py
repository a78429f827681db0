"""Fields of every type that Avro has are told apart, and get a value where nobody gives one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from contract.avro_schema import type_of
from contract.stream.load import load_stream
from contract.wire import read_event
from ctr_platform.loadgen.encoder import BatchEncoder, EventWriter
from ctr_platform.loadgen.own_fields import OwnFields
from ctr_platform.loadgen.schema_fields import schema_fields
from ctr_platform.loadgen.synthetic import events_of
from tests.support.streams import SCHEMA, declare

if TYPE_CHECKING:
    from pathlib import Path

NOW_MS: Final = 1_770_000_000_000

NESTED: Final = {
    "type": "record",
    "name": "nested",
    "fields": [{"name": "kind", "type": "kind"}, {"name": "next", "type": ["null", "nested"]}],
}
MORE: Final[dict[str, dict[str, Any]]] = {
    "bytes": {"type": "bytes", "default": "\u00ff"},
    "blank": {"type": "bytes"},
    "three": {"type": {"type": "fixed", "name": "three", "size": 3}},
    "three_more": {"type": "three", "default": "abc"},
    "items": {"type": {"type": "array", "items": "int"}},
    "pairs": {"type": {"type": "map", "values": "long"}},
    "inner": {"type": NESTED},
    "either": {"type": ["int", "string"]},
    "or_null": {"type": ["int", "null"], "default": 3},
    "received": {"type": {"type": "long", "logicalType": "timestamp-millis"}},
    "java": {"type": {"type": "string", "avro.java.string": "String"}},
    "again": {"type": "kind"},
}


def test_every_type_has_a_kind_and_a_value(tmp_path: Path) -> None:
    more = [{"name": name, **described} for name, described in MORE.items()]
    schema = {**SCHEMA, "namespace": "of.its.own", "fields": [*SCHEMA["fields"], *more]}
    stream = load_stream(declare(tmp_path, schema=schema))
    fields = {each.name: each for each in schema_fields(stream)}
    assert {name: fields[name].kind for name in ("rate", "kind", "again", "campaign", "java")} == {
        "rate": "double",
        "kind": "enum",
        "again": "enum",
        "campaign": "string",
        "java": "string",
    }
    assert {fields[name].kind for name in MORE if name not in ("again", "java", "or_null", "received")} == {
        "other"
    }
    assert (fields["campaign"].nullable, fields["or_null"].kind) == (True, "int")

    templates = events_of(stream).draw(np.random.default_rng(0), 50)
    encoder, writer, own = BatchEncoder(stream, 1, templates, 5), EventWriter(stream, 1), OwnFields(stream)
    numbers = np.arange(50)
    record = type_of(json.loads(stream.event_schema))
    for number, value in enumerate(encoder.encode(numbers, numbers, np.full(50, NOW_MS))):
        event = {**templates[number], **own.values(encoder.event_id(number), NOW_MS)}
        assert value == writer.encode(event)
        read = read_event(value, record)  # type: ignore[arg-type]
        assert (read["bytes"], read["three_more"], read["or_null"]) == (b"\xff", b"abc", 3)
        assert (read["ts"], read["received"]) == (NOW_MS * 1000, NOW_MS)
        assert (read["inner"]["next"], read["items"], read["either"], read["blank"]) == (None, [], 0, b"")
