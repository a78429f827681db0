"""Dead-letter messages of `ad_events_error`: the original record, and why it was refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctr_platform.defs.kafka.offset_ranges import MessageBatch

REASON: Final = "reason"
TOPIC: Final = "__connect.errors.topic"
PARTITION: Final = "__connect.errors.partition"
OFFSET: Final = "__connect.errors.offset"
MESSAGE: Final = "__connect.errors.exception.message"

OMITTED: Final = "omitted"

LATE: Final = "late"


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """One rejected record. `topic`, `partition` and `offset` are the record's own and identify it."""

    topic: str
    partition: int
    offset: int
    reason: str
    message: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    """The record's own, without the dead-letter message's."""

    omitted: str | None = None
    """What did not fit, each with its size in bytes, such as `value=5242880,key=12`; None: nothing."""

    letter_offset: int
    """Offset of the message itself, in its partition of the error topic."""

    written_ms: int
    """When the broker wrote the dead-letter message."""

    @property
    def coordinates(self) -> str:
        """`partition:offset` of the record."""
        return f"{self.partition}:{self.offset}"


def dead_letters_of(batch: MessageBatch) -> Iterator[DeadLetter]:
    """The dead-letter messages among consecutive records of the error topic; what is none is left out."""
    for row, message in enumerate(batch.messages):
        headers: list[tuple[str, Any]] = message.headers() or []  # type: ignore[assignment]
        added = {name: value for name, value in headers if name in _ADDED and value is not None}
        try:
            topic, reason = added[TOPIC].decode(), added[REASON].decode()
            partition, offset = int(added[PARTITION]), int(added[OFFSET])
        except (KeyError, ValueError):
            continue
        own, omitted = _own([each for each in headers if each[0] not in _ADDED])
        yield DeadLetter(
            topic=topic,
            partition=partition,
            offset=offset,
            reason=reason,
            message=added.get(MESSAGE, b"").decode(errors="replace"),
            key=message.key(),
            value=batch.bodies[row],
            headers=own,
            omitted=omitted,
            letter_offset=batch.offsets[row],
            written_ms=batch.timestamps_ms[row],
        )


def _own(headers: list[tuple[str, Any]]) -> tuple[list[tuple[str, Any]], str | None]:
    """The record's own headers, and what the job says at their end that it left out."""
    if headers and headers[-1][0] == OMITTED:
        said = (headers[-1][1] or b"").decode(errors="replace")
        if _OMITTED.fullmatch(said):
            return headers[:-1], said
    return headers, None


_OMITTED: Final = re.compile(r"(value|headers|key)=\d+(,(headers|key)=\d+)*")
_ADDED: Final = frozenset({REASON, TOPIC, PARTITION, OFFSET, MESSAGE})
