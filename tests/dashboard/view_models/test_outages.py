"""Since when a store is away is remembered until it is back."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from dashboard.view_models.outages import Outages

if TYPE_CHECKING:
    import pytest

REFUSED = ConnectionRefusedError("refused")


def test_an_outage_lasts_since_it_was_first_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 200.0, 300.0, 400.0])
    monkeypatch.setattr(time, "time", lambda: next(clock))
    outages = Outages()
    first, second = outages.away("Redis", REFUSED), outages.away("Redis", TimeoutError("timed out"))
    assert (first.since_s, second.since_s) == (100.0, 100.0)
    assert (first.reason, second.reason) == ("refused", "timed out")


def test_each_store_has_its_own_and_one_that_was_back_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    outages = Outages()
    outages.away("Redis", REFUSED)
    clock[0] = 200.0
    assert outages.away("Postgres", REFUSED).since_s == 200.0
    outages.back("Redis")
    outages.back("Redis")
    clock[0] = 300.0
    assert outages.away("Redis", REFUSED).since_s == 300.0
    assert outages.away("Postgres", REFUSED).since_s == 200.0


def test_readers_that_notice_it_at_once_agree() -> None:
    outages = Outages()
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: outages.away("Redis", REFUSED).since_s, range(200)))
    assert len(set(found)) == 1
