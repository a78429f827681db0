"""Heartbeats: when a watcher last looked, and what it saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models import Heartbeat

if TYPE_CHECKING:
    from datetime import datetime

    from ctr_platform.settings import Settings

SUPERVISOR: Final = "supervisor"
"""Of the Flink job: the sensor `keep_job_running`."""

WATCHDOG: Final = "watchdog"
"""Of the supervisor."""


@dataclass(frozen=True, kw_only=True)
class Beat:
    """The last heartbeat of a watcher."""

    at: datetime
    age_s: float
    """By Postgres' clock, as `at`."""

    detail: str
    """What it saw, in one line."""


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


def last_beats(settings: Settings) -> dict[str, Beat]:
    """Every watcher's last heartbeat, by name.

    Raises:
        WarehouseUnavailable: Postgres is away.
    """
    engine = writing_engine(settings.postgres_url, "ctr-heartbeats")
    age = func.extract("epoch", func.now() - Heartbeat.beat_at)
    query = select(Heartbeat.name, Heartbeat.beat_at, age, Heartbeat.detail).order_by(Heartbeat.name)
    with warehouse_errors(settings.postgres_url), engine.connect() as connection:
        rows = connection.execute(query)
        return {name: Beat(at=at, age_s=float(age_s), detail=detail) for name, at, age_s, detail in rows}
