"""Records into the raw topic, to any partition and of any bytes, with what must become of them."""

from __future__ import annotations

import io
import itertools
import json
import struct
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import fastavro
from confluent_kafka import Producer
from confluent_kafka.admin import NewPartitions

from ctr_platform.defs.kafka.client import ADMIN_TIMEOUT_S, admin_client
from ctr_platform.devstack.probes import wait_until
from tests.oracle import schema_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confluent_kafka import KafkaError, Message

    from contract.settings import Settings
    from tests.oracle import Coordinates
    from tests.support.stack import RunningStack

DELIVERED_WITHIN_S: Final = 120
"""What a producer waits for a broker that starts again."""

_numbers = itertools.count(1)


@dataclass(kw_only=True)
class TopicWriter:
    """Writes to the raw topic of a stack's settings."""

    stack: RunningStack
    base_ms: int
    """Times of events count from here."""

    schema_id: int
    outcomes: dict[Coordinates, str] = field(default_factory=dict)
    """What must become of the records that were sent with an outcome, once they are in the topic."""

    _producer: Producer = field(init=False)
    _schema: Any = field(init=False)

    def __post_init__(self) -> None:
        self._producer = self._made()
        self._schema = fastavro.parse_schema(json.loads(schema_file().read_text(encoding="utf-8")))

    @property
    def settings(self) -> Settings:
        """Of the stack."""
        return self.stack.settings

    def now_ms(self) -> int:
        """This moment, from `base_ms`."""
        return time.time_ns() // 1_000_000 - self.base_ms

    def encode(self, at_ms: int, *, schema: tuple[int, Any] | None = None, **values: Any) -> bytes:
        """An event in Confluent wire format; `at_ms` counts from `base_ms`.

        `schema` is another writer's: its id, and what fastavro made of it.
        """
        identifier, parsed = schema or (self.schema_id, self._schema)
        event = {
            "id": f"e{next(_numbers)}",
            "click": 0,
            "hour": 14102100,
            "C1": 1005,
            "banner_pos": 0,
            "site_id": "s",
            "site_category": "news",
            "device_type": 1,
            "device_ip": "ip",
            "timestamp": self.base_ms + at_ms,
            **values,
        }
        body = io.BytesIO(struct.pack(">bI", 0, identifier))
        body.seek(0, io.SEEK_END)
        fastavro.schemaless_writer(body, parsed, event)
        return body.getvalue()

    def send(
        self,
        partition: int,
        value: bytes | None,
        *,
        topic: str | None = None,
        becomes: str | None = None,
        **more: Any,
    ) -> None:
        """Put a record at the end of a partition, of the raw topic unless another is named."""
        if becomes is not None:
            more["on_delivery"] = self._noting(becomes)
        while True:
            try:
                self._producer.produce(topic or self.settings.raw_topic, value, partition=partition, **more)
            except BufferError:  # full: as fast as the broker takes it
                self._producer.poll(0.1)
            else:
                break
        self._producer.poll(0)

    def send_compressed(
        self, partition: int, value: bytes | None, *, becomes: str | None = None, **more: Any
    ) -> None:
        """Put a record at the end of a partition that is small on the wire only."""
        producer = self._made(**{"compression.type": "zstd", "message.max.bytes": 64 << 20})
        if becomes is not None:
            more["on_delivery"] = self._noting(becomes)
        producer.produce(self.settings.raw_topic, value, partition=partition, **more)
        assert producer.flush(DELIVERED_WITHIN_S) == 0

    def event(self, partition: int, at_ms: int, *, becomes: str | None = None, **values: Any) -> None:
        """Put an event at the end of a partition."""
        self.send(partition, self.encode(at_ms, **values), becomes=becomes)

    def flush(self) -> None:
        """Return when everything sent is in the topic."""
        assert self._producer.flush(DELIVERED_WITHIN_S) == 0

    def add_partitions(self, count: int) -> None:
        """Let the raw topic have so many, and return when this producer knows them."""
        topic, admin = self.settings.raw_topic, admin_client(self.settings)
        admin.create_partitions([NewPartitions(topic, count)])[topic].result(ADMIN_TIMEOUT_S)
        wait_until(
            lambda: len(self._producer.list_topics(topic, ADMIN_TIMEOUT_S).topics[topic].partitions) == count,
            ADMIN_TIMEOUT_S,
            "the new partitions",
        )

    @contextmanager
    def transaction(self) -> Iterator[Callable[[int, bytes], None]]:
        """A transaction of another producer: takes partition and value, and commits at the end."""
        producer = self._made(**{"transactional.id": f"{self.settings.raw_topic}-{next(_numbers)}"})
        producer.init_transactions(DELIVERED_WITHIN_S)
        producer.begin_transaction()

        def send(partition: int, value: bytes) -> None:
            producer.produce(
                self.settings.raw_topic, value, partition=partition, on_delivery=self._noting("counted")
            )
            producer.flush(DELIVERED_WITHIN_S)

        yield send
        producer.commit_transaction(DELIVERED_WITHIN_S)

    def _made(self, **config: Any) -> Producer:
        return Producer(
            {
                "bootstrap.servers": self.settings.kafka_bootstrap_servers,
                "message.max.bytes": 2 << 20,
                "log_level": 0,  # a stopped broker is part of the tests
                **config,
            }
        )

    def _noting(self, outcome: str) -> Callable[[KafkaError | None, Message], None]:
        def delivered(error: KafkaError | None, message: Message) -> None:
            partition, offset = message.partition(), message.offset()
            if error is None and partition is not None and offset is not None:
                self.outcomes[partition, offset] = outcome

        return delivered
