"""Any number of distinct values: counted, in documents of bounded size, without a stop or a stall."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import redis

from ctr_platform.defs.reconciliation.run import recount
from flink.documents import MAX_BYTES, MAX_ENTRIES, document_key, window_id
from tests.oracle import MINUTE_MS, read_topic
from tests.support.pipeline import closed

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline

HOUR_MS = 60 * MINUTE_MS
EVENTS = 60_000


def _document(job: Pipeline, window_type: str, start_ms: int) -> dict[str, Any]:
    settings = job.settings
    with redis.Redis(settings.redis_host, settings.redis_port, decode_responses=True) as client:
        stored = client.get(settings.redis_key_prefix + document_key(window_type, window_id(start_ms)))
    made: dict[str, Any] = json.loads(str(stored))
    return made


@pytest.mark.parametrize("cap", [500, 10_000])
def test_as_many_categories_as_events(job: Pipeline, cap: int) -> None:
    """Each event of two minutes has a category of its own: some beyond the cap, or none."""
    job.use(max_segments=cap)
    job.submit()
    for number in range(EVENTS):
        at_ms = HOUR_MS + number * 2 * MINUTE_MS // EVENTS
        job.event(number % 4, at_ms, site_category=str(UUID(int=number)), click=number % 2)
    job.close_windows(HOUR_MS + 5 * MINUTE_MS)
    expected = job.expected()
    until_ms = job.base_ms + HOUR_MS + 5 * MINUTE_MS
    one, five = (closed(expected.windows(minutes), until_ms, minutes) for minutes in (1, 5))
    if cap < EVENTS // 8:
        others = {key: counts for key, counts in one.items() if key[1:] == ("other", -1)}
        assert len(one) == 2 * (4 * cap + 1)
        assert sum(impressions for impressions, _ in others.values()) == EVENTS - 8 * cap
    job.eventually(lambda: closed(job.rows(1), until_ms, 1) == one, "the windows of a minute")
    job.eventually(lambda: closed(job.rows(5), until_ms, 5) == five, "the window of five minutes")
    assert job.restarts() == 0
    assert job.dead_letters() == {}

    for window_type, start_ms, impressions in (
        ("1min", HOUR_MS, EVENTS // 2),
        ("5min", HOUR_MS, EVENTS),
    ):
        made = _document(job, window_type, job.base_ms + start_ms)
        assert (made["total_impressions"], made["total_clicks"], made["final"]) == (
            impressions,
            impressions // 2,
            True,
        )
        assert sum(row[2] for row in made["segments"]) == impressions
        assert len(made["segments"]) == MAX_ENTRIES + 1
        assert len(made["category_ctr"]) == MAX_ENTRIES
    sizes = [len(message.value or b"") for message in read_topic(job.settings, job.settings.windows_topic)]
    assert len(sizes) >= 3
    assert max(sizes) <= MAX_BYTES

    job.eventually(lambda: job.read() == expected.records, "the ledger")

    def verified() -> bool:
        done = recount(job.settings, [datetime.fromtimestamp((job.base_ms + HOUR_MS) / 1000, tz=UTC)])
        assert done.verification.inexact == 0
        return done.verification.windows == 3 and not done.reading.unread_since

    job.eventually(verified, "the recount of all windows")
