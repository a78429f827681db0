"""The job's metrics on record in Postgres, for readers who do not ask Flink."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy.dialects.postgresql import insert

from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.operation import JobMetricsRow

if TYPE_CHECKING:
    from contract.settings import Settings
    from ctr_platform.defs.flink_job.health import JobMetrics


def record(settings: Settings, job_metrics: JobMetrics) -> None:
    """Note one look at the job; noting it again changes nothing.

    Raises:
        WarehouseUnavailable: Postgres is unavailable.
    """
    observed_at = datetime.fromtimestamp(job_metrics.at_s, tz=UTC)
    measured = {
        column.name: getattr(job_metrics, column.name)
        for column in JobMetricsRow.__table__.columns
        if column.name != JobMetricsRow.observed_at.name
    }
    adding = insert(JobMetricsRow).values(observed_at=observed_at, **measured).on_conflict_do_nothing()
    engine = writing_engine(settings.postgres_url, "ctr-vital-signs")
    with warehouse_errors(settings.postgres_url), engine.begin() as connection:
        connection.execute(adding)
