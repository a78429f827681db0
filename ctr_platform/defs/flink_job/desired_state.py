"""What is wanted of the job: the newest order holds; those before are the record of what was done."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from flink.config import Bounds
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models import JobOrder

if TYPE_CHECKING:
    from datetime import datetime

    from ctr_platform.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Order:
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

    barred_from: datetime | None = None
    """Snapshots completed between this and the order are of a job that is not to be gone on with, whatever
    is ordered later."""

    bounds: Bounds | None = None
    """Which windows it counts; None: all."""


@dataclass(frozen=True, kw_only=True)
class GivenOrder(Order):
    """An order on record."""

    order_id: int
    given_at: datetime


def newest_order(settings: Settings) -> GivenOrder | None:
    """The order that holds; None: the job has never been started.

    Raises:
        WarehouseUnavailable: Postgres is away.
    """
    columns = list(JobOrder.__table__.columns)
    engine = writing_engine(settings.postgres_url, "ctr-orders")
    with warehouse_errors(settings.postgres_url), engine.connect() as connection:
        if connection.scalar(select(func.to_regclass("quality.job_orders"))) is None:
            return None  # the warehouse itself is still to be made
        row = connection.execute(select(*columns).order_by(JobOrder.order_id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name, underscore and all
    if values["bounds"] is not None:
        values["bounds"] = Bounds.from_values(values["bounds"])
    return GivenOrder(**values)


def barred_times(settings: Settings) -> list[tuple[datetime, datetime]]:
    """The times whose snapshots are not to be gone on with, by all orders so far: from, until.

    Raises:
        WarehouseUnavailable: Postgres is away.
    """
    query = select(JobOrder.barred_from, JobOrder.given_at)
    engine = writing_engine(settings.postgres_url, "ctr-orders")
    with warehouse_errors(settings.postgres_url), engine.connect() as connection:
        return [(begin, end) for begin, end in connection.execute(query) if begin is not None]


def give(settings: Settings, order: Order) -> GivenOrder:
    """Put an order on record; it holds from now on.

    Raises:
        WarehouseUnavailable: Postgres is away.
    """
    engine = writing_engine(settings.postgres_url, "ctr-orders")
    adding = insert(JobOrder).values(**asdict(order)).returning(JobOrder.order_id, JobOrder.given_at)
    with warehouse_errors(settings.postgres_url), engine.begin() as connection:
        row = connection.execute(adding).one()
    return GivenOrder(**vars(order), order_id=row.order_id, given_at=row.given_at)
