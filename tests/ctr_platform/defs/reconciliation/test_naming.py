"""The recount's own names of segments, against a reference that takes record by record."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from ctr_platform.defs.reconciliation.naming import KEPT_AFTER_CLOSING, SegmentNames, forget_names
from ctr_platform.defs.reconciliation.outcomes import segment_columns
from ctr_platform.defs.reconciliation.state import moment
from tests.support.stores import empty
from tests.support.tables import TABLES
from warehouse.engine import writing_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from tests.support.stack import RunningStack

NOON_MS = 1_793_750_400_000
LIMIT = 12
SEGMENT = segment_columns(TABLES.dimensions)
OTHER = ("other", -1)
Record = tuple[int, str, int]


@pytest.fixture
def connection(stores: RunningStack) -> Iterator[Connection]:
    empty(stores.settings.postgres_url)
    with writing_engine(stores.settings.postgres_url, "test").connect() as opened:
        yield opened


def _counts(records: list[Record]) -> pd.DataFrame:
    frame = pd.DataFrame(records, columns=SEGMENT)
    counted = frame.groupby(SEGMENT, sort=False).size().reset_index(name="impressions")
    return counted.assign(clicks=0)


def _named(names: SegmentNames, records: list[Record]) -> Counter[Record]:
    found: Counter[Record] = Counter()
    for start, category, device, impressions, _ in names.give(_counts(records)).itertuples(index=False):
        found[start, category, device] += impressions
    return found


def _reference(records: list[Record]) -> Counter[Record]:
    named: dict[int, set[tuple[str, int]]] = {}
    found: Counter[Record] = Counter()
    for start, category, device in records:
        known, one = named.setdefault(start, set()), (category, device)
        if len(known) < LIMIT:
            known.add(one)
        found[(start, *(one if one in known else OTHER))] += 1
    return found


@pytest.mark.parametrize("seed", range(12))
def test_names_are_those_of_the_first_records_wherever_batches_are_cut(
    connection: Connection, seed: int
) -> None:
    chosen = random.Random(seed)
    records = [
        (NOON_MS + 60_000 * chosen.randint(0, 2), f"c{chosen.randint(0, 9)}", chosen.randint(-1, 1))
        for _ in range(300)
    ]
    names = SegmentNames(connection, "topic", 2, LIMIT)
    found: Counter[Record] = Counter()
    left = list(records)
    while left:
        size = chosen.randint(1, 80)
        found += _named(names, left[:size])
        left = left[size:]
    assert found == _reference(records)


def test_each_partition_names_its_own(connection: Connection) -> None:
    first = [(NOON_MS, f"c{number}", 1) for number in range(LIMIT)]
    second = [(NOON_MS, f"d{number}", 1) for number in range(LIMIT)]
    for partition, records in enumerate((first, second)):
        assert set(_named(SegmentNames(connection, "topic", partition, LIMIT), records)) == set(records)


def test_what_a_dead_letter_takes_back_is_taken_from_where_it_was_counted(connection: Connection) -> None:
    names = SegmentNames(connection, "topic", 0, LIMIT)
    names.give(_counts([(NOON_MS, f"c{number}", 1) for number in range(LIMIT + 3)]))
    names.give(_counts([(NOON_MS + 60_000, "c0", 1)]))
    frame = pd.DataFrame(
        [(NOON_MS, "c0", 1), (NOON_MS, f"c{LIMIT}", 1), (NOON_MS + 60_000, "other one", 7)], columns=SEGMENT
    )
    assert list(names.look_up(frame).itertuples(index=False, name=None)) == [
        (NOON_MS, "c0", 1),
        (NOON_MS, *OTHER),
        (NOON_MS + 60_000, "other one", 7),
    ]


def test_names_are_forgotten_some_minutes_after_their_window_has_closed(connection: Connection) -> None:
    names = SegmentNames(connection, "topic", 0, 1)
    names.give(_counts([(NOON_MS, "c0", 1), (NOON_MS + 60_000, "c0", 1)]))
    forget_names(connection, moment(NOON_MS) + KEPT_AFTER_CLOSING + timedelta(minutes=1))
    again = names.give(_counts([(NOON_MS, "c1", 1), (NOON_MS + 60_000, "c1", 1)]))
    assert again["site_category"].tolist() == ["c1", OTHER[0]]
