"""Late events into `realtime.late_events`, each once, with the revision of the windows that they change."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import TopicPartition
from sqlalchemy import DateTime, Text, column, func, select, values
from sqlalchemy.dialects.postgresql import insert

from ctr_platform.defs.dead_letters.messages import LATE, DeadLetter, dead_letters_of
from ctr_platform.defs.dead_letters.originals import completed
from ctr_platform.defs.kafka.epochs import topic_epochs
from ctr_platform.defs.kafka.offset_ranges import bounds, consumer, message_batches, partitions
from ctr_platform.defs.reconciliation.decode import VALID, Decoder
from ctr_platform.defs.reconciliation.gaps import MERGE, Gap, note_gap
from ctr_platform.defs.registry.client import registry_client
from ctr_platform.defs.registry.schemas import WriterSchemas
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.corrections import MergeProgress
from warehouse.revisions import revise
from warehouse.streams import counted_stream, tables_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from contract.settings import Settings
    from ctr_platform.defs.kafka.offset_ranges import MessageBatch
    from warehouse.stream_tables import StreamTables

FIVE_MINUTES: Final = timedelta(minutes=5)


@dataclass
class Merge:
    """What a merge did, or with `dry_run` would have done."""

    merged: int = 0
    already_merged: int = 0
    waiting: int = 0
    """Late events of windows that are not closed yet: a later merge takes them."""

    windows: set[tuple[str, datetime]] = field(default_factory=set)
    """Type and start of the windows that were revised."""


def merge_late_events(settings: Settings, *, dry_run: bool = False) -> Merge:
    """Merge the late events of closed windows that are not merged yet.

    Rows and the revisions of the windows that they change are one transaction per chunk; the place reached in
    the error topic follows it. A merge that is killed loses nothing, and to run it twice changes nothing.

    Raises:
        CtrError: Kafka, the registry or Postgres is unavailable, or a topic is another one than on record.
    """
    epochs = topic_epochs(settings)
    done = Merge()
    raw_topic, error_topic = settings.raw_topic, settings.error_topic
    engine = writing_engine(settings.postgres_url, "ctr-merge")
    with (
        warehouse_errors(settings.postgres_url),
        registry_client(settings) as registry,
        consumer(settings, "ctr-late-merge") as reader,
        consumer(settings, "ctr-originals") as originals,
    ):
        event_types = WriterSchemas(settings, registry).event_type
        with engine.connect() as connection:
            counted = counted_stream(connection)
            decoder = Decoder(counted.stream, event_types, counted.since)
            known = _progress(connection, error_topic)
        for partition in partitions(reader, settings, error_topic):
            first, end = bounds(reader, settings, error_topic, partition)
            start = known.get(partition, first)
            if start < first:
                lost = Gap(
                    topic=error_topic, partition=partition, reader=MERGE, first_offset=start, end_offset=first
                )
                start = first
                if not dry_run:
                    with engine.begin() as connection:
                        note_gap(connection, lost)
            blocked: int | None = None
            for batch in message_batches(
                reader, settings, TopicPartition(error_topic, partition, start), end
            ):
                late = [
                    whole
                    for each in dead_letters_of(batch, epochs)
                    if each.reason == LATE
                    # An earlier topic's late events are events too.
                    and each.topic.partition("@")[0] == raw_topic
                    # One that did not fit the queue, and whose record retention has deleted, stays late.
                    and (whole := completed(originals, settings, each)) is not None
                ]
                waiting = _merge_batch(engine, decoder, late, done, dry_run=dry_run)
                blocked = waiting if blocked is None else blocked
                if not dry_run:
                    _save(engine, error_topic, partition, batch, blocked)
    return done


def _merge_batch(
    engine: Engine, decoder: Decoder, late: list[DeadLetter], done: Merge, *, dry_run: bool
) -> int | None:
    """Merge dead-letter messages; returns the offset of the first that has to wait."""
    rows = {
        (dead_letter.topic, dead_letter.partition, dead_letter.offset): (dead_letter, row)
        for dead_letter, row in _rows(late, decoder)
    }
    with engine.connect() as connection:
        tables = tables_of(connection)
        closed = _closed_until(connection, tables)
        ready = [row for _, row in rows.values() if _end_5min(row["event_time"]) <= closed]
        waiting = [dead_letter for dead_letter, row in rows.values() if _end_5min(row["event_time"]) > closed]
        windows: set[tuple[str, datetime]] = set()
        merged = 0
        if ready:
            table = tables.late_events
            inserted = connection.execute(
                insert(table)
                .on_conflict_do_nothing()
                .returning(table.c.window_start_1min, table.c.window_start_5min),
                ready,
            )
            for minute, five in inserted:
                merged += 1
                windows |= {("1min", minute), ("5min", five)}
        if windows:
            changed = values(
                column("window_type", Text), column("window_start", DateTime(timezone=True)), name="changed"
            )
            connection.execute(revise(select(changed.data(sorted(windows)))))
        if dry_run:
            connection.rollback()
        else:
            connection.commit()
    done.merged += merged
    done.already_merged += len(ready) - merged
    done.waiting += len(waiting)
    done.windows |= windows
    return min((dead_letter.letter_offset for dead_letter in waiting), default=None)


def _rows(late: list[DeadLetter], decoder: Decoder) -> Iterator[tuple[DeadLetter, dict[str, Any]]]:
    """Each message whose value is an event, with its row."""
    decoded = decoder.decode([each.value for each in late])
    columns = {column: values.tolist() for column, values in (decoded.dimensions | decoded.measures).items()}
    for index, dead_letter in enumerate(late):
        if decoded.dead[index] == VALID:
            yield (
                dead_letter,
                {
                    "topic": dead_letter.topic,
                    "partition": dead_letter.partition,
                    "offset": dead_letter.offset,
                    "event_time": datetime.fromtimestamp(int(decoded.timestamp_ms[index]) / 1000, tz=UTC),
                    "click": int(decoded.click[index]),
                    **{column: values[index] for column, values in columns.items()},
                },
            )


def _end_5min(event_time: datetime) -> datetime:
    seconds = int(event_time.timestamp())
    length = int(FIVE_MINUTES.total_seconds())
    return datetime.fromtimestamp(seconds - seconds % length, tz=UTC) + FIVE_MINUTES


def _closed_until(connection: Connection, tables: StreamTables) -> datetime:
    """Every 5 min window that ends by this is closed: the job has written the one that ends then."""
    newest = connection.scalar(select(func.max(tables.counts["5min"].c.window_start)))
    return datetime.min.replace(tzinfo=UTC) if newest is None else newest + FIVE_MINUTES


def _progress(connection: Connection, topic: str) -> dict[int, int]:
    table = MergeProgress.__table__
    rows = connection.execute(select(table.c.partition, table.c.next_offset).where(table.c.topic == topic))
    return {row.partition: row.next_offset for row in rows}


def _save(engine: Engine, topic: str, partition: int, batch: MessageBatch, blocked: int | None) -> None:
    reached = batch.next_offset if blocked is None else blocked
    statement = insert(MergeProgress).values(topic=topic, partition=partition, next_offset=reached)
    with engine.begin() as connection:
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["topic", "partition"], set_={"next_offset": statement.excluded.next_offset}
            )
        )
