"""Traffic of the past is refused exactly while the topic's content would make it late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer

from contract.errors import CtrError
from contract.stream.load import shipped_stream
from ctr_platform.defs.kafka.topics import ensure_topics
from ctr_platform.defs.registry.subject import ensure_subject
from ctr_platform.loadgen.encoder import EventWriter
from ctr_platform.loadgen.lateness import refuse_if_late
from ctr_platform.loadgen.own_fields import OwnFields
from ctr_platform.loadgen.schedule import now_ms
from ctr_platform.loadgen.synthetic import events_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.settings import Settings

pytestmark = pytest.mark.stack

FIVE_MINUTES_MS = 300_000


def encode(schema_id: int, time_ms: int, click: int = 0) -> bytes:
    stream = shipped_stream()
    event = {**events_of(stream).known()[0].not_clicked, **OwnFields(stream).values("x", time_ms)}
    return EventWriter(stream, schema_id).encode({**event, "click": click})


def put(settings: Settings, *values: bytes | None, partition: int = 0) -> None:
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap_servers})
    for value in values:
        producer.produce(settings.raw_topic, value, partition=partition)
    assert producer.flush(30) == 0


@pytest.fixture
def encoder(kafka_settings: Settings) -> Callable[..., bytes]:
    ensure_topics(kafka_settings)
    identifier = ensure_subject(kafka_settings).id
    return lambda time_ms, click=0: encode(identifier, time_ms, click)


def refuse(settings: Settings, first_ms: int) -> None:
    refuse_if_late(settings, settings.declared_stream(), first_ms)


def test_an_empty_topic_makes_nothing_late(kafka_settings: Settings, encoder: Callable[..., bytes]) -> None:
    del encoder
    refuse(kafka_settings, now_ms() - 3_600_000)


@pytest.mark.parametrize("partition", [0, 3])
def test_the_newest_event_closes_its_own_windows(
    kafka_settings: Settings, encoder: Callable[..., bytes], partition: int
) -> None:
    boundary = now_ms() // FIVE_MINUTES_MS * FIVE_MINUTES_MS
    newest = boundary - 1
    put(kafka_settings, encoder(newest), encoder(newest - 10**7), partition=partition)
    refuse(kafka_settings, boundary)
    with pytest.raises(CtrError, match="would be late"):
        refuse(kafka_settings, newest)


def test_the_newest_event_may_be_far_from_the_end_of_the_topic(
    kafka_settings: Settings, encoder: Callable[..., bytes]
) -> None:
    moment = now_ms() - FIVE_MINUTES_MS
    put(kafka_settings, encoder(moment), *[encoder(moment - 10**7)] * 12_000)
    with pytest.raises(CtrError, match="would be late"):
        refuse(kafka_settings, moment)


def test_dead_records_close_nothing(kafka_settings: Settings, encoder: Callable[..., bytes]) -> None:
    now = now_ms()
    valid = encoder(now)
    put(
        kafka_settings,
        encoder(now, 7),
        encoder(now + 10**8),
        valid + b"\0",
        valid[:-1],
        b"\0\x7f\xff\xff\xff" + valid[5:],
        b"\x01garbage",
        b"",
        None,
    )
    refuse(kafka_settings, now)
    put(kafka_settings, valid)
    with pytest.raises(CtrError, match="would be late"):
        refuse(kafka_settings, now)
