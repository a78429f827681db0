"""A stream of its own declaration has the whole platform: exact windows, proofs and repairs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import redis

from ctr_platform.defs.backfill.hours import HourRange
from ctr_platform.defs.backfill.run import backfill
from ctr_platform.defs.data_quality.evidence import gather
from ctr_platform.defs.late_events.merge import merge_late_events
from ctr_platform.defs.late_events.publish import publish_revisions
from ctr_platform.defs.reconciliation.run import recount
from tests.oracle import MINUTE_MS
from tests.support.pipeline import pipeline
from tests.support.wide_stream import COLUMNS, WideTraffic, windows_of, write_declaration
from warehouse.cache import parse_document
from warehouse.reads import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.pipeline import Pipeline
    from tests.support.stack import RunningStack
    from tests.support.submitter import Submitter

HOUR_MS = 60 * MINUTE_MS
HOUR = timedelta(hours=1)


@pytest.fixture
def job(stack: RunningStack, warm_submissions: Submitter, tmp_path: Path) -> Iterator[Pipeline]:
    """Topics and stores of the stream that is declared here."""
    folder = write_declaration(tmp_path / "wide")
    with pipeline(stack, warm_submissions, ctr_stream=folder) as made:
        yield made


def test_every_part_follows_the_declaration(job: Pipeline) -> None:
    _through_a_crash(job, events=12_000, minutes=12)


@pytest.mark.drill
@pytest.mark.timeout(3600)
def test_a_million_events_are_exact_through_a_crash(job: Pipeline) -> None:
    _through_a_crash(job, events=1_000_000, minutes=60)


def _through_a_crash(job: Pipeline, events: int, minutes: int) -> None:
    job.submit()
    traffic = WideTraffic(job, seed=11)
    first = job.base_ms + HOUR_MS
    before = minutes // 3
    traffic.send(events // 3, first, before * MINUTE_MS)
    job.wait_checkpoint()
    job.stack.kill("taskmanager-1")
    job.stack.kill("taskmanager-2")
    traffic.send(events - events // 3, first + before * MINUTE_MS, (minutes - before) * MINUTE_MS)
    traffic.close(job.base_ms + 2 * HOUR_MS)
    _check_counts(job, traffic)
    _check_documents(job)
    _check_recount(job)
    _check_backfill(job, traffic)
    _check_merge(job, traffic)


def _hour(job: Pipeline) -> datetime:
    """The hour of the traffic; some of its events happened in the one before."""
    return datetime.fromtimestamp(job.base_ms / 1000, tz=UTC) + timedelta(hours=1)


def _check_counts(job: Pipeline, traffic: WideTraffic) -> None:
    until = job.base_ms + 2 * HOUR_MS
    for minutes in (1, 5):
        wanted = {
            key: figures
            for key, figures in traffic.windows(minutes).items()
            if key[0] + minutes * MINUTE_MS <= until
        }
        table = f"realtime.counts_{minutes}min"
        job.eventually(lambda: windows_of(job, table) == wanted, f"exact {table}")  # noqa: B023 - now
    job.eventually(lambda: job.read() == sum(traffic.outcomes.values()), "the ledger")
    ledger = job.ledger()
    assert {name: ledger[name] for name in traffic.outcomes} == dict(traffic.outcomes)
    job.eventually(lambda: job.restarts() >= 1, "Flink's count of restarts")


def _check_documents(job: Pipeline) -> None:
    """Final documents are the views' rows."""
    warehouse = Warehouse(job.settings.postgres_url)
    tables = warehouse.stream().tables
    assert tables.dimensions == COLUMNS
    with redis.Redis(host=job.settings.redis_host, port=job.settings.redis_port) as client:
        keys = list(client.scan_iter(f"{job.settings.redis_key_prefix}metrics:*:2*"))
        texts = [str(text, "utf-8") for text in client.mget(keys)]
    found = [document for text in texts if (document := parse_document(text, tables)) and document.final]
    assert len(found) >= 10
    for document in found:
        row = warehouse.window(document.window_type, document.start)
        assert row is not None
        assert (document.impressions, document.clicks, document.ctr) == (row.impressions, row.clicks, row.ctr)
        assert document.measures == row.measures
        assert row.measures["cost"] > 0
        assert document.rates == row.rates
        assert set(document.rates) == set(COLUMNS)
        named = {tuple(each.dimensions.values()): each.figures for each in row.segments}
        for each in document.segments:
            if not each.is_rest:
                assert named[tuple(each.dimensions.values())] == each.figures
    assert {"campaign_ctr", "by_creative", "slot_ctr"} <= json.loads(texts[0]).keys()
    warehouse.close()


def _check_recount(job: Pipeline) -> None:
    def read() -> int:
        recount(job.settings)
        [(records,)] = job.query("select coalesce(sum(records_read), 0)::int from quality.recount_progress")
        return int(records)

    job.eventually(lambda: read() == job.read(), "the recount")
    done = recount(job.settings, [_hour(job)])
    assert done.verification.windows > 10
    assert (done.verification.inexact, done.inexact.number) == (0, 0)
    until = job.base_ms + 2 * HOUR_MS
    recounted = windows_of(job, "quality.recount_counts").items()
    assert {key: figures for key, figures in recounted if key[0] < until} == windows_of(
        job, "realtime.segments_1min"
    )
    evidence = gather(job.settings)
    assert not any(hasattr(each, "reason") for each in evidence.values())


def _check_backfill(job: Pipeline, traffic: WideTraffic) -> None:
    """Falsified windows of an hour are right again."""
    with job.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "update realtime.counts_1min set cost = cost + 1, is_app = 'maybe' where is_app = 'false'"
        )
        cursor.execute("delete from realtime.counts_5min where slot = 1")
    done = backfill(job.settings, HourRange(_hour(job) - HOUR, _hour(job) + HOUR))
    assert done.rows_changed > 0
    _check_counts(job, traffic)


def _check_merge(job: Pipeline, traffic: WideTraffic) -> None:
    assert traffic.outcomes["late"] > 50
    merged = merge_late_events(job.settings, dry_run=False)
    assert merged.merged == traffic.outcomes["late"]
    wanted = {
        key: figures
        for key, figures in traffic.windows(1, merged=True).items()
        if key[0] < job.base_ms + 2 * HOUR_MS
    }
    assert windows_of(job, "realtime.segments_1min") == wanted
    assert publish_revisions(job.settings).documents > 0
    again = recount(job.settings)
    assert (again.verification.inexact, again.inexact.number) == (0, 0)
