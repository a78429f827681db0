"""One pass over what is new: raw records first, then the dead-letter messages that speak of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from confluent_kafka import TopicPartition

from ctr_platform.defs.dead_letters.messages import LATE, dead_letters_of
from ctr_platform.defs.kafka.offset_ranges import bounds, first_written_ms, message_batches, partitions
from ctr_platform.defs.reconciliation.decode import VALID, decode
from ctr_platform.defs.reconciliation.naming import SegmentNames
from ctr_platform.defs.reconciliation.outcomes import (
    BEFORE_ALL_MS,
    MINUTE_MS,
    SEGMENT,
    Written,
    decide,
)
from ctr_platform.defs.reconciliation.state import (
    PartitionProgress,
    add_counts,
    add_late,
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
    from ctr_platform.defs.kafka.offset_ranges import MessageBatch
    from ctr_platform.defs.reconciliation.decode import Decoded, WriterSchema

PEEKED_OFFSETS: Final = 100
"""More than this many markers of transactions in a row are not to be expected."""


@dataclass
class Reading:
    """What a pass has read."""

    records: int = 0
    dead_letters: int = 0
    after_idleness: int = 0
    """Records that only their dead-letter messages tell to be late."""

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
        schemas: Callable[[int], WriterSchema | None],
        on_batch: Callable[[], None] | None = None,
    ) -> None:
        self._settings = settings
        self._rules = settings.time_rules
        self._engine = engine
        self._consumer = consumer
        self._schemas = schemas
        self._on_batch = on_batch or (lambda: None)

    def read(self) -> Reading:
        """Count what the job has accounted for since the last pass; every chunk is one transaction."""
        reading = Reading()
        raw_topic = self._settings.raw_topic
        began = time.perf_counter()
        with self._engine.connect() as connection:
            known = progress(connection, raw_topic)
            ends = ledger_ends(connection, raw_topic)
        for partition in partitions(self._consumer, self._settings, raw_topic):
            first, end = bounds(self._consumer, self._settings, raw_topic, partition)
            until = min(end, ends.get(partition, first))
            state = known.get(partition) or self._beginning(raw_topic, partition, first)
            reached = self._read_raw(state, until, reading)
            unread_ms = self._unread_since_ms(raw_topic, partition, reached, end)
            if unread_ms is not None:
                reading.unread_since[partition] = moment(unread_ms)
        self._read_dead_letters(reading)
        reading.seconds = time.perf_counter() - began
        return reading

    def _beginning(self, topic: str, partition: int, first: int) -> PartitionProgress:
        """State before the first record; a topic that has lost its beginning verifies later windows only."""
        provable_from = None
        if first > 0:
            written = first_written_ms(self._consumer, self._settings, topic, partition)
            earliest = time.time_ns() // 1_000_000 if written is None else written
            # No event is further ahead of the broker's time than this, so none of these windows is below.
            provable_ms = -(-(earliest + self._rules.max_ahead_ms) // (5 * MINUTE_MS)) * 5 * MINUTE_MS
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

    def _read_raw(self, state: PartitionProgress, until: int, reading: Reading) -> int:
        for batch in self._batches(state.topic, state.partition, state.next_offset, until):
            highest = state.highest_time_ms
            outcomes = decide(
                decode(batch.bodies, self._schemas),
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
                save_progress(connection, [state])
            reading.records += outcomes.totals["records_read"]
            for name, more in outcomes.totals.items():
                reading.outcomes[name] = reading.outcomes.get(name, 0) + more
            self._on_batch()
        return state.next_offset

    # ---- dead-letter messages --------------------------------------------------------------------

    def _read_dead_letters(self, reading: Reading) -> None:
        """Find the records that were late against the job watermark alone: only the job can know them."""
        error_topic = self._settings.error_topic
        with self._engine.connect() as connection:
            known = progress(connection, error_topic)
        for partition in partitions(self._consumer, self._settings, error_topic):
            first, end = bounds(self._consumer, self._settings, error_topic, partition)
            state = known.get(partition) or PartitionProgress(
                topic=error_topic, partition=partition, first_offset=first, next_offset=first
            )
            # What retention has deleted was read by then, or is of records before those that can be verified.
            start = max(state.next_offset, first)
            blocked: int | None = None
            for batch in self._batches(error_topic, partition, start, end):
                waiting = self._apply(batch, reading)
                blocked = waiting if blocked is None else blocked
                reached = batch.next_offset if blocked is None else blocked
                with self._engine.begin() as connection:
                    save_progress(connection, [replace(state, next_offset=reached)])
                self._on_batch()

    def _apply(self, batch: MessageBatch, reading: Reading) -> int | None:
        """Apply the dead-letter messages of a batch; returns the offset of the first that has to wait.

        A dead-letter message waits while its record is yet to be read. To apply one twice changes nothing.
        """
        raw_topic = self._settings.raw_topic
        late = [each for each in dead_letters_of(batch) if each.reason == LATE and each.topic == raw_topic]
        reading.dead_letters += len(batch.messages)
        waiting: int | None = None
        decoded = decode([dead_letter.value for dead_letter in late], self._schemas)
        with self._engine.begin() as connection:
            states = progress(connection, raw_topic)
            ready: dict[int, list[tuple[int, int]]] = {}
            for index, dead_letter in enumerate(late):
                state = states.get(dead_letter.partition)
                if state is None or dead_letter.offset >= state.next_offset:
                    waiting = dead_letter.letter_offset if waiting is None else waiting
                elif dead_letter.offset >= state.first_offset and decoded.dead[index] == VALID:
                    ready.setdefault(dead_letter.partition, []).append((index, dead_letter.offset))
            for partition, found in ready.items():
                frame = _events(decoded, found)
                new = add_late(connection, raw_topic, partition, frame, after_idleness=True)
                moved = frame[frame["offset"].isin(new)]
                taken = self._names(connection, partition).look_up(moved[SEGMENT])
                add_counts(connection, taken.assign(impressions=-1, clicks=-moved["click"]))
                totals = {"counted": -len(moved), "late": len(moved)}
                save_progress(connection, [states[partition].plus(totals)])
                reading.after_idleness += len(moved)
        return waiting


def _events(decoded: Decoded, found: list[tuple[int, int]]) -> pd.DataFrame:
    rows = np.array([index for index, _ in found])
    times = decoded.timestamp_ms[rows]
    frame = pd.DataFrame(
        {
            "offset": [offset for _, offset in found],
            "window_start_ms": times - times % MINUTE_MS,
            "site_category": decoded.category[rows],
            "device_type": decoded.device_type[rows],
            "click": decoded.click[rows],
        }
    )
    return frame.drop_duplicates("offset")
