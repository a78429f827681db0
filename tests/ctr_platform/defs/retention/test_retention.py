"""Which rows are too old, on a real Postgres; `test_operations` discards beside a real job."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, insert, select

from ctr_platform.defs.retention.retention import JOB_METRICS_KEPT, _old_rows
from tests.support.stores import empty, writing_engine
from tests.support.tables import TABLES
from warehouse.models.accounting import LedgerRow
from warehouse.models.operation import JobMetricsRow
from warehouse.views import CONSERVATION

if TYPE_CHECKING:
    from contract.settings import Settings
    from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack


def test_vital_signs_are_kept_for_their_days(stores: RunningStack) -> None:
    now = datetime.now(tz=UTC)
    young, old = (now - JOB_METRICS_KEPT + off * timedelta(minutes=5) for off in (1, -1))
    known = {"job_id": "j", "checkpoint_age_s": 1, "checkpoints_completed": 1, "checkpoints_failed": 0}
    table = str(JobMetricsRow.__table__)
    engine = writing_engine(stores.settings.postgres_url)
    with engine.begin() as connection:
        connection.execute(
            insert(JobMetricsRow), [{**known, "observed_at": each} for each in (young, old, now)]
        )
    assert _old_rows(stores.settings, dry_run=True)[table] == 1
    assert _old_rows(stores.settings, dry_run=False)[table] == 1
    with engine.connect() as connection:
        left = connection.scalars(select(JobMetricsRow.observed_at).order_by(JobMetricsRow.observed_at))
        assert list(left) == [young, now]


def test_raw_events_are_kept_by_when_they_were_written(stores: RunningStack) -> None:
    """A replay of past years is for a look as well."""
    empty(stores.settings.postgres_url)
    now = datetime.now(tz=UTC)
    kept_for = timedelta(seconds=stores.settings.raw_events_retention)
    numbers = ("click", "hour", "c1", "banner_pos", "device_type")
    event = {**dict.fromkeys(numbers, 0), **dict.fromkeys(("site_id", "site_category", "device_ip"), "")}
    long_ago, times = datetime(2014, 10, 21, tzinfo=UTC), {"young": now, "old": now - kept_for}
    with writing_engine(stores.settings.postgres_url).begin() as connection:
        connection.execute(
            insert(TABLES.raw_events),
            [
                {**event, "id": f"{age} {name}", "created_at": written, "event_time": happened}
                for age, written in times.items()
                for name, happened in (("now", now), ("long ago", long_ago))
            ],
        )
    assert _old_rows(stores.settings, dry_run=False)[str(TABLES.raw_events)] == 2
    with writing_engine(stores.settings.postgres_url).connect() as connection:
        left = connection.scalars(select(TABLES.raw_events.c.id).order_by(TABLES.raw_events.c.id))
        assert list(left) == ["young long ago", "young now"]


def _ledger(settings: Settings, now: datetime) -> None:
    """Checkpoints of 12 days, four a day, by a job that goes back twice."""
    chosen = random.Random(5)
    rows: list[dict[str, Any]] = []
    offset = 0
    for number in range(48):
        if number in {17, 44}:
            offset = rows[-2]["first_offset"]
        size = chosen.randint(10, 20)
        counts = dict.fromkeys(("malformed", "unknown_schema", "invalid"), 1)
        rows.append(
            {
                "topic": "topic",
                "partition": 0,
                "first_offset": offset,
                "last_offset": offset + size - 1,
                "checkpoint_id": number,
                "records_read": size,
                "counted": size - 5,
                "late": 2,
                **counts,
                "job_id": f"job{number}",
                "run_started_at": now - timedelta(days=20 - (number >= 17) - (number >= 44)),
                "written_at": now - timedelta(days=12) + timedelta(hours=6 * number),
            }
        )
        offset += size
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(insert(LedgerRow), rows)


def test_the_ledger_is_rolled_up_by_day_and_says_the_same(stores: RunningStack) -> None:
    empty(stores.settings.postgres_url)
    _ledger(stores.settings, datetime.now(tz=UTC).replace(hour=12))
    engine = writing_engine(stores.settings.postgres_url)

    def said() -> dict[str, object]:
        with engine.connect() as connection:
            row = connection.execute(select(CONSERVATION)).mappings().one()
            return {"rows": connection.scalar(select(func.count()).select_from(LedgerRow)), **row}

    before = said()
    removed = _old_rows(stores.settings, dry_run=True)["quality.ledger"]
    assert said() == before, "a dry run changes nothing"
    assert _old_rows(stores.settings, dry_run=False)["quality.ledger"] == removed
    after = said()
    assert (before.pop("rows"), after.pop("rows")) == (48, 48 - removed)
    assert 10 <= removed <= 16
    assert after == before
    assert after["unaccounted"] == after["overlapping_offsets"] == 0
    assert _old_rows(stores.settings, dry_run=False)["quality.ledger"] == 0
    assert said() == {**after, "rows": 48 - removed}
