"""Which rows are too old, on a real Postgres; `test_operations` discards beside a real job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from ctr_platform.operations.retention import VITAL_SIGNS_KEPT, _old_rows
from tests.support.stores import running_stores, writing_engine
from warehouse.models import VitalSignsRow

pytestmark = pytest.mark.stack


def test_vital_signs_are_kept_for_their_days() -> None:
    now = datetime.now(tz=UTC)
    young, old = (now - VITAL_SIGNS_KEPT + off * timedelta(minutes=5) for off in (1, -1))
    known = {"job_id": "j", "checkpoint_age_s": 1, "checkpoints_completed": 1, "checkpoints_failed": 0}
    table = str(VitalSignsRow.__table__)
    with running_stores() as running:
        engine = writing_engine(running.settings.postgres_url)
        with engine.begin() as connection:
            connection.execute(
                insert(VitalSignsRow), [{**known, "observed_at": each} for each in (young, old, now)]
            )
        assert _old_rows(running.settings, dry_run=True)[table] == 1
        assert _old_rows(running.settings, dry_run=False)[table] == 1
        with engine.connect() as connection:
            left = connection.scalars(select(VitalSignsRow.observed_at).order_by(VitalSignsRow.observed_at))
            assert list(left) == [young, now]
