"""Named repairs: what can be made of a dead record before it is replayed."""

from __future__ import annotations

import io
import json
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import fastavro

from contract.utf8 import decode_utf8
from contract.wire import HEADER_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contract.stream.load import DeclaredStream
    from ctr_platform.defs.dead_letters.messages import DeadLetter
    from ctr_platform.defs.registry.decoder import EventDecoder


@dataclass(frozen=True)
class OwnSchema:
    """The platform's own schema of the event, by which mended records are written."""

    stream: DeclaredStream
    schema_id: int
    _avro: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_avro", fastavro.parse_schema(json.loads(self.stream.event_schema)))

    @property
    def header(self) -> bytes:
        """What begins a record that is written by it."""
        return struct.pack(">bi", 0, self.schema_id)

    def encode(self, event: dict[str, Any]) -> bytes | None:
        """Write an event; None where the schema has no room for a value of it."""
        body = io.BytesIO(self.header)
        body.seek(len(self.header))
        try:
            fastavro.schemaless_writer(body, self._avro, _own(event))
        except (TypeError, ValueError, AttributeError):
            return None
        return body.getvalue()


Fix: TypeAlias = "Callable[[DeadLetter, EventDecoder, OwnSchema], bytes | None]"
"""Gets a dead-letter message, a decoder, and the platform's own schema; gives the value to send, or None
where it cannot help."""


def clamp_click(dead_letter: DeadLetter, decoder: EventDecoder, own: OwnSchema) -> bytes | None:
    """For `invalid`: an event whose click is above 1 counts as clicked, below 0 as not clicked."""
    name = own.stream.declaration.event.click.field
    event = decoder.decode(dead_letter.value)
    if event is None or not isinstance(event.get(name), int) or event[name] in (0, 1):
        return None
    return own.encode({**event, name: int(event[name] > 0)})


def own_schema(dead_letter: DeadLetter, decoder: EventDecoder, own: OwnSchema) -> bytes | None:
    """For `unknown_schema`: a producer that wrote a wrong schema id, but the platform's own schema."""
    if dead_letter.value is None:
        return None
    value = own.header + dead_letter.value[HEADER_BYTES:]
    return None if decoder.decode(value) is None else value


def cut_leftover(dead_letter: DeadLetter, decoder: EventDecoder, own: OwnSchema) -> bytes | None:  # noqa: ARG001
    """For `malformed`: an event with bytes left over behind its last field loses these."""
    return None if dead_letter.value is None else decoder.whole_event(dead_letter.value)


def _own(event: dict[str, Any]) -> dict[str, Any]:
    """Strings that were written as bytes, or as null, as the platform's own schema has them."""
    return {
        name: decode_utf8(value) if isinstance(value, bytes) else "" if value is None else value
        for name, value in event.items()
    }


FIXES: Final[Mapping[str, Fix]] = {
    "clamp_click": clamp_click,
    "own_schema": own_schema,
    "cut_leftover": cut_leftover,
}
"""By the name that a replay is given. A new one is a function here."""
