"""Dead-letter messages of `ad_events_error`: the original record, and why it was refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctr_platform.defs.kafka.epochs import TopicEpochs
    from ctr_platform.defs.kafka.offset_ranges import MessageBatch

REASON: Final = "reason"
TOPIC: Final = "__connect.errors.topic"
PARTITION: Final = "__connect.errors.partition"
OFFSET: Final = "__connect.errors.offset"
MESSAGE: Final = "__connect.errors.exception.message"

OMITTED: Final = "omitted"
TOPIC_ID: Final = "topic_id"

LATE: Final = "late"


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """One rejected record. `topic`, `partition` and `offset` are the record's own and identify it."""

    topic: str
    """As on record: of a topic that was deleted and made anew, the name is not Kafka's."""

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


def dead_letters_of(batch: MessageBatch, epochs: TopicEpochs | None = None) -> Iterator[DeadLetter]:
    """The dead-letter messages among consecutive records of the error topic; what is none is left out.

    Args:
        batch: of the error topic.
        epochs: name the topics as on record; None: as Kafka does.
    """
    for row, message in enumerate(batch.messages):
        headers: list[tuple[str, Any]] = message.headers() or []  # type: ignore[assignment]
        added = {name: value for name, value in headers if name in _ADDED and value is not None}
        try:
            topic, reason = added[TOPIC].decode(), added[REASON].decode()
            partition, offset = int(added[PARTITION]), int(added[OFFSET])
        except (KeyError, ValueError):
            continue
        own, omitted, topic_id = _own([each for each in headers if each[0] not in _ADDED])
        yield DeadLetter(
            topic=topic if epochs is None else epochs.name_on_record(topic, topic_id),
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


def _own(headers: list[tuple[str, Any]]) -> tuple[list[tuple[str, Any]], str | None, str | None]:
    """The record's own headers; and what the job says at their end: what it left out, the topic's id."""
    headers, topic_id = _last(headers, TOPIC_ID, _ID)
    headers, omitted = _last(headers, OMITTED, _OMITTED)
    return headers, omitted, topic_id


def _last(
    headers: list[tuple[str, Any]], name: str, form: re.Pattern[str]
) -> tuple[list[tuple[str, Any]], str | None]:
    """Take a header of this name and form from the end, if it is there."""
    if headers and headers[-1][0] == name:
        said = (headers[-1][1] or b"").decode(errors="replace")
        if form.fullmatch(said):
            return headers[:-1], said
    return headers, None


_ID: Final = re.compile(r"[\w-]{22}")
"""As Kafka writes one: 16 bytes in base64 for URLs."""

_OMITTED: Final = re.compile(r"(value|headers|key)=\d+(,(headers|key)=\d+)*")
_ADDED: Final = frozenset({REASON, TOPIC, PARTITION, OFFSET, MESSAGE})
