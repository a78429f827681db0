"""Which jobs this installation has submitted, on record in Postgres, and the folder of their snapshots."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from flink.config import JOB_NAME
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.operation import InstallationRow, SubmittedJobRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

    from contract.settings import Settings


@dataclass(frozen=True, kw_only=True)
class SubmittedJob:
    """A job that this installation has submitted."""

    number: int
    """Counts the submissions: a higher one is a later one."""

    job_id: str
    """Flink's id of the job."""

    deployment_id: int | None
    """The deployment that wanted it; None: it is older than any."""

    submitted_at: datetime
    """By Postgres' clock."""


def submitted_jobs(settings: Settings) -> dict[str, SubmittedJob]:
    """Return the jobs by their ids, oldest first.

    Raises:
        WarehouseUnavailable: Postgres is unavailable.
    """
    query = select(*SubmittedJobRow.__table__.columns).order_by(SubmittedJobRow.number)
    with warehouse_errors(settings.postgres_url), _engine(settings).connect() as connection:
        return {row["job_id"]: SubmittedJob(**row) for row in connection.execute(query).mappings()}


def record_job(settings: Settings, job_id: str, deployment_id: int) -> None:
    """Put a job on record as one of this installation's; one that is there already stays as it is.

    Raises:
        WarehouseUnavailable: Postgres is unavailable.
    """
    adding = insert(SubmittedJobRow).values(job_id=job_id, deployment_id=deployment_id)
    with warehouse_errors(settings.postgres_url), _engine(settings).begin() as connection:
        connection.execute(adding.on_conflict_do_nothing(index_elements=[SubmittedJobRow.job_id]))


def snapshot_folder(settings: Settings) -> str:
    """Return the URI of the folder for this installation's snapshots, below `FLINK_CHECKPOINT_DIR`.

    Other installations may share that: the name ends in an id which is made once and kept in Postgres.

    Raises:
        WarehouseUnavailable: Postgres is unavailable.
    """
    making = insert(InstallationRow).values(job_name=JOB_NAME, installation_id=secrets.token_hex(4))
    query = select(InstallationRow.installation_id).where(InstallationRow.job_name == JOB_NAME)
    with warehouse_errors(settings.postgres_url), _engine(settings).begin() as connection:
        connection.execute(making.on_conflict_do_nothing())
        installation_id = connection.scalars(query).one()
    name = f"{settings.kafka_topic_prefix}{JOB_NAME}-{installation_id}"
    return f"{settings.flink_checkpoint_dir.rstrip('/')}/{name}"


def _engine(settings: Settings) -> Engine:
    return writing_engine(settings.postgres_url, "ctr-deployments")
