"""The desired state of the job, on record in Postgres: the newest row holds, the others are its history."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from contract.errors import WarehouseUnavailable
from ctr_platform.defs.flink_job.snapshots import checkpoint_id_of, job_of, path_of
from ctr_platform.defs.flink_job.submitted_jobs import submitted_jobs
from flink.config import Bounds
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.operation import DeploymentRow

if TYPE_CHECKING:
    from datetime import datetime

    from contract.settings import Settings


@dataclass(frozen=True, kw_only=True)
class DesiredState:
    """What the job is to be."""

    operation: str
    """`start`, `stop`, `upgrade` ..."""

    why: str = ""
    running: bool = True
    release: str
    """Name of the code."""

    parallelism: int | None = None
    """None: as the settings have it."""

    restore_from: str | None = None
    """URI of the snapshot to begin with; None: the newest, or the topic's beginning if there is none."""

    excludes_since: bool = False
    """What earlier deployments' jobs took after `restore_from` is never restored from, whatever is wanted
    later; without `restore_from`, nothing that they took is."""

    bounds: Bounds | None = None
    """Which windows it counts; None: all."""


@dataclass(frozen=True, kw_only=True)
class RecordedState(DesiredState):
    """A desired state on record."""

    deployment_id: int
    recorded_at: datetime
    restore_job_id: str | None = None
    """The job that took `restore_from`; None: not one of this installation."""

    restore_checkpoint_id: int | None = None
    """Its checkpoint id; None: it could not be read, or there is no snapshot."""


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """A deployment that excludes what came after the snapshot which it began with."""

    deployment_id: int
    job_id: str | None
    checkpoint_id: int | None


def current_desired_state(settings: Settings) -> RecordedState | None:
    """Return the state that holds; None: the job has never been started.

    Raises:
        WarehouseUnavailable: Postgres is unavailable, or the table still has the name of an earlier version.
    """
    columns = list(DeploymentRow.__table__.columns)
    engine = writing_engine(settings.postgres_url, "ctr-deployments")
    with warehouse_errors(settings.postgres_url), engine.connect() as connection:
        if connection.scalar(select(func.to_regclass("quality.deployments"))) is None:
            if connection.scalar(select(func.to_regclass("quality.job_orders"))) is not None:
                # To take the job for a new one would start it from nothing.
                raise WarehouseUnavailable(
                    "materialize postgres/migrations: quality.job_orders is to be renamed"
                )
            return None  # the warehouse itself is still to be made
        newest = select(*columns).order_by(DeploymentRow.deployment_id.desc()).limit(1)
        row = connection.execute(newest).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name, underscore and all
    if values["bounds"] is not None:
        values["bounds"] = Bounds.from_values(values["bounds"])
    return RecordedState(**values)


def exclusions(settings: Settings) -> list[Exclusion]:
    """Return what the deployments so far exclude.

    Raises:
        WarehouseUnavailable: Postgres is unavailable.
    """
    query = select(
        DeploymentRow.deployment_id, DeploymentRow.restore_job_id, DeploymentRow.restore_checkpoint_id
    ).where(DeploymentRow.excludes_since)
    engine = writing_engine(settings.postgres_url, "ctr-deployments")
    with warehouse_errors(settings.postgres_url), engine.connect() as connection:
        return [
            Exclusion(deployment_id=deployment_id, job_id=job_id, checkpoint_id=checkpoint_id)
            for deployment_id, job_id, checkpoint_id in connection.execute(query)
        ]


def record_desired_state(settings: Settings, desired: DesiredState) -> RecordedState:
    """Put a desired state on record; it holds from now on.

    Raises:
        WarehouseUnavailable: Postgres is unavailable.
    """
    # Kept beside the URI: the snapshot itself will be deleted one day.
    begin = path_of(desired.restore_from) if desired.restore_from else None
    job_id = job_of(begin, submitted_jobs(settings)) if begin else None
    checkpoint_id = checkpoint_id_of(begin) if begin else None
    engine = writing_engine(settings.postgres_url, "ctr-deployments")
    adding = (
        insert(DeploymentRow)
        .values(**asdict(desired), restore_job_id=job_id, restore_checkpoint_id=checkpoint_id)
        .returning(DeploymentRow.deployment_id, DeploymentRow.recorded_at)
    )
    with warehouse_errors(settings.postgres_url), engine.begin() as connection:
        row = connection.execute(adding).one()
    return RecordedState(
        **vars(desired),
        restore_job_id=job_id,
        restore_checkpoint_id=checkpoint_id,
        deployment_id=row.deployment_id,
        recorded_at=row.recorded_at,
    )
