"""A look at the job, as it is on record; `bring_up/test_cold_start` records those of a real one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from contract.errors import WarehouseUnavailable
from ctr_platform.defs.flink_job.health import JobMetrics
from ctr_platform.defs.flink_job.metrics_store import record
from tests.support.stores import silent_port
from warehouse.quality_reads import JobMetricsSample, QualityRecords

if TYPE_CHECKING:
    from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack

NOTHING_MEASURED = JobMetrics(
    at_s=1_700_000_000.25,
    job_id="j",
    checkpoint_age_s=3.5,
    checkpoint_duration_ms=None,
    checkpoint_bytes=None,
    checkpoints_completed=2,
    checkpoints_failed=1,
    checkpoint_failure="too slow",
    alignment_ms=None,
    records_waiting=None,
    watermark_ms=None,
    watermark_lag_s=None,
    outcomes=None,
    busy_percent=None,
    backpressured_percent=None,
    heap_percent=None,
)


def test_a_look_is_on_record_once(stores: RunningStack) -> None:
    for _ in range(2):
        record(stores.settings, NOTHING_MEASURED)
    records = QualityRecords(stores.settings.postgres_reader_url)
    assert records.vital_signs(datetime.fromtimestamp(0, tz=UTC)) == [
        JobMetricsSample(
            observed_at=datetime.fromtimestamp(1_700_000_000.25, tz=UTC),
            job_id="j",
            checkpoint_age_s=3.5,
            checkpoint_duration_ms=None,
            checkpoint_bytes=None,
            checkpoints_completed=2,
            checkpoints_failed=1,
            records_waiting=None,
            watermark_lag_s=None,
            busy_percent=None,
            backpressured_percent=None,
            heap_percent=None,
        )
    ]
    records.close()
    with silent_port() as port, pytest.raises(WarehouseUnavailable):
        record(stores.settings.model_copy(update={"postgres_port": port}), NOTHING_MEASURED)
