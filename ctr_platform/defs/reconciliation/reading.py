"""One pass over what is new: raw records first, then the letters that speak of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from confluent_kafka import TopicPartition

from ctr_platform.dead_letters.letters import LATE, letters_of
from ctr_platform.kafka.spans import bounds, chunks, first_written_ms, partitions
from ctr_platform.recount.decode import VALID, decode
from ctr_platform.recount.fates import BEFORE_ALL_MS, MAX_AHEAD_MS, MINUTE_MS, SEGMENT, decide
from ctr_platform.recount.state import (
    Progress,
    add_counts,
    add_late,
    ledger_ends,
    moment,
    progress,
    save_progress,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confluent_kafka import Consumer
    from sqlalchemy import Engine

    from ctr_platform.kafka.spans import Chunk
    from ctr_platform.recount.decode import Decoded, WriterSchema
    from ctr_platform.settings import Settings

PEEKED_OFFSETS: Final = 100
"""More than this many markers of transactions in a row are not to be expected."""


@dataclass
class Reading:
    """What a pass has read."""

    records: int = 0
    letters: int = 0
    after_idleness: int = 0
    """Records that only their letters tell to be late."""

    seconds: float = 0.0
    behind: set[int] = field(default_factory=set)
    """Partitions with records that the job's ledger does not cover yet: these are left to a later pass."""

    fates: dict[str, int] = field(default_factory=dict)


class Reader:
    """Reads two topics on behalf of one pass."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        consumer: Consumer,
        schemas: Callable[[int], WriterSchema | None],
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._consumer = consumer
        self._schemas = schemas

    def read(self, raw_topic: str, error_topic: str) -> Reading:
        """Count what the job has accounted for since the last pass; every chunk is one transaction."""
        reading = Reading()
        began = time.perf_counter()
        with self._engine.connect() as connection:
            known = progress(connection, raw_topic)
            ends = ledger_ends(connection, raw_topic)
        for partition in partitions(self._consumer, self._settings, raw_topic):
            first, end = bounds(self._consumer, self._settings, raw_topic, partition)
            until = min(end, ends.get(partition, first))
            state = known.get(partition) or self._beginning(raw_topic, partition, first)
            reached = self._read_raw(state, until, reading)
            if self._more(raw_topic, partition, reached, end):
                reading.behind.add(partition)
        self._read_letters(raw_topic, error_topic, reading)
        reading.seconds = time.perf_counter() - began
        return reading

    def _beginning(self, topic: str, partition: int, first: int) -> Progress:
        """State before the first record; a topic that has lost its beginning proves later windows only."""
        provable_from = None
        if first > 0:
            written = first_written_ms(self._consumer, self._settings, topic, partition)
            earliest = time.time_ns() // 1_000_000 if written is None else written
            # No event is further ahead of the broker's time than this, so none of these windows is below.
            provable_ms = -(-(earliest + MAX_AHEAD_MS) // (5 * MINUTE_MS)) * 5 * MINUTE_MS
            provable_from = moment(provable_ms)
        return Progress(
            topic=topic,
            partition=partition,
            first_offset=first,
            next_offset=first,
            provable_from=provable_from,
        )

    def _chunks(self, topic: str, partition: int, start: int, until: int) -> Iterator[Chunk]:
        place = TopicPartition(topic, partition, start)
        return chunks(self._consumer, self._settings, place, until)

    def _more(self, topic: str, partition: int, position: int, end: int) -> bool:
        """Whether there is a record, and not only the markers of transactions."""
        few = min(end, position + PEEKED_OFFSETS)
        return next(self._chunks(topic, partition, position, few), None) is not None

    def _read_raw(self, state: Progress, until: int, reading: Reading) -> int:
        for chunk in self._chunks(state.topic, state.partition, state.next_offset, until):
            highest = state.highest_event_time_ms
            fates = decide(
                decode(chunk.bodies, self._schemas),
                np.array(chunk.offsets),
                np.array(chunk.timestamps_ms),
                BEFORE_ALL_MS if highest is None else highest,
            )
            reached = fates.highest_event_time_ms
            state = state.plus(
                fates.totals,
                next_offset=chunk.next_offset,
                highest_event_time_ms=None if reached == BEFORE_ALL_MS else reached,
                last_valid_at=state.last_valid_at
                if fates.last_valid_ms is None
                else moment(fates.last_valid_ms),
            )
            with self._engine.begin() as connection:
                add_counts(connection, fates.counts)
                add_late(connection, state.topic, state.partition, fates.late, after_idleness=False)
                save_progress(connection, [state])
            reading.records += fates.totals["records_read"]
            for name, more in fates.totals.items():
                reading.fates[name] = reading.fates.get(name, 0) + more
        return state.next_offset

    # ---- letters ---------------------------------------------------------------------------------

    def _read_letters(self, raw_topic: str, error_topic: str, reading: Reading) -> None:
        """Find the records that were late against the job watermark alone: only the job can know them."""
        with self._engine.connect() as connection:
            known = progress(connection, error_topic)
        for partition in partitions(self._consumer, self._settings, error_topic):
            first, end = bounds(self._consumer, self._settings, error_topic, partition)
            state = known.get(partition) or Progress(
                topic=error_topic, partition=partition, first_offset=first, next_offset=first
            )
            # What retention has deleted was read by then, or is of records before those that can be proved.
            start = max(state.next_offset, first)
            blocked: int | None = None
            for chunk in self._chunks(error_topic, partition, start, end):
                waiting = self._apply(raw_topic, chunk, reading)
                blocked = waiting if blocked is None else blocked
                reached = chunk.next_offset if blocked is None else blocked
                with self._engine.begin() as connection:
                    save_progress(connection, [replace(state, next_offset=reached)])

    def _apply(self, raw_topic: str, chunk: Chunk, reading: Reading) -> int | None:
        """Take the letters of a chunk into account; returns the offset of the first that has to wait.

        A letter waits while its record is yet to be read. To apply one twice changes nothing.
        """
        late = [each for each in letters_of(chunk) if each.reason == LATE and each.topic == raw_topic]
        reading.letters += len(chunk.messages)
        waiting: int | None = None
        decoded = decode([letter.value for letter in late], self._schemas)
        with self._engine.begin() as connection:
            states = progress(connection, raw_topic)
            ready: dict[int, list[tuple[int, int]]] = {}
            for index, letter in enumerate(late):
                state = states.get(letter.partition)
                if state is None or letter.offset >= state.next_offset:
                    waiting = letter.letter_offset if waiting is None else waiting
                elif letter.offset >= state.first_offset and decoded.dead[index] == VALID:
                    ready.setdefault(letter.partition, []).append((index, letter.offset))
            for partition, found in ready.items():
                frame = _events(decoded, found)
                new = add_late(connection, raw_topic, partition, frame, after_idleness=True)
                moved = frame[frame["offset"].isin(new)]
                add_counts(connection, moved[SEGMENT].assign(impressions=-1, clicks=-moved["click"]))
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
