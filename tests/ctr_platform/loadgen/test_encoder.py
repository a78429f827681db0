"""Spliced events are exactly what an Avro library writes."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import fastavro
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.stream.load import DeclaredStream, load_stream, shipped_stream
from ctr_platform.loadgen.encoder import BatchEncoder, Event, EventWriter
from ctr_platform.loadgen.own_fields import HOUR_MS, OwnFields
from tests.support.streams import SCHEMA as OTHER_SCHEMA
from tests.support.streams import declare

SCHEMA = json.loads(shipped_stream().event_schema)
OWN_FIELDS = {"id", "hour", "timestamp"}
VALUES = {"string": st.text(max_size=150), "int": st.integers(-(2**31), 2**31 - 1)}
FAR_MS = 4_102_444_800_000
"""2100-01-01."""

templates = st.lists(
    st.fixed_dictionaries(
        {each["name"]: VALUES[each["type"]] for each in SCHEMA["fields"] if each["name"] not in OWN_FIELDS}
    ),
    min_size=1,
    max_size=5,
)
moments = st.integers(946_684_800_000, FAR_MS)


@given(
    templates=templates,
    picks=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2**48 - 1), moments), min_size=1, max_size=20),
    run=st.integers(0, 2**32 - 1),
    schema_id=st.integers(1, 2**31 - 1),
)
def test_a_batch_is_what_the_library_writes_and_reads(
    templates: list[Event], picks: list[tuple[int, int, int]], run: int, schema_id: int
) -> None:
    rows = np.array([pick[0] % len(templates) for pick in picks])
    serials = np.array([pick[1] for pick in picks])
    times = np.array([pick[2] for pick in picks])
    encoder = BatchEncoder(shipped_stream(), schema_id, templates, run)
    for value, row, serial, time_ms in zip(
        encoder.encode(rows, serials, times), rows, serials, times, strict=True
    ):
        event = {
            **templates[row],
            "id": f"{run:08x}{serial:012x}",
            "hour": int(datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%y%m%d%H")),
            "timestamp": int(time_ms),
        }
        body = io.BytesIO()
        fastavro.schemaless_writer(body, fastavro.parse_schema(SCHEMA), event)
        assert value == b"\0" + schema_id.to_bytes(4, "big") + body.getvalue()
        assert value == EventWriter(shipped_stream(), schema_id).encode(event)
        rest = io.BytesIO(value[5:])
        assert fastavro.schemaless_reader(rest, fastavro.parse_schema(SCHEMA), None) == event
        assert rest.read() == b""
        assert encoder.event_id(int(serial)) == event["id"]


def stream_of(time: str, times: str) -> DeclaredStream:
    """A stream of fields in another order, with a time in a few more forms, one after the other."""
    more = [
        {"name": "minute", "type": "int"},
        {"name": "moment", "type": ["null", "string"]},
        {"name": "month", "type": "string"},
        {"name": "kind_too", "type": "kind"},
    ]
    schema = {**OTHER_SCHEMA, "fields": [*OTHER_SCHEMA["fields"][::-1], *more]}
    # An enum is described where it is first named.
    schema["fields"].sort(key=lambda each: each["name"] == "kind_too")
    with TemporaryDirectory() as folder:
        return load_stream(
            declare(
                Path(folder),
                ('{ field = "ts" }', time),
                schema=schema,
                more=f"[traffic]\ntimes = {times}\n",
            )
        )


FORMS = '{ minute = "%M", moment = "%Y-%m-%dT%H:%M:%S", month = "%B", local = "ms" }'


@pytest.mark.parametrize(
    ("time", "times", "unit"),
    [
        ('{ field = "ts" }', FORMS, "us"),
        ('{ field = "seconds", unit = "s" }', FORMS, "s"),
        ('{ field = "seconds", unit = "ms" }', '{ minute = "%H%M", moment = "us", month = "%B" }', "ms"),
    ],
)
@pytest.mark.parametrize("span_ms", [60_000, 40 * HOUR_MS, FAR_MS])
def test_times_are_of_any_unit_width_and_form(time: str, times: str, unit: str, span_ms: int) -> None:
    stream = stream_of(time, times)
    assert stream.time_unit == unit
    rng = np.random.default_rng(span_ms)
    moments = rng.integers(0, span_ms, 300) + (0 if span_ms == FAR_MS else 1_767_225_600_000)
    templates = [template("a"), template("a longer one" * 20), template(None)]
    rows = rng.integers(len(templates), size=len(moments))
    own = OwnFields(stream)
    encoder = BatchEncoder(stream, 3, templates, 7)
    writer = EventWriter(stream, 3)
    parsed = fastavro.parse_schema(json.loads(stream.event_schema))
    for number, value in enumerate(encoder.encode(rows, np.arange(len(rows)), moments)):
        time_ms = int(moments[number])
        event = {**templates[rows[number]], **own.values(encoder.event_id(number), time_ms)}
        assert value == writer.encode(event)
        read: Any = fastavro.schemaless_reader(io.BytesIO(value[5:]), parsed, None)
        assert read["event_id"] == f"00000007{number:012x}"
        assert read["month"] == datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%B")


def template(campaign: str | None) -> Event:
    return {
        "clicked": True,
        "kind": "VIEW",
        "kind_too": "CLICK",
        "campaign": campaign,
        "position": 3,
        "cost": 9,
        "rate": 0.5,
        "seconds": 0,
        "local": 0,
    }


def test_a_time_before_1970_is_refused() -> None:
    blank = {each["name"]: "" if each["type"] == "string" else 0 for each in SCHEMA["fields"]}
    encoder = BatchEncoder(shipped_stream(), 1, [blank], 0)
    with pytest.raises(ValueError, match="before 1970"):
        encoder.encode(np.array([0]), np.array([0]), np.array([-1]))
