"""Spliced events are exactly what an Avro library writes."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import fastavro
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.stream.load import shipped_stream
from ctr_platform.loadgen.encoder import (
    EARLIEST_MS,
    LATEST_MS,
    BatchEncoder,
    Event,
    EventWriter,
    avazu_hour,
)

SCHEMA = json.loads(shipped_stream().event_schema)
OWN_FIELDS = {"id", "hour", "timestamp"}
VALUES = {"string": st.text(max_size=150), "int": st.integers(-(2**31), 2**31 - 1)}

templates = st.lists(
    st.fixed_dictionaries(
        {each["name"]: VALUES[each["type"]] for each in SCHEMA["fields"] if each["name"] not in OWN_FIELDS}
    ),
    min_size=1,
    max_size=5,
)
moments = st.integers(EARLIEST_MS, LATEST_MS)


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
    # Neighbouring hours only: the encoder tabulates every hour between the first and the last.
    times = times[0] + (times - times[0]) % 7_200_000 - 3_600_000
    times = np.clip(times, EARLIEST_MS, LATEST_MS)
    encoder = BatchEncoder(schema_id, templates, run)
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
        assert value == EventWriter(schema_id).encode(event)
        rest = io.BytesIO(value[5:])
        assert fastavro.schemaless_reader(rest, fastavro.parse_schema(SCHEMA), None) == event
        assert rest.read() == b""
        assert encoder.event_id(int(serial)) == event["id"]


@given(moments)
def test_an_hour_is_written_as_avazu_does(moment: int) -> None:
    written = avazu_hour(np.array([moment // 3_600_000]))[0]
    assert written == int(datetime.fromtimestamp(moment // 1000, UTC).strftime("%y%m%d%H"))


@pytest.mark.parametrize("moment", [0, EARLIEST_MS - 3_600_001 * 24 * 365, LATEST_MS + 1])
def test_a_time_of_another_width_is_refused(moment: int) -> None:
    template = {each["name"]: "" if each["type"] == "string" else 0 for each in SCHEMA["fields"]}
    encoder = BatchEncoder(1, [template], 0)
    with pytest.raises(ValueError, match="no Avro encoding of"):
        encoder.encode(np.array([0]), np.array([0]), np.array([moment]))
