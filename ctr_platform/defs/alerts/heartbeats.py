"""Heartbeats: when a watcher last looked, and what it saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert

from contract.errors import CtrError
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.operation import Heartbeat
from warehouse.reads import Warehouse

if TYPE_CHECKING:
    from contract.settings import Settings


def record_heartbeat(settings: Settings, name: str, detail: str) -> None:
    """Note that a watcher has looked.

    Raises:
        WarehouseUnavailable: Postgres is unavailable.
    """
    engine = writing_engine(settings.postgres_url, f"ctr-{name}")
    adding = insert(Heartbeat).values(name=name, beat_at=func.now(), detail=detail)
    changed = {column: adding.excluded[column] for column in ("beat_at", "detail")}
    with warehouse_errors(settings.postgres_url), engine.begin() as connection:
        connection.execute(adding.on_conflict_do_update(index_elements=[Heartbeat.name], set_=changed))


def record_trouble(settings: Settings, name: str, detail: str) -> None:
    """Note what keeps a watcher from its work, without a heartbeat: its last one grows older.

    Raises:
        WarehouseUnavailable: Postgres is unavailable.
    """
    engine = writing_engine(settings.postgres_url, f"ctr-{name}")
    with warehouse_errors(settings.postgres_url), engine.begin() as connection:
        connection.execute(update(Heartbeat).where(Heartbeat.name == name).values(detail=detail))


def last_heartbeat(settings: Settings, name: str, absent: str) -> str:
    """Return what a watcher last saw, if its heart beats.

    Args:
        settings: where the warehouse is, and how old a heartbeat may be.
        name: of the watcher.
        absent: what is to be said where its heart does not beat.

    Raises:
        CtrError: it does not.
        WarehouseUnavailable: Postgres does not answer.
    """
    warehouse = Warehouse(settings.postgres_url)
    try:
        last = warehouse.heartbeats().get(name)
    finally:
        warehouse.close()
    if last is None or last.age_s > settings.heartbeat_alarm:
        raise CtrError(f"{absent} for {settings.heartbeat_alarm:.0f} s")
    return last.detail
