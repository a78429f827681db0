"""Documents of revised windows, for Redis and `ctr_windows`.

The job publishes revision 0. A merge of late events or a repair raises a window's revision in
`realtime.window_revisions`; here the window's document is made anew from the views and published with it.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import Producer, TopicPartition
from sqlalchemy import select, tuple_, update

from contract.errors import CacheUnavailable, KafkaUnavailable
from ctr_platform.defs.flink_job.declared import job_dimensions
from ctr_platform.defs.kafka.client import client_config
from ctr_platform.defs.kafka.offset_ranges import bounds, consumer, message_batches, partitions
from flink.document_store import DocumentStore
from flink.documents import build, to_json, window_id
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.corrections import WindowRevision
from warehouse.streams import counted_stream
from warehouse.windows import epoch_ms

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from contract.settings import Settings
    from warehouse.windows import WindowType

DELIVERED_WITHIN_S: Final = 60.0
"""A broker that restarts is back well before."""

AT_ONCE: Final = 200
"""Documents whose revisions are marked as published together."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """What a publication did."""

    documents: int
    overwritten: int
    """How many of these a job that was restored from before their revision had written again."""


@dataclass(frozen=True)
class Revision:
    """A window, and the revision that readers must see."""

    window_type: WindowType
    window_start: datetime
    revision: int

    @property
    def key(self) -> str:
        """Key of its document in `ctr_windows`; in Redis `metrics:` stands before it."""
        return f"{self.window_type}:{window_id(epoch_ms(self.window_start))}"


def publish_revisions(settings: Settings) -> Published:
    """Publish every window's newest revision that readers lack. To run it again publishes nothing.

    A window lacks it where its revision was never published, or where the last document of its key in the
    topic is of a lower one: a job that is restored from before a merge writes revision 0 again.

    Raises:
        CtrError: Kafka, Redis or Postgres is unavailable; what was not published is left to the next time.
    """
    engine = writing_engine(settings.postgres_url, "ctr-publish")
    store = DocumentStore(settings.redis_host, settings.redis_port, settings.redis_key_prefix)
    try:
        with warehouse_errors(settings.postgres_url):
            with engine.connect() as connection:
                table = WindowRevision.__table__
                rows = connection.execute(select(table)).all()
            known = [
                (Revision(row.window_type, row.window_start, row.revision), row.published_revision)
                for row in rows
            ]
            last = _last_revisions(settings, {revision.key for revision, _ in known})
            overwritten = {
                revision for revision, published in known if last.get(revision.key, published) < published
            }
            due = [
                revision
                for revision, published in known
                if published < revision.revision or revision in overwritten
            ]
            for first in range(0, len(due), AT_ONCE):
                with engine.begin() as connection:
                    _publish(settings, connection, store, due[first : first + AT_ONCE])
    finally:
        store.close()
    return Published(documents=len(due), overwritten=len(overwritten))


def _publish(
    settings: Settings,
    connection: Connection,
    store: DocumentStore,
    revisions: Sequence[Revision],
) -> None:
    # The job's producer is a Java client: a key must go to the partition that it chooses, or two are kept.
    config = {**client_config(settings), "enable.idempotence": True, "partitioner": "murmur2_random"}
    producer = Producer(config)
    table = WindowRevision.__table__
    keys = [(each.window_type, each.window_start) for each in revisions]
    chosen = tuple_(table.c.window_type, table.c.window_start).in_(keys)
    # Who revises one of these windows meanwhile waits, and raises its revision above the one published here.
    locked = connection.execute(select(table).where(chosen).with_for_update()).all()
    for revision in (Revision(row.window_type, row.window_start, row.revision) for row in locked):
        document = _document(connection, revision)
        # No counted event is left in it: then there is no document either.
        value = None if document is None else to_json(document).encode()
        if document is not None and not store.write(document):
            raise CacheUnavailable(
                f"Redis at {settings.redis_host}:{settings.redis_port} takes no documents: {store.refusal}"
            )
        producer.produce(settings.windows_topic, value, revision.key.encode())
    if producer.flush(DELIVERED_WITHIN_S):
        raise KafkaUnavailable(f"Kafka at {settings.kafka_bootstrap_servers} does not take the documents")
    connection.execute(update(WindowRevision).where(chosen).values(published_revision=table.c.revision))


def _document(connection: Connection, revision: Revision) -> dict[str, Any] | None:
    counted = counted_stream(connection)
    view = counted.tables.segments[revision.window_type].c
    rows = connection.execute(
        select(*(view[each] for each in (*counted.tables.dimensions, *counted.tables.figures))).where(
            view.window_start == revision.window_start
        )
    )
    width = len(counted.tables.dimensions)
    counts: dict[tuple[Any, ...], list[int]] = {tuple(row[:width]): list(row[width:]) for row in rows}
    if not counts:
        return None
    start_ms, now_ms = epoch_ms(revision.window_start), time.time_ns() // 1_000_000
    made = build(
        revision.window_type,
        start_ms,
        counts,
        job_dimensions(counted.stream),
        final=True,
        written_ms=now_ms,
        measures=counted.tables.sums,
    )
    return {**made, "revision": revision.revision}


def _last_revisions(settings: Settings, keys: Collection[str]) -> dict[str, int]:
    """By key, the revision of the last document in the topic; keys without one are left out."""
    found: dict[str, int] = {}
    topic = settings.windows_topic
    if not keys:
        return found
    with consumer(settings, "ctr-publish") as reader:
        for partition in partitions(reader, settings, topic):
            first, end = bounds(reader, settings, topic, partition)
            for batch in message_batches(reader, settings, TopicPartition(topic, partition, first), end):
                for message, body in zip(batch.messages, batch.bodies, strict=True):
                    key = (message.key() or b"").decode(errors="replace")
                    if key in keys and body is not None:
                        found[key] = int(json.loads(body)["revision"])
    return found
