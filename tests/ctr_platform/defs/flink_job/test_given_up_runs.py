"""The account goes on along the line of the job that is restored, whatever else ran beside it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, text

from ctr_platform.defs.flink_job.given_up_runs import remove_given_up_runs
from tests.support.stores import empty, writing_engine
from warehouse.models.accounting import LedgerRow

if TYPE_CHECKING:
    from contract.settings import Settings
    from tests.support.stack import RunningStack

FIRST, SECOND, THIRD = (digit * 32 for digit in "abc")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def _run(settings: Settings, job_id: str, minutes: int, *ends: int) -> None:
    """Write a run's rows of one partition, from one offset to the next."""
    row = {
        "topic": settings.raw_topic,
        "partition": 0,
        "job_id": job_id,
        "run_started_at": BEGAN + timedelta(minutes=minutes),
        **dict.fromkeys(("late", "malformed", "unknown_schema", "invalid"), 0),
    }
    rows = [
        {
            **row,
            "checkpoint_id": minutes + number,
            "first_offset": first,
            "last_offset": end - 1,
            "records_read": end - first,
            "counted": end - first,
        }
        for number, (first, end) in enumerate(itertools.pairwise(ends))
    ]
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(insert(LedgerRow), rows)


def _accounted(settings: Settings) -> int:
    with writing_engine(settings.postgres_url).connect() as connection:
        return int(connection.scalar(text("select sum(records_read) from quality.ledger_current")) or 0)


@pytest.fixture
def settings(stores: RunningStack) -> Settings:
    empty(stores.settings.postgres_url)
    return stores.settings


@pytest.mark.parametrize(
    "snapshot", [f"file:///s/{FIRST}/chk-4", f"file:///s/savepoint-{FIRST[:6]}-0123456789ab"]
)
def test_what_only_the_older_of_two_jobs_has_accounted_for_stays(settings: Settings, snapshot: str) -> None:
    _run(settings, FIRST, 0, 0, 60, 80, 100)
    _run(settings, SECOND, 1, 60, 90)
    _run(settings, THIRD, 2, 100, 130)
    assert _accounted(settings) == 120
    assert remove_given_up_runs(settings, snapshot, THIRD) == 1
    assert _accounted(settings) == 130
    assert remove_given_up_runs(settings, snapshot, THIRD) == 0


def test_what_a_draining_job_has_accounted_for_stays_after_a_cutover(settings: Settings) -> None:
    """The new job begins with the snapshot before the draining one, and reports behind it."""
    _run(settings, FIRST, 0, 0, 60, 80)
    _run(settings, SECOND, 1, 80, 90, 100)
    _run(settings, THIRD, 2, 100, 130)
    snapshot = f"file:///s/{FIRST}/chk-1"
    assert remove_given_up_runs(settings, snapshot, THIRD, {0: 100}) == 0
    assert _accounted(settings) == 130
    assert remove_given_up_runs(settings, snapshot, THIRD, {0: 90}) == 1


def test_a_job_that_goes_on_from_the_newest_run_removes_nothing(settings: Settings) -> None:
    _run(settings, FIRST, 0, 0, 60, 80, 100)
    _run(settings, SECOND, 1, 60, 90)
    assert remove_given_up_runs(settings, f"file:///s/{SECOND}/chk-9", THIRD) == 0
    assert remove_given_up_runs(settings, "file:///s/savepoint-123456-0123456789ab", THIRD) == 0
    assert _accounted(settings) == 90
