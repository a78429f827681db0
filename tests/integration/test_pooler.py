"""The job and the recount behind PgBouncer in transaction mode."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from dagster._core.utils import make_new_run_id
from dagster_postgres.run_storage import PostgresRunStorage

from ctr_platform.defs.reconciliation.run import recount
from tests.oracle import MINUTE_MS
from tests.support.isolation import own
from tests.support.pgbouncer import behind_pgbouncer
from tests.support.pipeline import pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.pipeline import Pipeline
    from tests.support.stack import RunningStack
    from tests.support.submitter import Submitter

MINUTES = 8
"""Of windows, each closed by itself: a driver prepares what it has executed five times."""


@pytest.fixture
def job(stack: RunningStack, warm_submissions: Submitter) -> Iterator[Pipeline]:
    with behind_pgbouncer(stack) as pooled, pipeline(pooled, warm_submissions) as made:
        yield made


def test_every_window_is_written_and_verified(job: Pipeline) -> None:
    job.submit(raw_events_percent=100)
    for minute in range(MINUTES):
        job.event(0, minute * MINUTE_MS)
        job.close_windows((minute + 1) * MINUTE_MS)
        key = (job.base_ms + minute * MINUTE_MS, "news", 1)
        job.eventually(lambda wanted=key: job.rows(1).get(wanted) == (1, 0), "the window")  # type: ignore[misc]
    job.eventually(lambda: job.read() == 5 * MINUTES, "the ledger")
    job.eventually(
        lambda: job.query("select count(*) from realtime.raw_events") == [(5 * MINUTES,)], "the raw events"
    )
    assert job.restarts() == 0
    day = datetime.fromtimestamp(job.base_ms / 1000, tz=UTC)

    def verified() -> bool:
        found = recount(job.settings, [day]).verification
        return found.windows >= MINUTES and not found.inexact

    job.eventually(verified, "the recount")


def test_dagster_keeps_its_runs_there(stack: RunningStack) -> None:
    with behind_pgbouncer(stack) as pooled, own(pooled, database="empty") as made:
        url = made.settings.postgres_url.render_as_string(hide_password=False)
        storage = PostgresRunStorage.create_clean_storage(url)
        storage.optimize_for_webserver(statement_timeout=5_000, pool_recycle=5, max_overflow=2)
        run = dg.DagsterRun(job_name="job", run_id=make_new_run_id())
        storage.add_run(run)
        assert [each.run_id for each in storage.get_runs()] == [run.run_id]
        storage.delete_run(run.run_id)
        assert storage.get_runs_count() == 0
        storage.dispose()
