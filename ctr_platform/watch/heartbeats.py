"""Heartbeats: when a watcher last looked, and what it saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models import Heartbeat

if TYPE_CHECKING:
    from ctr_platform.settings import Settings


def beat(settings: Settings, name: str, detail: str) -> None:
    """Note that a watcher has looked.

    Raises:
        WarehouseUnavailable: Postgres is away.
    """
    engine = writing_engine(settings.postgres_url, f"ctr-{name}")
    adding = insert(Heartbeat).values(name=name, beat_at=func.now(), detail=detail)
    changed = {column: adding.excluded[column] for column in ("beat_at", "detail")}
    with warehouse_errors(settings.postgres_url), engine.begin() as connection:
        connection.execute(adding.on_conflict_do_update(index_elements=[Heartbeat.name], set_=changed))
