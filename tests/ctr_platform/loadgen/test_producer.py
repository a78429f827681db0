"""Values the broker or the client will not take are counted as failed, and the rest arrive in order."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from ctr_platform.defs.kafka.topics import ensure_topics
from ctr_platform.loadgen.producer import QUEUE_MESSAGES, EventProducer
from ctr_platform.loadgen.stop import Stop
from tests.oracle import read_topic

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.settings import Settings

pytestmark = pytest.mark.stack

MIB = 1 << 20


def limit_topic(settings: Settings, size: int) -> None:
    change = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, settings.raw_topic, incremental_configs=[change])
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(30)


def nothing() -> None:
    """Wait in silence."""


@pytest.fixture
def producer(kafka_settings: Settings) -> Callable[[Stop], EventProducer]:
    ensure_topics(kafka_settings)
    return lambda stop: EventProducer(kafka_settings, stop, nothing)


def test_an_oversized_value_fails_alone(
    kafka_settings: Settings, producer: Callable[[Stop], EventProducer]
) -> None:
    sender = producer(Stop())
    assert sender.send([[b"a", bytes(2 * MIB), b"b"], [b"c"]])
    delivery = sender.finish()
    assert (delivery.queued, delivery.delivered, delivery.failed, delivery.pending) == (4, 3, 1, 0)
    assert not delivery.complete
    assert "too large" in str(delivery.error).lower()
    values = [
        (message.partition, message.value) for message in read_topic(kafka_settings, kafka_settings.raw_topic)
    ]
    assert values == [(0, b"a"), (0, b"b"), (1, b"c")]


def test_what_the_broker_refuses_is_counted_as_failed(
    kafka_settings: Settings, producer: Callable[[Stop], EventProducer]
) -> None:
    limit_topic(kafka_settings, 1000)
    sender = producer(Stop())
    sender.send([[b"a"]])
    assert sender.finish().complete
    sender.send([[os.urandom(10_000)]])
    delivery = sender.finish()
    assert (delivery.delivered, delivery.failed) == (1, 1)
    assert delivery.error


def test_more_than_the_queue_holds_arrives_in_order(
    kafka_settings: Settings, producer: Callable[[Stop], EventProducer]
) -> None:
    sender = producer(Stop())
    count = 2 * QUEUE_MESSAGES
    assert sender.send([[b"%d" % number for number in range(count)]])
    assert sender.finish().delivered == count
    values = [int(message.value or b"-1") for message in read_topic(kafka_settings, kafka_settings.raw_topic)]
    assert values == list(range(count))


def test_a_stop_at_a_full_queue_queues_nothing_of_a_batch(
    kafka_settings: Settings, producer: Callable[[Stop], EventProducer]
) -> None:
    del kafka_settings
    stop = Stop()
    sender = producer(stop)
    sender.send([[b"x"] * QUEUE_MESSAGES])
    stop.request()
    queued = sender.send([[b"y"] * QUEUE_MESSAGES])
    delivery = sender.finish()
    # Whether the first batch was delivered in time or not: all of the second is in, or none.
    assert delivery.queued == QUEUE_MESSAGES * (2 if queued else 1)
    assert delivery.complete
