"""Which Kafka topic the offsets on record are of.

A topic that is deleted and made anew has its name and offsets again, and another id. Whoever keeps offsets
asks here before it uses them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import TopicCollection, Uuid
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from contract.errors import KafkaRefused, TopicReplaced
from ctr_platform.defs.kafka.client import ADMIN_TIMEOUT_S, admin_client, ask, result
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.accounting import LedgerRow, OffsetGap, TopicEpochRow
from warehouse.models.corrections import DeadLetterReplay, MergeProgress
from warehouse.models.recount import AwaitedLetters, RecountIdlePeriod, RecountProgress, RecountSecond
from warehouse.streams import tables_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from contract.settings import Settings
    from warehouse.stream_tables import StreamTables

_BY_OFFSET: Final = (
    LedgerRow,
    RecountProgress,
    AwaitedLetters,
    RecountSecond,
    RecountIdlePeriod,
    MergeProgress,
    DeadLetterReplay,
    OffsetGap,
)


def by_offset(tables: StreamTables) -> tuple[Any, ...]:
    """Tables with rows of one topic's partitions or offsets."""
    return (
        *(each.__table__ for each in _BY_OFFSET),
        *(tables.recount_segments, tables.recount_late, tables.late_events),
    )


FIRST_USE: Final = "first use"


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One of the topics that have had a name."""

    topic: str
    number: int
    topic_id: str
    began_at: datetime


@dataclass(frozen=True)
class TopicEpochs:
    """All topics on record, by name; of each name the last is the one that is there."""

    by_topic: dict[str, list[Epoch]]

    def current(self, topic: str) -> Epoch:
        """The topic that bears the name now."""
        return self.by_topic[topic][-1]

    def name_on_record(self, topic: str, topic_id: str | None) -> str:
        """Name under which this database has what concerns offsets of a topic.

        Args:
            topic: its name in Kafka.
            topic_id: None: it is of a time before ids were noted, so of the first.
        """
        epochs = self.by_topic.get(topic)
        if epochs is None:
            return topic
        numbers = {each.topic_id: each.number for each in epochs}
        return self._on_record(topic, 1 if topic_id is None else numbers.get(topic_id, 0))

    def permanent_name(self, name: str) -> str:
        """Name for whoever keeps it outside of this database: it stays when another epoch begins."""
        topic, _, number = name.partition("@")
        epoch = int(number) if number else self.current(topic).number
        return topic if epoch == 1 else retired_name(topic, epoch)

    def from_permanent(self, permanent: str) -> str:
        """Name on record now of what bears a permanent name."""
        topic, _, number = permanent.partition("@")
        return self._on_record(topic, int(number or 1))

    def _on_record(self, topic: str, number: int) -> str:
        return topic if number == self.current(topic).number else retired_name(topic, number)


@dataclass(frozen=True, kw_only=True)
class ReplacedTopic:
    """A topic that is not the one on record."""

    epoch: Epoch
    """The one on record."""

    topic_id: str
    """Of the one that is there."""


def retired_name(topic: str, number: int) -> str:
    """Name of an earlier topic's rows; no topic can have it, and the job uses it too."""
    return f"{topic}@{number}"


def topic_epochs(settings: Settings) -> TopicEpochs:
    """The topics that offsets are kept of, if they are those on record; one that is not yet there now is.

    Raises:
        TopicReplaced: one was deleted and made anew.
        CtrError: Kafka or Postgres is unavailable, or a topic is missing.
    """
    ids = _topic_ids(settings)
    with (
        warehouse_errors(settings.postgres_url),
        writing_engine(settings.postgres_url, "ctr-epochs").begin() as connection,
    ):
        known = _on_record(connection, list(ids))
        if new := [topic for topic in ids if topic not in known]:
            connection.execute(
                insert(TopicEpochRow).on_conflict_do_nothing(),
                [{"topic": each, "epoch": 1, "topic_id": ids[each], "why": FIRST_USE} for each in new],
            )
            known = _on_record(connection, list(ids))
    if replaced := _replaced(known, ids):
        named = ", ".join(
            f"{each.epoch.topic} (id {each.topic_id}, on record {each.epoch.topic_id})" for each in replaced
        )
        raise TopicReplaced(
            f"deleted and made anew: {named}. What is on record of its offsets speaks of records that are "
            "gone: run the job begin_topic_epoch, first as a dry run"
        )
    return TopicEpochs(known)


def replaced_topics(settings: Settings) -> list[ReplacedTopic]:
    """The topics that are not those on record.

    Raises:
        CtrError: Kafka or Postgres is unavailable, or a topic is missing.
    """
    ids = _topic_ids(settings)
    with (
        warehouse_errors(settings.postgres_url),
        writing_engine(settings.postgres_url, "ctr-epochs").connect() as connection,
    ):
        return _replaced(_on_record(connection, list(ids)), ids)


def retire(connection: Connection, replaced: Sequence[ReplacedTopic], why: str) -> dict[str, int]:
    """Put the topics that are there on record, and what there is of the earlier ones under names of its own.

    Returns:
        Rows that have another name now, by table; those without are left out.
    """
    moved: dict[str, int] = {}
    for each in replaced:
        topic, number = each.epoch.topic, each.epoch.number
        for table in by_offset(tables_of(connection)):
            changed = connection.execute(
                update(table).where(table.c.topic == topic).values(topic=retired_name(topic, number))
            ).rowcount
            if changed:
                moved[table.fullname] = moved.get(table.fullname, 0) + changed
        connection.execute(
            insert(TopicEpochRow).values(topic=topic, epoch=number + 1, topic_id=each.topic_id, why=why)
        )
    return moved


def _topic_ids(settings: Settings) -> dict[str, str]:
    """Kafka's ids of the topics that offsets are kept of."""
    names = [settings.raw_topic, settings.error_topic, settings.replays_topic]

    def described() -> dict[str, str]:
        admin = admin_client(settings)  # alive until the answers are
        answers = admin.describe_topics(TopicCollection(names), request_timeout=ADMIN_TIMEOUT_S)
        return {name: _as_kafka_writes_it(result(answer).topic_id) for name, answer in answers.items()}

    try:
        return ask(settings, described)
    except KafkaRefused as refused:
        raise KafkaRefused(f"{refused}: are the topics there? The job bring_up makes them") from None


def _as_kafka_writes_it(topic_id: Uuid) -> str:
    """In the URL alphabet of base64, as the job and Kafka's own tools have it; librdkafka has another."""
    return str(topic_id).replace("+", "-").replace("/", "_")


def _on_record(connection: Connection, topics: list[str]) -> dict[str, list[Epoch]]:
    table = TopicEpochRow.__table__.c
    rows = connection.execute(
        select(table.topic, table.epoch.label("number"), table.topic_id, table.began_at)
        .where(table.topic.in_(topics))
        .order_by(table.topic, table.epoch)
    ).mappings()
    found: dict[str, list[Epoch]] = {}
    for row in rows:
        found.setdefault(row["topic"], []).append(Epoch(**row))
    return found


def _replaced(known: dict[str, list[Epoch]], ids: dict[str, str]) -> list[ReplacedTopic]:
    return [
        ReplacedTopic(epoch=epochs[-1], topic_id=ids[topic])
        for topic, epochs in known.items()
        if ids[topic] != epochs[-1].topic_id
    ]
