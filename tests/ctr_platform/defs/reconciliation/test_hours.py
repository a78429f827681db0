"""Hours that nobody has reason to look at are looked at in turn, as far as there is time."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from ctr_platform.defs.reconciliation.hours import latest_hours, until_time_is_up
from ctr_platform.defs.reconciliation.verify import HOUR

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOURS = [NOON - back * HOUR for back in range(24)]


def test_the_next_hour_is_looked_at_a_minute_before_it_begins() -> None:
    assert latest_hours(NOON + timedelta(minutes=58), 2) == [NOON, NOON - HOUR]
    assert latest_hours(NOON + timedelta(minutes=59), 2) == [NOON + HOUR, NOON]


def test_one_hour_is_looked_at_whatever_it_takes() -> None:
    clock = itertools.count(0, 100).__next__
    assert list(until_time_is_up(HOURS, 10.0, clock)) == HOURS[:1]


def test_all_are_where_they_take_little() -> None:
    assert list(until_time_is_up(HOURS, 10.0, itertools.count(0, 0.1).__next__)) == HOURS


def test_none_are_where_there_are_none() -> None:
    assert list(until_time_is_up([], 10.0)) == []
