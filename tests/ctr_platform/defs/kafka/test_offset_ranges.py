"""Batches of records: bounded in number and in bytes."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from confluent_kafka import Producer, TopicPartition

from ctr_platform.defs.kafka import offset_ranges
from ctr_platform.defs.kafka.client import ADMIN_TIMEOUT_S, client_config
from ctr_platform.defs.kafka.offset_ranges import consumer, message_batches
from ctr_platform.defs.kafka.topics import ensure_topics

if TYPE_CHECKING:
    import pytest

    from contract.settings import Settings

RECORDS = 40


def _offsets(settings: Settings, **limits: int) -> list[list[int]]:
    with consumer(settings, "test") as reader:
        start = TopicPartition(settings.raw_topic, 0, 0)
        return [batch.offsets for batch in message_batches(reader, settings, start, RECORDS, **limits)]


def test_a_batch_ends_at_its_number_of_records_or_of_bytes(
    kafka_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_topics(kafka_settings)
    producer = Producer({**client_config(kafka_settings), "message.max.bytes": 2 << 20})
    for _ in range(RECORDS):
        producer.produce(kafka_settings.raw_topic, random.randbytes(1 << 20), partition=0)
    assert producer.flush(ADMIN_TIMEOUT_S) == 0

    everything = list(range(RECORDS))
    assert _offsets(kafka_settings) == [everything]
    fifteen = _offsets(kafka_settings, batch_records=15)
    assert [len(each) for each in fifteen] == [15, 15, 10]
    assert sum(fifteen, []) == everything  # noqa: RUF017 - three lists
    monkeypatch.setattr(offset_ranges, "BATCH_BYTES", 1 << 20)
    monkeypatch.setattr(offset_ranges, "POLL_S", 0.001)  # one answer of the broker at a time: 8 MiB
    small = _offsets(kafka_settings, batch_records=2 * RECORDS)
    assert len(small) > 1
    assert sum(small, []) == everything  # noqa: RUF017
