"""Ledger rows of jobs that ran beside, or after, the one whose snapshot the job goes on from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, false, func, not_, or_, select

from ctr_platform.defs.flink_job.snapshots import job_of, path_of
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.accounting import LedgerRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contract.settings import Settings


def remove_given_up_runs(
    settings: Settings, restored: str, job_id: str, reports_from: Mapping[int, int] | None = None
) -> int:
    """Delete the ledger rows of runs later than the one that took a snapshot, and return their number.

    What those runs have read, the restored job reads again, or the run that took the snapshot has accounted
    for. Their rows are cut at other offsets and supersede that run's in `quality.ledger_current`: of two jobs
    that ran at once, records that only the older one accounts for would be missing from the account for ever.

    Args:
        settings: where the ledger is.
        restored: URI of the snapshot.
        job_id: the job that has been restored from it.
        reports_from: by partition, the offset from which on it accounts for records: what others have
            accounted for below stays theirs.

    Raises:
        WarehouseUnavailable: Postgres is unavailable.
    """
    of_topic = LedgerRow.topic == settings.raw_topic
    engine = writing_engine(settings.postgres_url, "ctr-deployments")
    with warehouse_errors(settings.postgres_url), engine.begin() as connection:
        known = connection.scalars(select(LedgerRow.job_id).where(of_topic).distinct()).all()
        taken_by = job_of(path_of(restored), known)
        if taken_by is None:
            return 0
        began = select(func.max(LedgerRow.run_started_at)).where(of_topic, LedgerRow.job_id == taken_by)
        later = (of_topic, LedgerRow.run_started_at > began.scalar_subquery(), LedgerRow.job_id != job_id)
        others = [
            and_(LedgerRow.partition == partition, LedgerRow.last_offset < offset)
            for partition, offset in (reports_from or {}).items()
        ]
        return connection.execute(delete(LedgerRow).where(*later, not_(or_(false(), *others)))).rowcount
