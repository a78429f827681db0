"""Which rows are too old, on a real Postgres; `test_operations` discards beside a real job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select

from ctr_platform.defs.retention.retention import JOB_METRICS_KEPT, _old_rows
from tests.support.stores import writing_engine
from warehouse.models import JobMetricsRow

if TYPE_CHECKING:
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
