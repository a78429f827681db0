"""Which rejected records are without a dead letter, against plain sets of offsets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctr_platform.defs.reconciliation.awaited_letters import (
    await_letters,
    await_no_more,
    letters_read,
    missing_letters,
    note_missing,
)
from tests.support.stores import empty
from warehouse.engine import writing_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from tests.support.stack import RunningStack

TOPIC = "raw"
PARTITIONS = (0, 1)

places = st.frozensets(st.tuples(st.sampled_from(PARTITIONS), st.integers(0, 40)), max_size=40)


@pytest.fixture(scope="module")
def connection(stores: RunningStack) -> Iterator[Connection]:
    empty(stores.settings.postgres_url)
    with writing_engine(stores.settings.postgres_url, "test").connect() as opened:
        yield opened


def _await(connection: Connection, found: set[tuple[int, int]], batch: int) -> None:
    """In batches of so many offsets, as a pass reads them."""
    for partition in PARTITIONS:
        offsets = sorted(offset for each, offset in found if each == partition)
        for begin in range(0, 41, batch):
            part = [offset for offset in offsets if begin <= offset < begin + batch]
            await_letters(connection, TOPIC, partition, np.array(part, np.int64))


def _read(connection: Connection, found: list[tuple[int, int]]) -> None:
    for partition in PARTITIONS:
        offsets = np.array([offset for each, offset in found if each == partition], np.int64)
        letters_read(connection, TOPIC, partition, offsets)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rejected=places, letters=st.lists(places, max_size=4), batch=st.integers(1, 41))
def test_what_is_missing_is_what_was_rejected_less_what_was_told(
    connection: Connection,
    rejected: frozenset[tuple[int, int]],
    letters: list[frozenset[tuple[int, int]]],
    batch: int,
) -> None:
    _await(connection, set(rejected), batch)
    # A message may come twice, and may be of a record that nobody waits for.
    for some in letters:
        _read(connection, [*some, *some])
    assert missing_letters(connection, TOPIC) == [], "the error topic may hold more"
    note_missing(connection)
    missing = rejected.difference(*letters)
    found = {each.partition: each for each in missing_letters(connection, TOPIC)}
    assert {partition: each.records for partition, each in found.items()} == {
        partition: len(offsets)
        for partition in PARTITIONS
        if (offsets := [offset for each, offset in missing if each == partition])
    }
    for partition, each in found.items():
        offsets = [offset for there, offset in missing if there == partition]
        assert (each.first_offset, each.last_offset) == (min(offsets), max(offsets))
    # One that comes after all is crossed off too.
    _read(connection, list(missing))
    assert missing_letters(connection, TOPIC) == []
    connection.rollback()


def test_after_a_gap_in_the_error_topic_nothing_is_missing(connection: Connection) -> None:
    _await(connection, {(0, 1), (1, 5)}, 41)
    await_no_more(connection)
    note_missing(connection)
    assert missing_letters(connection, TOPIC) == []
    connection.rollback()
