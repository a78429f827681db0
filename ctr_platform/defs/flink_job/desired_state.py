"""The desired state of the job, on record in Postgres: the newest row holds, the others are its history."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from contract.errors import WarehouseUnavailable
from flink.config import Bounds
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models import DeploymentRow

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

    excluded_from: datetime | None = None
    """Snapshots completed between this and the record are never restored from, whatever is wanted later."""

    bounds: Bounds | None = None
    """Which windows it counts; None: all."""


@dataclass(frozen=True, kw_only=True)
class RecordedState(DesiredState):
    """A desired state on record."""

    deployment_id: int
    recorded_at: datetime


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


def excluded_times(settings: Settings) -> list[tuple[datetime, datetime]]:
    """Return the times whose snapshots are never restored from, by all states so far: from, until.

    Raises:
        WarehouseUnavailable: Postgres is unavailable.
    """
    query = select(DeploymentRow.excluded_from, DeploymentRow.recorded_at)
    engine = writing_engine(settings.postgres_url, "ctr-deployments")
    with warehouse_errors(settings.postgres_url), engine.connect() as connection:
        return [(begin, end) for begin, end in connection.execute(query) if begin is not None]


def record_desired_state(settings: Settings, desired: DesiredState) -> RecordedState:
    """Put a desired state on record; it holds from now on.

    Raises:
        WarehouseUnavailable: Postgres is unavailable.
    """
    engine = writing_engine(settings.postgres_url, "ctr-deployments")
    adding = (
        insert(DeploymentRow)
        .values(**asdict(desired))
        .returning(DeploymentRow.deployment_id, DeploymentRow.recorded_at)
    )
    with warehouse_errors(settings.postgres_url), engine.begin() as connection:
        row = connection.execute(adding).one()
    return RecordedState(**vars(desired), deployment_id=row.deployment_id, recorded_at=row.recorded_at)
