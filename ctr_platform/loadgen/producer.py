"""Delivery of encoded events to the raw topic, without losing or doubling one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import KafkaError, Producer

from ctr_platform.defs.kafka.client import client_config

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from confluent_kafka import Message

    from contract.settings import Settings
    from ctr_platform.loadgen.stop import Stop

QUEUE_MESSAGES: Final = 200_000
"""Messages in the client's memory: half a second at full speed, some 40 MiB."""

_CONFIG: Final[dict[str, str | int | float | bool]] = {
    "enable.idempotence": True,
    "acks": "all",
    "compression.type": "lz4",
    # A batch closes after 5 ms: far below the second within which windows follow, and full at high rates.
    "linger.ms": 5,
    "batch.size": 1_000_000,
    "batch.num.messages": 100_000,
    "queue.buffering.max.messages": QUEUE_MESSAGES,
    # How long a message is retried: a broker that restarts is back well before.
    "message.timeout.ms": 120_000,
    "delivery.report.only.error": True,
}

_POLL_S: Final = 0.1
"""Between two looks at a full queue or an unfinished delivery: what a person notices as immediate."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How far delivery has come; `queued` = delivered + failed + pending."""

    queued: int
    delivered: int
    failed: int
    pending: int
    error: str | None
    """The first failure's reason."""

    @property
    def complete(self) -> bool:
        """Everything queued was delivered."""
        return self.delivered == self.queued


class EventProducer:
    """An idempotent producer of values to chosen partitions of the raw topic."""

    def __init__(self, settings: Settings, stop: Stop, on_wait: Callable[[], None]) -> None:
        """Connect; `on_wait` is called about every 0.1 s while the producer waits for the broker."""
        self._producer = Producer({**client_config(settings), **_CONFIG})
        self._topic = settings.raw_topic
        self._stop = stop
        self._on_wait = on_wait
        self._queued = self._failed = 0
        self._error: str | None = None

    @property
    def delivery(self) -> Delivery:
        """The state of delivery now."""
        pending = len(self._producer)
        return Delivery(
            queued=self._queued,
            delivered=self._queued - self._failed - pending,
            failed=self._failed,
            pending=pending,
            error=self._error,
        )

    def send(self, values_by_partition: Sequence[list[bytes]]) -> bool:
        """Queue all of these values, each partition's in order, or, when an end is asked for, none.

        Waits while the queue is full. Returns whether they were queued.
        """
        needed = sum(map(len, values_by_partition))
        while len(self._producer) + needed > max(QUEUE_MESSAGES, needed):
            if self._stop.requested:
                return False
            self._producer.poll(_POLL_S)
            self._on_wait()
        for partition, values in enumerate(values_by_partition):
            messages: list[dict[str, Any]] = [{"value": value} for value in values]
            while messages:
                messages = self._queue(partition, messages)
        self._producer.poll(0)
        return True

    def _queue(self, partition: int, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Queue what the client takes; returns those it turned away for want of room."""
        self._queued += self._producer.produce_batch(
            self._topic, messages, partition=partition, on_delivery=self._on_delivery
        )
        again = []
        for message in messages:
            error = message.pop("_error", None)
            if error is None:
                continue
            # `send` saw to room for the number of messages; their bytes have a limit of their own.
            if error.code() == KafkaError._QUEUE_FULL:  # noqa: SLF001 - a public constant of librdkafka
                again.append(message)
            else:
                self._queued += 1
                self._fail(error)
        if again:
            self._producer.poll(_POLL_S)
            self._on_wait()
        return again

    def poll(self) -> None:
        """Take in delivery reports; to be called now and then while nothing is sent."""
        self._producer.poll(0)

    def finish(self) -> Delivery:
        """Wait until every queued value is delivered or has failed, or an end is insisted upon."""
        while self._producer.flush(_POLL_S) and not self._stop.insisted:
            self._on_wait()
        return self.delivery

    def _on_delivery(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._fail(error)

    def _fail(self, error: KafkaError) -> None:
        self._failed += 1
        self._error = self._error or error.str()
