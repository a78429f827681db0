"""Named repairs: what can be made of a dead record before it is replayed."""

from __future__ import annotations

import io
import json
import struct
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import fastavro

from contract.utf8 import decode_utf8
from contract.wire import HEADER_BYTES
from ctr_platform.defs.registry.subject import event_schema_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ctr_platform.defs.dead_letters.messages import DeadLetter
    from ctr_platform.defs.registry.decoder import EventDecoder

Fix: TypeAlias = "Callable[[DeadLetter, EventDecoder, int], bytes | None]"
"""Gets a dead-letter message, a decoder, and the id of the platform's own schema; gives the value to send,
or None where it cannot help."""


def clamp_click(dead_letter: DeadLetter, decoder: EventDecoder, schema_id: int) -> bytes | None:
    """For `invalid`: an event with `click` above 1 counts as clicked, below 0 as not clicked."""
    event = decoder.decode(dead_letter.value)
    if event is None or event.get("click") in (0, 1):
        return None
    return _encode({**event, "click": int(event["click"] > 0)}, schema_id)


def own_schema(dead_letter: DeadLetter, decoder: EventDecoder, schema_id: int) -> bytes | None:
    """For `unknown_schema`: a producer that wrote a wrong schema id, but the platform's own schema."""
    if dead_letter.value is None:
        return None
    value = struct.pack(">bi", 0, schema_id) + dead_letter.value[HEADER_BYTES:]
    return None if decoder.decode(value) is None else value


def cut_leftover(dead_letter: DeadLetter, decoder: EventDecoder, schema_id: int) -> bytes | None:  # noqa: ARG001
    """For `malformed`: an event with bytes left over behind its last field loses these."""
    return None if dead_letter.value is None else decoder.whole_event(dead_letter.value)


def _encode(event: dict[str, Any], schema_id: int) -> bytes | None:
    """The event in the platform's own schema; None where that has no room for a value of it."""
    body = io.BytesIO()
    try:
        fastavro.schemaless_writer(body, _own_schema(), _own(event))
    except (TypeError, ValueError, AttributeError):
        return None
    return struct.pack(">bi", 0, schema_id) + body.getvalue()


@cache
def _own_schema() -> Any:
    return fastavro.parse_schema(json.loads(event_schema_json()))


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
