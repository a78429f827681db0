"""Whether events of the past may still be sent: what the raw topic holds decides it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import numpy as np
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from contract.errors import CtrError
from ctr_platform.defs.kafka import client as kafka
from ctr_platform.defs.reconciliation.decode import VALID, Decoder
from ctr_platform.defs.registry import client as registry
from ctr_platform.defs.registry.schemas import WriterSchemas
from ctr_platform.loadgen.schedule import MINUTE_MS, clock_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confluent_kafka import Message
    from confluent_kafka.schema_registry import SchemaRegistryClient

    from contract.settings import Settings
    from contract.stream.load import DeclaredStream

_LONGEST_WINDOW_MS: Final = 5 * MINUTE_MS
_TAIL_MESSAGES: Final = 1000
"""So many records of each partition are looked at: live traffic shows in the newest."""
_CHUNK_MESSAGES: Final = 10_000
_CHUNK_S: Final = 0.1
"""How long the client gathers a chunk; it waits that long even when there is nothing more to come."""


def refuse_if_late(settings: Settings, stream: DeclaredStream, first_ms: int) -> None:
    """Make sure that no event from `first_ms` (event time) on would be late already.

    Once the topic is quiet, the job closes the windows of the newest event there is, the 5 min window
    too. So nothing may be sent to a window that ends no later than that one, whichever partition holds
    the event.

    Raises:
        CtrError: events would be late; or Kafka or the registry do not answer.
    """
    limit_ms = first_ms // _LONGEST_WINDOW_MS * _LONGEST_WINDOW_MS
    newest = kafka.ask(settings, lambda: _newest_event(settings, stream, limit_ms))
    if newest >= limit_ms:
        closed = (newest // _LONGEST_WINDOW_MS + 1) * _LONGEST_WINDOW_MS
        raise CtrError(
            f"{settings.raw_topic} holds events of {clock_text(newest)}: those from {clock_text(first_ms)} "
            f"on would be late. Stop other traffic and begin at {clock_text(closed)} or later, or send live "
            "traffic."
        )


def _newest_event(settings: Settings, stream: DeclaredStream, limit_ms: int) -> int:
    """The highest event time of a valid record (or a first one at or after the limit); -1 without any."""
    consumer = Consumer(
        {
            **kafka.client_config(settings),
            # Required by the client; nothing is committed under it.
            "group.id": f"{settings.kafka_topic_prefix}ctr-lateness-check",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    try:
        tail, whole = _ranges(consumer, settings, limit_ms)
        with registry.registry_client(settings) as schemas:
            reader = _TimeReader(settings, stream, schemas)
            newest = _highest(consumer, tail, reader, limit_ms)
            return newest if newest >= limit_ms else _highest(consumer, whole, reader, limit_ms)
    finally:
        consumer.close()


def _ranges(
    consumer: Consumer, settings: Settings, limit_ms: int
) -> tuple[list[TopicPartition], list[TopicPartition]]:
    """Where to read from, partition by partition: the last records, and all that could matter.

    A valid event is at most `MAX_AHEAD` ahead of the broker's clock when it is appended, so what was
    appended earlier is older than the limit.
    """
    topic = settings.raw_topic
    since_ms = max(limit_ms - settings.time_rules.max_ahead_ms, 0)
    metadata = consumer.list_topics(topic, timeout=kafka.ADMIN_TIMEOUT_S).topics[topic]
    since = [TopicPartition(topic, each, since_ms) for each in metadata.partitions]
    tail, whole = [], []
    for found in consumer.offsets_for_times(since, timeout=kafka.ADMIN_TIMEOUT_S):
        _, end = consumer.get_watermark_offsets(found, timeout=kafka.ADMIN_TIMEOUT_S)
        if 0 <= found.offset < end:
            whole.append(TopicPartition(topic, found.partition, found.offset))
            tail.append(TopicPartition(topic, found.partition, max(found.offset, end - _TAIL_MESSAGES)))
    return tail, whole


def _highest(consumer: Consumer, begins: list[TopicPartition], reader: _TimeReader, limit_ms: int) -> int:
    """The highest event time from these offsets to the end, or a first one at or after the limit."""
    consumer.assign(begins)
    unread = {each.partition for each in begins}
    newest = -1
    silent_since = time.monotonic()
    while unread and newest < limit_ms:
        messages = consumer.consume(_CHUNK_MESSAGES, timeout=_CHUNK_S)
        if messages:
            silent_since = time.monotonic()
        elif time.monotonic() - silent_since > kafka.ADMIN_TIMEOUT_S:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - a public constant of librdkafka
        records = []
        for message in messages:
            error = message.error()
            if error is None:
                records.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
                unread.discard(message.partition())
            else:
                raise KafkaException(error)
        newest = max(newest, reader.newest(records))
    return newest


class _TimeReader:
    """Reads the event times of records, whatever version of the schema they were written with."""

    def __init__(self, settings: Settings, stream: DeclaredStream, client: SchemaRegistryClient) -> None:
        self._rules = settings.time_rules
        self._decoder = Decoder(stream, WriterSchemas(settings, client, kept=False).event_type)

    def newest(self, messages: Sequence[Message]) -> int:
        """Return the highest event time, ms; -1 without a valid one: the dead move no watermark."""
        decoded = self._decoder.decode([message.value() for message in messages])
        appended = np.array([message.timestamp()[1] for message in messages], np.int64)
        times = decoded.timestamp_ms
        valid = (
            (decoded.dead == VALID)
            & ((decoded.click == 0) | (decoded.click == 1))
            & (times >= self._rules.earliest_ms)
            & (times <= appended + self._rules.max_ahead_ms)
        )
        return int(times[valid].max(initial=-1))
