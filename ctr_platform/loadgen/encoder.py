"""Events as bytes: Avro in Confluent wire format, one at a time or by the ten thousand.

An Avro library encodes every event template once, with placeholders for what differs from event to
event (id, hour, timestamp). Placeholder and value have the same encoded width, so that encoding a
batch is copying the templates' bytes and overwriting three slots, for all its events at once.
"""

from __future__ import annotations

import io
import json
import struct
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import fastavro
import numpy as np

from contract.stream.load import shipped_stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

Event: TypeAlias = "Mapping[str, str | int]"
"""Field name of the event schema -> value."""

HOUR_MS: Final = 3_600_000
EARLIEST_MS: Final = 1_009_843_200_000
"""2002-01-01 UTC. From here to `LATEST_MS` hour and timestamp have encodings of one width."""
LATEST_MS: Final = 2_199_023_255_551
"""2039-09-07 UTC."""

_RUN_DIGITS: Final = 8
_SERIAL_DIGITS: Final = 12
_ID_WIDTH: Final = _RUN_DIGITS + _SERIAL_DIGITS
_HOUR_WIDTH: Final = 4
_TIMESTAMP_WIDTH: Final = 6
_PLACEHOLDERS: Final[Event] = {"id": "0" * _ID_WIDTH, "hour": 20_010_100, "timestamp": EARLIEST_MS}

_CHUNK_DIGITS: Final = 4
_HEX_CHUNKS: Final = np.array([list(f"{n:04x}".encode()) for n in range(1 << 16)], np.uint8)
"""Every 16-bit number as four hexadecimal digits."""


def wire_header(schema_id: int) -> bytes:
    """Confluent's wire format: a zero byte and the schema id, before the Avro body."""
    return struct.pack(">bI", 0, schema_id)


class EventWriter:
    """Encodes single events of the project's schema."""

    def __init__(self, schema_id: int) -> None:
        self._header = wire_header(schema_id)
        self._schema = fastavro.parse_schema(json.loads(shipped_stream().event_schema))

    def encode(self, event: Event) -> bytes:
        """One event in wire format.

        Raises:
            ValueError, TypeError: a field is missing or not of the schema's type.
        """
        out = io.BytesIO(self._header)
        out.seek(len(self._header))
        fastavro.schemaless_writer(out, self._schema, event, strict=False)
        return out.getvalue()


def avazu_hour(hours: NDArray[np.int64]) -> NDArray[np.int64]:
    """Hours since the epoch as Avazu writes them: YYMMDDHH in UTC."""
    stamps = hours.astype("datetime64[h]")
    days = stamps.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    year = months.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    day = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    result: NDArray[np.int64] = ((year % 100 * 100 + month) * 100 + day) * 100 + hours % 24
    return result


@dataclass(frozen=True)
class _Layout:
    """Templates that agree in length and slots: rows of one matrix `(templates, length)`."""

    matrix: NDArray[np.uint8]
    slots: Mapping[str, int]
    """Field -> where its value begins."""


class BatchEncoder:
    """Encodes batches of events made from templates.

    An event is a template (a full event but for id, hour and timestamp), an id of `run` and a serial
    number, and an event time, from which its hour follows.
    """

    def __init__(self, schema_id: int, templates: Sequence[Event], run: int) -> None:
        """Encode `templates`; `run` (32 bits) sets apart the ids of one run from another's."""
        self._run = np.frombuffer(f"{run:0{_RUN_DIGITS}x}".encode(), np.uint8)
        encoded = [_encode_template(schema_id, template) for template in templates]
        members: dict[tuple[int, tuple[tuple[str, int], ...]], list[bytes]] = {}
        self._row_of = np.empty(len(encoded), np.int64)
        for index, (value, slots) in enumerate(encoded):
            alike = members.setdefault((len(value), tuple(slots.items())), [])
            self._row_of[index] = len(alike)
            alike.append(value)
        numbers = {key: number for number, key in enumerate(members)}
        self._layout_of = np.array([numbers[len(value), tuple(slots.items())] for value, slots in encoded])
        self._layouts = [
            _Layout(np.frombuffer(b"".join(values), np.uint8).reshape(-1, length), dict(slots))
            for (length, slots), values in members.items()
        ]

    def encode(
        self,
        templates: NDArray[np.int64],
        serials: NDArray[np.int64],
        event_time_ms: NDArray[np.int64],
    ) -> NDArray[np.object_]:
        """Encode `n` events, given as three arrays of shape `(n,)`; returns `n` bytes objects.

        Raises:
            ValueError: an event time outside `EARLIEST_MS` to `LATEST_MS`.
        """
        ids = self._ids(serials)
        timestamps = _varints(event_time_ms, _TIMESTAMP_WIDTH)
        hours = _hours(event_time_ms)
        layouts = self._layout_of[templates]
        values = np.empty(len(templates), np.object_)
        for number, layout in enumerate(self._layouts):
            where = np.flatnonzero(layouts == number)
            if where.size == 0:
                continue
            block = layout.matrix[self._row_of[templates[where]]]
            for field, slot in (("id", ids), ("hour", hours), ("timestamp", timestamps)):
                begin = layout.slots[field]
                block[:, begin : begin + slot.shape[1]] = slot[where]
            values[where] = block.view(f"V{block.shape[1]}").ravel().tolist()
        return values

    def event_id(self, serial: int) -> str:
        """The id that `encode` gives the event with this serial number."""
        return str(self._ids(np.array([serial]))[0].tobytes(), "ascii")

    def _ids(self, serials: NDArray[np.int64]) -> NDArray[np.uint8]:
        ids = np.empty((len(serials), _ID_WIDTH), np.uint8)
        ids[:, :_RUN_DIGITS] = self._run
        for place, shift in enumerate((32, 16, 0)):
            begin = _RUN_DIGITS + place * _CHUNK_DIGITS
            ids[:, begin : begin + _CHUNK_DIGITS] = _HEX_CHUNKS[(serials >> shift) & 0xFFFF]
        return ids


def _encode_template(schema_id: int, template: Event) -> tuple[bytes, dict[str, int]]:
    """A template's bytes with placeholders, and where each placeholder's value begins."""
    event = {**template, **_PLACEHOLDERS}
    value = wire_header(schema_id)
    slots: dict[str, int] = {}
    for schema, slot in _segments():
        out = io.BytesIO()
        fastavro.schemaless_writer(out, schema, event)
        if slot is not None:
            # A string's value comes after its length, which is one byte here.
            slots[slot] = len(value) + (1 if isinstance(_PLACEHOLDERS[slot], str) else 0)
        value += out.getvalue()
    return value, slots


@cache
def _segments() -> list[tuple[Any, str | None]]:
    """The event schema cut before each placeholder: record schemas, and the placeholder each begins with.

    A record's encoding is its fields' encodings one after the other, so the segments' make up the whole.
    """
    schema = json.loads(shipped_stream().event_schema)
    runs: list[list[dict[str, Any]]] = [[]]
    for field in schema["fields"]:
        if field["name"] in _PLACEHOLDERS and runs[-1]:
            runs.append([])
        runs[-1].append(field)
    return [
        (
            fastavro.parse_schema({"type": "record", "name": f"Segment{number}", "fields": fields}),
            fields[0]["name"] if fields[0]["name"] in _PLACEHOLDERS else None,
        )
        for number, fields in enumerate(runs)
    ]


def _varints(numbers: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    """Avro's encoding (zigzag, seven bits a byte, lowest first) of positive numbers: `(n, width)`.

    Raises:
        ValueError: a number whose encoding has another width.
    """
    zigzag = numbers << 1
    if len(numbers) and (int(zigzag.min()) >> 7 * (width - 1) == 0 or int(zigzag.max()) >> 7 * width):
        raise ValueError(f"no Avro encoding of {width} bytes: {numbers.min()} to {numbers.max()}")
    digits = zigzag[:, np.newaxis] >> (7 * np.arange(width))
    encoded = (digits & 0x7F).astype(np.uint8)
    encoded[:, :-1] |= 0x80
    return encoded


def _hours(event_time_ms: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The encoded `hour` of each event time: `(n, _HOUR_WIDTH)`."""
    hours = event_time_ms // HOUR_MS
    first = int(hours.min(initial=LATEST_MS // HOUR_MS))
    distinct = np.arange(first, int(hours.max(initial=first)) + 1)
    encoded: NDArray[np.uint8] = _varints(avazu_hour(distinct), _HOUR_WIDTH)[hours - first]
    return encoded
