"""Chosen dead records back into the raw topic, each at most once, whatever is killed when."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import Producer, TopicPartition
from sqlalchemy.dialects.postgresql import insert

from contract.errors import KafkaUnavailable, UsageError
from ctr_platform.defs.dead_letters.fixes import FIXES, OwnSchema
from ctr_platform.defs.dead_letters.messages import LATE
from ctr_platform.defs.dead_letters.originals import completed
from ctr_platform.defs.dead_letters.read import read_dead_letters
from ctr_platform.defs.dead_letters.seen import SeenRecords
from ctr_platform.defs.kafka.client import ask, client_config
from ctr_platform.defs.kafka.epochs import topic_epochs
from ctr_platform.defs.kafka.offset_ranges import bounds, consumer, message_batches, partitions
from ctr_platform.defs.registry.client import registry_client
from ctr_platform.defs.registry.decoder import EventDecoder
from ctr_platform.defs.registry.subject import ensure_subject
from flink.config import RAW_MAX_BYTES
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.corrections import DeadLetterReplay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from confluent_kafka import KafkaError, Message

    from contract.settings import Settings
    from ctr_platform.defs.dead_letters.messages import DeadLetter
    from ctr_platform.defs.kafka.epochs import TopicEpochs

DEAD: Final = ("malformed", "unknown_schema", "invalid")

REPLAYED_FROM: Final = "replayed-from"
"""Header of a replayed record: `topic:partition:offset` of the dead one."""

PER_TRANSACTION: Final = 500
"""Records of one transaction: it is over well within the broker's minute."""

TRANSACTION_BYTES: Final = 32 << 20
"""Or fewer of them, where they are large: they wait in memory."""

AUDIT_ROWS: Final = 1_000
"""Rows of the audit that are written together."""

TRANSACTION_S: Final = 60.0
"""For each step of a transaction; a broker that restarts is back well before."""


@dataclass(frozen=True, kw_only=True)
class ReplaySelection:
    """Which dead records: all conditions hold. Empty ones choose every record."""

    reasons: Sequence[str] = ()
    from_ms: int | None = None
    """Refused at this moment or later, by the broker's time of the message, ms since the epoch."""

    until_ms: int | None = None
    """Refused before this."""

    coordinates: Sequence[str] = ()
    """`partition:offset` of the records."""

    def __post_init__(self) -> None:
        """Refuse what cannot be replayed."""
        if LATE in self.reasons:
            raise UsageError(
                "late events would be late again: instead of a replay, merge them with `merge_late_events`",
            )
        unknown = sorted(set(self.reasons).difference(DEAD))
        if unknown:
            raise UsageError(f"no record is dead for {unknown[0]!r}: choose of {', '.join(DEAD)}")

    def takes(self, dead_letter: DeadLetter) -> bool:
        """Whether a dead-letter message is chosen."""
        return (
            dead_letter.reason in (self.reasons or DEAD)
            and (self.from_ms is None or dead_letter.written_ms >= self.from_ms)
            and (self.until_ms is None or dead_letter.written_ms < self.until_ms)
            and (not self.coordinates or dead_letter.coordinates in self.coordinates)
        )


@dataclass
class Replay:
    """What a replay did, or with `dry_run` would have done; numbers of records by reason."""

    replayed: Counter[str] = field(default_factory=Counter)
    already_replayed: Counter[str] = field(default_factory=Counter)
    unfixable: Counter[str] = field(default_factory=Counter)
    """Chosen, but the message fix could not help, or the topic no longer holds the record: they stay dead."""


def replay(
    settings: Settings,
    selection: ReplaySelection,
    *,
    repair: str | None = None,
    dry_run: bool = True,
    run_id: str = "",
) -> Replay:
    """Put chosen dead records into the raw topic again, as they were or mended.

    A record and its entry in the replays topic are one Kafka transaction, and one replay at a time holds the
    transactional id: so a record is replayed once, also when a replay is killed and run again. A replayed
    record that dies again is a record of its own, with coordinates of its own.

    Raises:
        CtrError: the repair is unknown, Kafka, the registry or Postgres is unavailable, or a topic is another
            one than on record.
    """
    if repair is not None and repair not in FIXES:
        raise UsageError(f"no repair is called {repair!r}: choose of {', '.join(FIXES)}")
    epochs = topic_epochs(settings)
    done = Replay()
    with (
        registry_client(settings) as registry,
        consumer(settings, "ctr-originals") as originals,
        SeenRecords() as before,
    ):
        transactions = None
        if not dry_run:
            transactions = _Transactions(settings, epochs, {"repair": repair, "run_id": run_id})
        decoder = EventDecoder(settings, registry)
        own = OwnSchema(settings.declared_stream(), ensure_subject(settings).id)
        # Read after every earlier replay has been shut out.
        _add_replayed(settings, epochs, before)
        for dead_letter in read_dead_letters(settings, epochs):
            ours = dead_letter.topic.partition("@")[0] == settings.raw_topic
            if not ours or not selection.takes(dead_letter):
                continue
            if before.holds(dead_letter.topic, dead_letter.partition, dead_letter.offset):
                done.already_replayed[dead_letter.reason] += 1
                continue
            whole = completed(originals, settings, dead_letter)
            value = None if whole is None else whole.value
            if whole is not None and repair is not None:
                value = FIXES[repair](whole, decoder, own)
            if whole is None or (repair is not None and value is None):
                done.unfixable[dead_letter.reason] += 1
                continue
            if transactions is not None:
                transactions.add(whole, value)
            done.replayed[dead_letter.reason] += 1
    if transactions is not None:
        transactions.commit()
        build_audit(settings, epochs)
    return done


def build_audit(settings: Settings, epochs: TopicEpochs) -> int:
    """Write what the topic says into `quality.dead_letter_replays`; returns how many rows were new."""
    new = 0
    engine = writing_engine(settings.postgres_url, "ctr-replay")
    adding = insert(DeadLetterReplay).on_conflict_do_nothing().returning(DeadLetterReplay.offset)
    entries = _entries(settings, epochs)
    with warehouse_errors(settings.postgres_url):
        while rows := list(islice(entries, AUDIT_ROWS)):
            with engine.begin() as connection:
                new += len(list(connection.scalars(adding, rows)))
    return new


class _Transactions:
    """Sends records with their entries, `PER_TRANSACTION` at a time.

    Making one shuts out every earlier replay, and ends what it left open.
    """

    def __init__(self, settings: Settings, epochs: TopicEpochs, about: dict[str, str | None]) -> None:
        self._settings = settings
        self._epochs = epochs
        self._about = about
        self._waiting: list[tuple[DeadLetter, bytes | None]] = []
        self._waiting_bytes = 0
        self._producer = Producer(
            {
                **client_config(settings),
                "transactional.id": f"ctr-replay-{settings.raw_topic}",
                "message.max.bytes": RAW_MAX_BYTES,
                "compression.type": "lz4",
                # As Java clients choose them, so that a record stays with those of its key.
                "partitioner": "murmur2_random",
            }
        )
        ask(settings, lambda: self._producer.init_transactions(TRANSACTION_S))

    def add(self, dead_letter: DeadLetter, value: bytes | None) -> None:
        """Take a record to replay."""
        self._waiting.append((dead_letter, value))
        self._waiting_bytes += len(value or b"") + len(dead_letter.key or b"")
        if len(self._waiting) == PER_TRANSACTION or self._waiting_bytes > TRANSACTION_BYTES:
            self.commit()

    def commit(self) -> None:
        """Replay what was taken: all of it or, with a `CtrError`, nothing."""
        if not self._waiting:
            return
        places: dict[str, tuple[int, int]] = {}
        ask(self._settings, self._producer.begin_transaction)
        for dead_letter, value in self._waiting:
            key = _key(dead_letter, self._epochs)
            headers: list[tuple[str, str | bytes | None]] = [
                *dead_letter.headers,
                (REPLAYED_FROM, key.encode()),
            ]
            report = self._report(places, key)
            self._producer.produce(
                self._settings.raw_topic, value, dead_letter.key, headers=headers, on_delivery=report
            )
        # Where they lie is part of their entries.
        if self._producer.flush(TRANSACTION_S) or len(places) < len(self._waiting):
            ask(self._settings, lambda: self._producer.abort_transaction(TRANSACTION_S))
            raise KafkaUnavailable(
                f"Kafka at {self._settings.kafka_bootstrap_servers} does not take the records"
            )
        for dead_letter, _ in self._waiting:
            key = _key(dead_letter, self._epochs)
            partition, offset = places[key]
            place = {"replayed_partition": partition, "replayed_offset": offset}
            entry = json.dumps({"reason": dead_letter.reason, **place, **self._about})
            self._producer.produce(self._settings.replays_topic, entry.encode(), key.encode())
        ask(self._settings, lambda: self._producer.commit_transaction(TRANSACTION_S))
        self._waiting, self._waiting_bytes = [], 0

    @staticmethod
    def _report(places: dict[str, tuple[int, int]], key: str) -> Callable[[KafkaError | None, Message], None]:
        def report(error: KafkaError | None, message: Message) -> None:
            if error is None:
                places[key] = (message.partition() or 0, message.offset() or 0)

        return report


def _key(dead_letter: DeadLetter, epochs: TopicEpochs) -> str:
    return f"{epochs.permanent_name(dead_letter.topic)}:{dead_letter.coordinates}"


def _add_replayed(settings: Settings, epochs: TopicEpochs, before: SeenRecords) -> None:
    for entry in _entries(settings, epochs):
        before.add(entry["topic"], entry["partition"], entry["offset"])


def _entries(settings: Settings, epochs: TopicEpochs) -> Iterator[dict[str, Any]]:
    """What was replayed, of committed transactions, as rows of the audit."""
    topic = settings.replays_topic
    with consumer(settings, "ctr-replay") as reader:
        for number in partitions(reader, settings, topic):
            first, end = bounds(reader, settings, topic, number)
            for batch in message_batches(reader, settings, TopicPartition(topic, number, first), end):
                for row, message in enumerate(batch.messages):
                    raw_topic, partition, offset = (message.key() or b"").decode().rsplit(":", 2)
                    yield {
                        "topic": epochs.from_permanent(raw_topic),
                        "partition": int(partition),
                        "offset": int(offset),
                        **json.loads(batch.bodies[row] or b"{}"),
                        "replayed_at": datetime.fromtimestamp(batch.timestamps_ms[row] / 1000, tz=UTC),
                    }
