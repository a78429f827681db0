"""Events as bytes: Avro in Confluent wire format, one at a time or by the ten thousand.

An Avro library encodes every event template twice, with two sets of placeholders for what differs from
event to event (id, times): the bytes that differ are theirs. Placeholder and value have the same encoded
width, so that encoding a batch is copying the templates' bytes and overwriting these slots, for all its
events at once.
"""

from __future__ import annotations

import io
import json
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import fastavro
import numpy as np

from ctr_platform.loadgen.own_fields import OwnFields
from ctr_platform.loadgen.schema_fields import schema_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from contract.stream.load import DeclaredStream
    from ctr_platform.loadgen.own_fields import TimeForm

    Widths: TypeAlias = tuple[int, ...]
    """Encoded widths of the slots, in bytes, in the order of the schema."""

Event: TypeAlias = "Mapping[str, Any]"
"""Field name of the event schema -> value."""

_RUN_DIGITS: Final = 8
_SERIAL_DIGITS: Final = 12
ID_DIGITS: Final = _RUN_DIGITS + _SERIAL_DIGITS

_CHUNK_DIGITS: Final = 4
_HEX_CHUNKS: Final = np.array([list(f"{n:04x}".encode()) for n in range(1 << 16)], np.uint8)
"""Every 16-bit number as four hexadecimal digits."""

_WIDER_FROM: Final = 1 << 7 * np.arange(1, 9, dtype=np.int64)
"""Zigzag numbers from which an encoding takes a byte more."""


def wire_header(schema_id: int) -> bytes:
    """Confluent's wire format: a zero byte and the schema id, before the Avro body."""
    return struct.pack(">bI", 0, schema_id)


class EventWriter:
    """Encodes single events of a stream's schema."""

    def __init__(self, stream: DeclaredStream, schema_id: int) -> None:
        self._header = wire_header(schema_id)
        self._schema = fastavro.parse_schema(json.loads(stream.event_schema))
        # Which the library would take for texts.
        self._defaults = {
            each.name: each.default_bytes for each in schema_fields(stream) if each.default_bytes is not None
        }

    def encode(self, event: Event) -> bytes:
        """One event in wire format.

        Raises:
            ValueError, TypeError: a field is missing or not of the schema's type.
        """
        out = io.BytesIO(self._header)
        out.seek(len(self._header))
        whole = {**self._defaults, **event} if self._defaults else event
        fastavro.schemaless_writer(out, self._schema, whole, strict=False)
        return out.getvalue()


@dataclass(frozen=True)
class _Layout:
    """Templates that agree in length and slots: rows of one matrix `(templates, length)`."""

    matrix: NDArray[np.uint8]
    slots: Sequence[int]
    """Where each slot begins."""


@dataclass(frozen=True)
class _Layouts:
    """All templates, with slots of certain widths."""

    layouts: Sequence[_Layout]
    layout_of: NDArray[np.int64]
    row_of: NDArray[np.int64]


@dataclass(frozen=True)
class _Slot:
    """Encoded values of one field of `n` events, `(n, width)`; `widths` where they are not all as wide."""

    encoded: NDArray[np.uint8]
    widths: NDArray[np.int64] | None = None


class BatchEncoder:
    """Encodes batches of events made from templates.

    An event is a template (a full event but for its own fields), an id of `run` and a serial number, and an
    event time, which it may hold in several forms.
    """

    def __init__(self, stream: DeclaredStream, schema_id: int, templates: Sequence[Event], run: int) -> None:
        """Encode `templates`; `run` (32 bits) sets apart the ids of one run from another's."""
        self._run = np.frombuffer(f"{run:0{_RUN_DIGITS}x}".encode(), np.uint8)
        self._templates = templates
        self._writer = EventWriter(stream, schema_id)
        self._own = OwnFields(stream)
        self._slots = [each for each in stream.fields if each in self._own.names]
        self._known: dict[Widths, _Layouts] = {}
        # Now, so that the first batch does not wait for it.
        self.encode(np.zeros(1, np.int64), np.zeros(1, np.int64), np.array([time.time_ns() // 1_000_000]))

    def encode(
        self,
        templates: NDArray[np.int64],
        serials: NDArray[np.int64],
        event_time_ms: NDArray[np.int64],
    ) -> NDArray[np.object_]:
        """Encode `n` events, given as three arrays of shape `(n,)`; returns `n` bytes objects.

        Raises:
            ValueError: an event time before 1970.
        """
        slots = [
            _Slot(self._ids(serials))
            if name == self._own.id
            else _encoded_times(self._own.times[name], event_time_ms)
            for name in self._slots
        ]
        values = np.empty(len(templates), np.object_)
        for widths, among in _by_widths(slots, len(templates)):
            known = self._layouts(widths)
            layouts = known.layout_of[templates[among]]
            for number, layout in enumerate(known.layouts):
                where = among[np.flatnonzero(layouts == number)]
                if where.size == 0:
                    continue
                block = layout.matrix[known.row_of[templates[where]]]
                for begin, width, slot in zip(layout.slots, widths, slots, strict=True):
                    block[:, begin : begin + width] = slot.encoded[where, :width]
                values[where] = block.view(f"V{block.shape[1]}").ravel().tolist()
        return values

    def event_id(self, serial: int) -> str:
        """The id that `encode` gives the event with this serial number."""
        return str(self._ids(np.array([serial]))[0].tobytes(), "ascii")

    def _ids(self, serials: NDArray[np.int64]) -> NDArray[np.uint8]:
        ids = np.empty((len(serials), ID_DIGITS), np.uint8)
        ids[:, :_RUN_DIGITS] = self._run
        for place, shift in enumerate((32, 16, 0)):
            begin = _RUN_DIGITS + place * _CHUNK_DIGITS
            ids[:, begin : begin + _CHUNK_DIGITS] = _HEX_CHUNKS[(serials >> shift) & 0xFFFF]
        return ids

    def _layouts(self, widths: Widths) -> _Layouts:
        """Encode the templates with placeholders of these widths, once."""
        if widths not in self._known:
            self._known[widths] = self._encode_templates(widths)
        return self._known[widths]

    def _encode_templates(self, widths: Widths) -> _Layouts:
        one, other = (
            {
                name: self._placeholder(name, width, which)
                for name, width in zip(self._slots, widths, strict=True)
            }
            for which in (0, 1)
        )
        members: dict[tuple[int, tuple[int, ...]], list[bytes]] = {}
        keys = []
        row_of = np.empty(len(self._templates), np.int64)
        for index, template in enumerate(self._templates):
            value = self._writer.encode({**template, **one})
            slots = _slots_of(value, self._writer.encode({**template, **other}), widths)
            alike = members.setdefault((len(value), slots), [])
            keys.append((len(value), slots))
            row_of[index] = len(alike)
            alike.append(value)
        numbers = {key: number for number, key in enumerate(members)}
        return _Layouts(
            layouts=[
                _Layout(np.frombuffer(b"".join(values), np.uint8).reshape(-1, length), slots)
                for (length, slots), values in members.items()
            ],
            layout_of=np.array([numbers[key] for key in keys]),
            row_of=row_of,
        )

    def _placeholder(self, name: str, width: int, which: int) -> str | int:
        """One of two values of this width whose encodings differ in every byte."""
        if name == self._own.id or self._own.times[name].is_text:
            return "0f"[which] * width
        return sum((1 + which) << 7 * place for place in range(width))


def _slots_of(one: bytes, other: bytes, widths: Widths) -> tuple[int, ...]:
    """Where the slots begin: two encodings of a template differ there, and nowhere else."""
    places = np.flatnonzero(np.frombuffer(one, np.uint8) != np.frombuffer(other, np.uint8))
    begins = np.cumsum((0, *widths))
    assert len(places) == begins[-1], "the placeholders are not as wide as they should be"  # noqa: S101
    return tuple(places[begins[:-1]].tolist())


def _by_widths(slots: Sequence[_Slot], count: int) -> Iterator[tuple[Widths, NDArray[np.int64]]]:
    """Events whose slots are alike in their widths: the widths, and which events. Mostly, that is all."""
    everything = np.arange(count)
    if all(slot.widths is None for slot in slots):
        yield tuple(slot.encoded.shape[1] for slot in slots), everything
        return
    widths = np.column_stack(
        [np.full(count, slot.encoded.shape[1]) if slot.widths is None else slot.widths for slot in slots]
    )
    kinds, which = np.unique(widths, axis=0, return_inverse=True)
    for number, kind in enumerate(kinds.tolist()):
        yield tuple(kind), np.flatnonzero(which.ravel() == number)


def _encoded_times(form: TimeForm, time_ms: NDArray[np.int64]) -> _Slot:
    numbers = None if form.is_text else form.numbers(time_ms)
    if numbers is not None:
        return _varints(numbers)
    values, which = form.values(time_ms)
    if form.is_text:
        texts = [str(each).encode() for each in values]
        lengths = np.array([len(each) for each in texts])
        longest = int(lengths.max(initial=0))
        padded = np.frombuffer(b"".join(each.ljust(longest) for each in texts), np.uint8)
        slot = _Slot(padded.reshape(len(texts), longest), None if (lengths == longest).all() else lengths)
    else:
        slot = _varints(np.array(values, np.int64))
    return _Slot(slot.encoded[which], None if slot.widths is None else slot.widths[which])


def _varints(numbers: NDArray[np.int64]) -> _Slot:
    """Avro's encoding (zigzag, seven bits a byte, lowest first) of numbers from 0 on.

    Raises:
        ValueError: a number below 0.
    """
    zigzag = numbers << 1
    least, most = int(zigzag.min(initial=np.iinfo(np.int64).max)), int(zigzag.max(initial=0))
    if least < 0:
        raise ValueError(f"{least >> 1} is a time before 1970")
    width = max(1, -(-most.bit_length() // 7))
    encoded = (zigzag[:, np.newaxis] >> (7 * np.arange(width)) & 0x7F).astype(np.uint8)
    if least >> 7 * (width - 1) or width == 1:
        encoded[:, :-1] |= 0x80
        return _Slot(encoded)
    widths = np.searchsorted(_WIDER_FROM, zigzag, side="right") + 1
    encoded[np.arange(width) < widths[:, np.newaxis] - 1] |= 0x80
    return _Slot(encoded, widths)
