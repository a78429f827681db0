"""One pass over what is new: raw records first, then the dead-letter messages that speak of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from confluent_kafka import TopicPartition

from ctr_platform.defs.kafka.offset_ranges import bounds, first_written_ms, message_batches, partitions
from ctr_platform.defs.reconciliation.awaited_letters import await_letters
from ctr_platform.defs.reconciliation.gaps import JOB, RECOUNT, Gap, note_gap
from ctr_platform.defs.reconciliation.idle_periods import (
    Before,
    add_course,
    add_idle_periods,
    allowed_until,
    idle_periods,
    take_courses,
)
from ctr_platform.defs.reconciliation.letters import LetterReader, LettersRead
from ctr_platform.defs.reconciliation.naming import SegmentNames
from ctr_platform.defs.reconciliation.outcomes import (
    BEFORE_ALL_MS,
    MINUTE_MS,
    Written,
    decide,
)
from ctr_platform.defs.reconciliation.state import (
    PartitionProgress,
    add_counts,
    add_late,
    is_draining,
    ledger_ends,
    moment,
    progress,
    save_progress,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from confluent_kafka import Consumer
    from sqlalchemy import Connection, Engine

    from contract.settings import Settings
    from ctr_platform.defs.kafka.epochs import TopicEpochs
    from ctr_platform.defs.kafka.offset_ranges import MessageBatch
    from ctr_platform.defs.reconciliation.decode import Decoder

PEEKED_OFFSETS: Final = 100
"""More than this many markers of transactions in a row are not to be expected."""


@dataclass
class Reading:
    """What a pass has read."""

    records: int = 0
    letters: LettersRead = field(default_factory=LettersRead)
    seconds: float = 0.0
    unread_since: dict[int, datetime] = field(default_factory=dict)
    """Of partitions with records beyond the job's ledger, which are left to a later pass: when the first of
    them was written."""

    outcomes: dict[str, int] = field(default_factory=dict)


class TopicReader:
    """Reads the raw and the error topic on behalf of one pass."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        consumer: Consumer,
        decoder: Decoder,
        epochs: TopicEpochs,
    ) -> None:
        self._settings = settings
        self._rules = settings.time_rules
        self._engine = engine
        self._consumer = consumer
        self._decoder = decoder
        self._epochs = epochs
        self._letters = LetterReader(settings, engine, consumer, decoder, epochs)
        self._on_batch: Callable[[], None] = lambda: None

    def read(self, on_batch: Callable[[], None] | None = None) -> Reading:
        """Count what the job has accounted for since the last pass; every chunk is one transaction."""
        self._on_batch = on_batch or self._on_batch
        reading = Reading()
        raw_topic = self._settings.raw_topic
        began = time.perf_counter()
        with self._engine.connect() as connection:
            known = progress(connection, raw_topic)
            # In this order: what a draining job has accounted for is not read.
            ends = ledger_ends(connection, raw_topic)
            if is_draining(connection):
                ends = {}
        for partition in partitions(self._consumer, self._settings, raw_topic):
            first, end = bounds(self._consumer, self._settings, raw_topic, partition)
            until = min(end, ends.get(partition, first))
            state = known.get(partition) or self._beginning(raw_topic, partition, first)
            if state.reached < first:
                state = self._behind_gap(state, first, until)
            state = self._read_raw(state, until, reading)
            unread_ms = self._unread_since_ms(raw_topic, partition, state.reached, end)
            if unread_ms is not None:
                reading.unread_since[partition] = moment(unread_ms)
            elif state.reached < end and state.next_offset <= until:
                # Markers of transactions: when retention deletes them, nothing is lost.
                with self._engine.begin() as connection:
                    save_progress(connection, [replace(state, clear_offset=end)])
        self._find_idle_periods()
        reading.letters = self._letters.read(self._on_batch)
        reading.seconds = time.perf_counter() - began
        return reading

    def _behind_gap(self, state: PartitionProgress, first: int, job_next: int) -> PartitionProgress:
        """State after retention has deleted what was not read yet, here or by the job.

        The recount begins anew where the job's ledger has an end, so that both speak of the same records.
        """
        gap = Gap(
            topic=state.topic,
            partition=state.partition,
            reader=RECOUNT,
            first_offset=state.reached,
            end_offset=first,
        )
        job_reached = max(job_next, state.reached) if job_next >= state.next_offset else job_next
        with self._engine.begin() as connection:
            note_gap(connection, gap)
            if job_reached < first:
                note_gap(connection, replace(gap, reader=JOB, first_offset=job_reached))
                # Not on record: the job's ledger has no end there yet.
                return replace(state, next_offset=first)
            begun = replace(
                self._beginning(state.topic, state.partition, job_reached),
                # What the lost records would add can only be more.
                highest_time_ms=state.highest_time_ms,
                last_read_at=state.last_read_at,
                last_valid_at=state.last_valid_at,
            )
            save_progress(connection, [begun])
        return begun

    def _beginning(self, topic: str, partition: int, first: int) -> PartitionProgress:
        """State before the first record; a topic that has lost its beginning verifies later windows only."""
        earliest_ms = None
        if first > 0:
            written = first_written_ms(self._consumer, self._settings, topic, partition, since=first)
            earliest_ms = time.time_ns() // 1_000_000 if written is None else written
        epoch = self._epochs.current(topic)
        if epoch.number > 1:
            # Another topic had events of windows that were open then.
            earliest_ms = max(earliest_ms or 0, int(epoch.began_at.timestamp() * 1000))
        provable_from = None
        if earliest_ms is not None:
            # No event is further ahead of the broker's time than this, so none of these windows is below.
            provable_ms = -(-(earliest_ms + self._rules.max_ahead_ms) // (5 * MINUTE_MS)) * 5 * MINUTE_MS
            provable_from = moment(provable_ms)
        return PartitionProgress(
            topic=topic,
            partition=partition,
            first_offset=first,
            next_offset=first,
            provable_from=provable_from,
        )

    def _names(self, connection: Connection, partition: int) -> SegmentNames:
        return SegmentNames(connection, self._settings.raw_topic, partition, self._settings.max_segments)

    def _batches(self, topic: str, partition: int, start: int, until: int) -> Iterator[MessageBatch]:
        place = TopicPartition(topic, partition, start)
        return message_batches(self._consumer, self._settings, place, until)

    def _unread_since_ms(self, topic: str, partition: int, position: int, end: int) -> int | None:
        """When the next record was written; None if there is none, but for the markers of transactions."""
        few = min(end, position + PEEKED_OFFSETS)
        batch = next(self._batches(topic, partition, position, few), None)
        return None if batch is None else batch.timestamps_ms[0]

    def _read_raw(self, state: PartitionProgress, until: int, reading: Reading) -> PartitionProgress:
        for batch in self._batches(state.topic, state.partition, state.reached, until):
            highest = state.highest_time_ms
            outcomes = decide(
                self._decoder.decode(batch.bodies),
                Written(
                    offsets=np.array(batch.offsets),
                    times_ms=np.array(batch.timestamps_ms),
                    by_broker=np.array(batch.from_broker),
                ),
                BEFORE_ALL_MS if highest is None else highest,
                self._rules,
            )
            reached = outcomes.highest_time_ms
            state = state.plus(
                outcomes.totals,
                next_offset=batch.next_offset,
                highest_time_ms=None if reached == BEFORE_ALL_MS else reached,
                last_read_at=moment(batch.timestamps_ms[-1]),
                last_valid_at=state.last_valid_at
                if outcomes.last_valid_ms is None
                else moment(outcomes.last_valid_ms),
            )
            with self._engine.begin() as connection:
                names = self._names(connection, state.partition)
                add_counts(connection, names.give(outcomes.counts))
                add_late(connection, state.topic, state.partition, outcomes.late, after_idleness=False)
                await_letters(connection, state.topic, state.partition, outcomes.rejected)
                add_course(connection, state.topic, state.partition, outcomes.course)
                save_progress(connection, [state])
            reading.records += outcomes.totals["records_read"]
            for name, more in outcomes.totals.items():
                reading.outcomes[name] = reading.outcomes.get(name, 0) + more
            self._on_batch()
        return state

    def _find_idle_periods(self) -> None:
        """Note which partitions were idle or stragglers: all have been read now."""
        topic = self._settings.raw_topic
        with self._engine.begin() as connection:
            courses = take_courses(connection, topic)
            states = progress(connection, topic)
            allowed = allowed_until(connection, topic)
            before = {
                partition: Before(
                    highest_ms=int(courses[partition].highest_before_ms[0])
                    if partition in courses
                    else _or_before_all(state.highest_time_ms),
                    timely_ms=_or_before_all(state.last_timely_ms),
                    allowed_ms=allowed.get(partition, BEFORE_ALL_MS),
                )
                for partition, state in states.items()
            }
            for partition, (found, timely_ms) in idle_periods(courses, before, self._rules).items():
                add_idle_periods(connection, topic, partition, found)
                save_progress(connection, [replace(states[partition], last_timely_ms=timely_ms)])


def _or_before_all(time_ms: int | None) -> int:
    return BEFORE_ALL_MS if time_ms is None else time_ms
