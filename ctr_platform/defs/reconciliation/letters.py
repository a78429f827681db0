"""The dead-letter messages of a pass: which records were late after all, and of which the job has told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from confluent_kafka import TopicPartition

from ctr_platform.defs.dead_letters.messages import LATE, dead_letters_of
from ctr_platform.defs.kafka.offset_ranges import bounds, message_batches, partitions
from ctr_platform.defs.reconciliation.awaited_letters import await_no_more, letters_read, note_missing
from ctr_platform.defs.reconciliation.decode import VALID
from ctr_platform.defs.reconciliation.gaps import RECOUNT, Gap, note_gap
from ctr_platform.defs.reconciliation.idle_periods import allowed_at
from ctr_platform.defs.reconciliation.naming import SegmentNames
from ctr_platform.defs.reconciliation.outcomes import BEFORE_ALL_MS, MINUTE_MS, segment_columns
from ctr_platform.defs.reconciliation.state import (
    PartitionProgress,
    add_counts,
    add_late,
    late_offsets,
    progress,
    save_progress,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from confluent_kafka import Consumer
    from sqlalchemy import Connection, Engine

    from contract.settings import Settings
    from ctr_platform.defs.dead_letters.messages import DeadLetter
    from ctr_platform.defs.kafka.epochs import TopicEpochs
    from ctr_platform.defs.kafka.offset_ranges import MessageBatch
    from ctr_platform.defs.reconciliation.decode import Decoded, Decoder


@dataclass
class LettersRead:
    """What a pass has read of the error topic."""

    messages: int = 0
    after_idleness: int = 0
    """Records that only their messages tell to be late."""

    not_believed: int = 0
    """Records that theirs tell to be late, and that cannot have been."""


class LetterReader:
    """Reads the error topic on behalf of one pass, after the raw topic."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        consumer: Consumer,
        decoder: Decoder,
        epochs: TopicEpochs,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._consumer = consumer
        self._decoder = decoder
        self._epochs = epochs

    def read(self, on_batch: Callable[[], None]) -> LettersRead:
        """Apply what is new; every batch is one transaction.

        Which records were late against the job watermark alone, only the job can know. Of all other dead and
        late records it must have sent messages.
        """
        topic = self._settings.error_topic
        found = LettersRead()
        with self._engine.connect() as connection:
            known = progress(connection, topic)
        for partition in partitions(self._consumer, self._settings, topic):
            first, end = bounds(self._consumer, self._settings, topic, partition)
            state = known.get(partition)
            if state is None or state.next_offset < first:
                state = self._behind_lost(state, partition, first)
            place = TopicPartition(topic, partition, state.next_offset)
            raw_ends = self._raw_ends()
            blocked: int | None = None
            for batch in message_batches(self._consumer, self._settings, place, end):
                waiting = self._apply(batch, raw_ends, found)
                blocked = waiting if blocked is None else blocked
                reached = batch.next_offset if blocked is None else blocked
                with self._engine.begin() as connection:
                    save_progress(connection, [replace(state, next_offset=reached)])
                on_batch()
        with self._engine.begin() as connection:
            note_missing(connection)
        return found

    def _behind_lost(self, state: PartitionProgress | None, partition: int, first: int) -> PartitionProgress:
        """State at the first message that is there; of which records those before were, nobody can tell."""
        topic = self._settings.error_topic
        begun = PartitionProgress(topic=topic, partition=partition, first_offset=first, next_offset=first)
        if first == 0:
            return begun
        with self._engine.begin() as connection:
            await_no_more(connection)
            if state is not None:
                begun = replace(state, next_offset=first)
                lost = Gap(
                    topic=topic,
                    partition=partition,
                    reader=RECOUNT,
                    first_offset=state.next_offset,
                    end_offset=first,
                )
                note_gap(connection, lost)
            save_progress(connection, [begun])
        return begun

    def _raw_ends(self) -> dict[int, int]:
        """Ends of the raw topic's partitions: a message of a record beyond can only be forged."""
        topic = self._settings.raw_topic
        found = partitions(self._consumer, self._settings, topic)
        return {each: bounds(self._consumer, self._settings, topic, each)[1] for each in found}

    def _apply(self, batch: MessageBatch, raw_ends: Mapping[int, int], found: LettersRead) -> int | None:
        """Apply the messages of a batch; returns the offset of the first that has to wait.

        A message waits while its record is yet to be read. To apply one twice changes nothing.
        """
        raw_topic = self._settings.raw_topic
        found.messages += len(batch.messages)
        waiting: int | None = None
        late: list[DeadLetter] = []
        read: dict[tuple[str, int], list[int]] = {}
        with self._engine.begin() as connection:
            states = progress(connection, raw_topic)
            for dead_letter in dead_letters_of(batch, self._epochs):
                own = dead_letter.topic == raw_topic
                state = states.get(dead_letter.partition)
                if own and (state is None or dead_letter.offset >= state.next_offset):
                    if waiting is None and dead_letter.offset < raw_ends.get(dead_letter.partition, 0):
                        waiting = dead_letter.letter_offset
                    continue
                read.setdefault((dead_letter.topic, dead_letter.partition), []).append(dead_letter.offset)
                if own and dead_letter.reason == LATE:
                    late.append(dead_letter)
            for (topic, partition), offsets in read.items():
                letters_read(connection, topic, partition, np.array(offsets))
            self._move(connection, late, states, found)
        return waiting

    def _move(
        self,
        connection: Connection,
        late: list[DeadLetter],
        states: Mapping[int, PartitionProgress],
        found: LettersRead,
    ) -> None:
        """Move records from counted to late that only the job knows to be late, where it can be true."""
        raw_topic = self._settings.raw_topic
        decoded = self._decoder.decode([dead_letter.value for dead_letter in late])
        ready: dict[int, list[tuple[int, int]]] = {}
        for index, dead_letter in enumerate(late):
            first = states[dead_letter.partition].first_offset
            if dead_letter.offset >= first and decoded.dead[index] == VALID:
                ready.setdefault(dead_letter.partition, []).append((index, dead_letter.offset))
        for partition, rows in ready.items():
            state = states[partition]
            frame = _events(decoded, rows)
            known = late_offsets(connection, raw_topic, partition, frame["offset"])
            frame = frame[~frame["offset"].isin(known)]
            allowed = allowed_at(connection, raw_topic, partition, frame["offset"].to_numpy(np.int64))
            # What may lie below the first offset is not verified.
            allowed = np.maximum(allowed, _milliseconds(state.provable_from))
            believed = (frame["window_start_ms"] + MINUTE_MS <= allowed).to_numpy(bool)
            found.not_believed += int((~believed).sum())
            frame = frame[believed]
            new = add_late(connection, raw_topic, partition, frame, after_idleness=True)
            moved = frame[frame["offset"].isin(new)]
            names = SegmentNames(connection, raw_topic, partition, self._settings.max_segments)
            taken = names.look_up(moved[segment_columns(decoded.dimensions)])
            less = {column: -moved[column] for column in decoded.measures}
            add_counts(connection, taken.assign(impressions=-1, clicks=-moved["click"], **less))
            totals = {"counted": -len(moved), "late": len(moved)}
            save_progress(connection, [state.plus(totals)])
            found.after_idleness += len(moved)


def _milliseconds(at: datetime | None) -> int:
    return BEFORE_ALL_MS if at is None else round(at.timestamp() * 1000)


def _events(decoded: Decoded, found: list[tuple[int, int]]) -> pd.DataFrame:
    rows: Any = np.array([index for index, _ in found])
    times = decoded.timestamp_ms[rows]
    frame = pd.DataFrame(
        {
            "offset": [offset for _, offset in found],
            "window_start_ms": times - times % MINUTE_MS,
            **{column: values[rows] for column, values in decoded.dimensions.items()},
            "click": decoded.click[rows],
            **{column: values[rows] for column, values in decoded.measures.items()},
        }
    )
    return frame.drop_duplicates("offset")
