"""Which late records the job can have been right about, though their partition's content does not say so.

A record that its partition's content calls timely is late only where the job watermark was beyond its window.
A partition that is read holds the job watermark, but for one that was idle or a straggler. So for each
partition the recount notes when it was that, and how far the others' content allowed the job watermark to go
by then: what the job calls late beyond that was not late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from ctr_platform.defs.reconciliation.outcomes import BEFORE_ALL_MS, MINUTE_MS
from warehouse.models.recount import RecountIdlePeriod, RecountSecond

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from contract.time_rules import TimeRules
    from ctr_platform.defs.reconciliation.outcomes import Ints

NOTICED_WITHIN_MS: Final = 5_000
"""The job notices within this that an idle partition has a record: it asks for its end each second, and
believes the answer for two and a half. So long the job watermark may go on without the partition."""

TICKS_MS: Final = 500
"""Idle time is told by the broker's times here, in the job by ticks of 100 ms: they may differ by a few."""

LONGEST_WINDOW_MS: Final = 5 * MINUTE_MS


@dataclass(frozen=True)
class IdlePeriod:
    """From this offset on, windows that end by `allowed_ms` can have been closed without the partition."""

    first_offset: int
    written_ms: int
    allowed_ms: int


@dataclass(frozen=True)
class Course:
    """A partition's valid records by second of the broker's time; equally long int64 arrays, in order."""

    first_offset: Ints
    first_ms: Ints
    last_ms: Ints
    latest_end_ms: Ints
    """Of the windows of records that are not late by content; `BEFORE_ALL_MS`: all are."""

    highest_before_ms: Ints
    highest_ms: Ints


@dataclass(frozen=True)
class Before:
    """What is known of a partition from earlier passes."""

    highest_ms: int = BEFORE_ALL_MS
    timely_ms: int = BEFORE_ALL_MS
    """The broker's time of the last record that the job cannot have called late."""

    allowed_ms: int = BEFORE_ALL_MS


def idle_periods(
    courses: Mapping[int, Course], before: Mapping[int, Before], rules: TimeRules
) -> dict[int, tuple[list[IdlePeriod], int]]:
    """Find the idle periods of each partition, and when it had its last timely record.

    Args:
        courses: by partition, what is new of it.
        before: by partition, of all that the topic has.
        rules: the job's.
    """
    if not courses:
        return {}
    newest = _Newest(courses, before)
    return {
        partition: _idle_periods(course, before.get(partition, Before()), newest, rules)
        for partition, course in courses.items()
    }


class _Newest:
    """The highest time of all partitions, by the broker's time."""

    def __init__(self, courses: Mapping[int, Course], before: Mapping[int, Before]) -> None:
        found = list(courses.values())
        base = max((each.highest_ms for each in before.values()), default=BEFORE_ALL_MS)
        times = np.concatenate([each.first_ms for each in found])
        order = np.argsort(times, kind="stable")
        self._times = times[order]
        highest = np.concatenate([each.highest_ms for each in found])[order]
        self._highest = np.maximum.accumulate(np.concatenate(([base], highest)))

    def at(self, written_ms: int) -> int:
        """Highest time of what was written by then."""
        return int(self._highest[np.searchsorted(self._times, written_ms, side="right")])


def _idle_periods(
    course: Course, before: Before, newest: _Newest, rules: TimeRules
) -> tuple[list[IdlePeriod], int]:
    found: list[IdlePeriod] = []
    timely_ms, allowed_ms = before.timely_ms, before.allowed_ms
    for offset, first_ms, last_ms, latest_end_ms, highest_before_ms in zip(
        course.first_offset.tolist(),
        course.first_ms.tolist(),
        course.last_ms.tolist(),
        course.latest_end_ms.tolist(),
        course.highest_before_ms.tolist(),
        strict=True,
    ):
        noticed_ms = first_ms + NOTICED_WITHIN_MS
        idle_ms = first_ms - timely_ms + TICKS_MS
        newest_ms = newest.at(noticed_ms)
        straggler = BEFORE_ALL_MS < highest_before_ms < newest_ms - rules.straggler_after_ms
        if straggler or idle_ms >= rules.partition_idle_ms:
            may_ms = newest_ms - rules.out_of_orderness_ms
            if idle_ms >= rules.topic_idle_ms:
                may_ms = max(may_ms, _closed_by_the_clock(newest, noticed_ms, rules))
            if may_ms > allowed_ms:
                allowed_ms = may_ms
                found.append(IdlePeriod(offset, first_ms, allowed_ms))
        if latest_end_ms > allowed_ms:
            timely_ms = last_ms
    return found, timely_ms


def _closed_by_the_clock(newest: _Newest, now_ms: int, rules: TimeRules) -> int:
    """Up to when the windows of a topic can be closed that was idle as a whole until now."""
    seen_ms = newest.at(now_ms - rules.topic_idle_ms)
    if seen_ms == BEFORE_ALL_MS:
        return BEFORE_ALL_MS
    # The broker's time bounds what is known, and the last window seen is an event's.
    event_ms = seen_ms + rules.max_ahead_ms
    last_window_end_ms = event_ms - event_ms % LONGEST_WINDOW_MS + LONGEST_WINDOW_MS
    return min(last_window_end_ms, now_ms - rules.out_of_orderness_ms)


def add_course(connection: Connection, topic: str, partition: int, course: pd.DataFrame) -> None:
    """Put it on record until the whole of the topic has been read as far."""
    if course.empty:
        return
    rows: list[dict[str, Any]] = course.astype(object).to_dict("records")
    connection.execute(
        insert(RecountSecond).on_conflict_do_nothing(),
        [{"topic": topic, "partition": partition, **row} for row in rows],
    )


def take_courses(connection: Connection, topic: str) -> dict[int, Course]:
    """What is on record, by partition; it is no longer."""
    table = RecountSecond.__table__
    rows = connection.execute(
        select(table).where(table.c.topic == topic).order_by(table.c.partition, table.c.first_offset)
    ).mappings()
    frame = pd.DataFrame([dict(row) for row in rows])
    connection.execute(delete(RecountSecond).where(RecountSecond.topic == topic))
    if frame.empty:
        return {}
    columns = [name for name in frame.columns if name not in ("topic", "partition")]
    return {
        int(partition): Course(**{name: part[name].to_numpy(np.int64) for name in columns})
        for partition, part in frame.groupby("partition")
    }


def add_idle_periods(connection: Connection, topic: str, partition: int, found: list[IdlePeriod]) -> None:
    """Put them on record."""
    if found:
        where = {"topic": topic, "partition": partition}
        connection.execute(
            insert(RecountIdlePeriod).on_conflict_do_nothing(), [{**where, **vars(each)} for each in found]
        )


def allowed_until(connection: Connection, topic: str) -> dict[int, int]:
    """By partition, up to when windows can have been closed without it."""
    table = RecountIdlePeriod.__table__.c
    rows = connection.execute(
        select(table.partition, func.max(table.allowed_ms))
        .where(table.topic == topic)
        .group_by(table.partition)
    )
    return {row[0]: row[1] for row in rows}


def allowed_at(connection: Connection, topic: str, partition: int, offsets: Ints) -> Ints:
    """The same as of each of these offsets; int64[N]."""
    table = RecountIdlePeriod.__table__.c
    rows = connection.execute(
        select(table.first_offset, table.allowed_ms)
        .where(table.topic == topic, table.partition == partition)
        .order_by(table.first_offset)
    ).all()
    first = np.array([row[0] for row in rows], dtype=np.int64)
    allowed = np.array([BEFORE_ALL_MS, *(row[1] for row in rows)], dtype=np.int64)
    found: Ints = allowed[np.searchsorted(first, offsets, side="right")]
    return found
