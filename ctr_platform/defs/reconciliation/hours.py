"""Which hours a pass verifies: what may have changed at once, the rest of the last day in turn."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from ctr_platform.defs.reconciliation.verify import HOUR, hour_of
from warehouse.models.recount import RecountHour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlalchemy import Connection

IN_TURN_WITHIN_S: Final = 10.0
"""A pass is made each minute, and has to read as well. A day of a few hundred segments takes seconds."""

NEWEST_HOURS: Final = 2
"""Always looked at: their windows close, and who falsifies one looks at these."""


def latest_hours(now: datetime, number: int) -> list[datetime]:
    """So many hours, the newest first; the next one a minute before it begins."""
    newest = hour_of(now + timedelta(minutes=1))
    return [newest - back * HOUR for back in range(number)]


def in_turn(connection: Connection, hours: list[datetime]) -> list[datetime]:
    """Those that were looked at longest ago first; among equals the newest."""
    table = RecountHour.__table__.c
    rows = connection.execute(select(table.hour, table.looked_at).where(table.hour.in_(hours)))
    looked = {row.hour: row.looked_at.timestamp() for row in rows}
    return sorted(hours, key=lambda hour: (looked.get(hour, 0.0), -hour.timestamp()))


def until_time_is_up(
    hours: list[datetime], within_s: float = IN_TURN_WITHIN_S, clock: Callable[[], float] = time.monotonic
) -> Iterator[datetime]:
    """As many of the hours as there is time for, one at least."""
    began = clock()
    for number, hour in enumerate(hours):
        if number and clock() - began >= within_s:
            return
        yield hour


def note_looked(connection: Connection, hours: set[datetime], oldest: datetime) -> None:
    """Put on record that these were looked at; forget those before `oldest`."""
    connection.execute(delete(RecountHour).where(RecountHour.hour < oldest))
    if rows := [{"hour": hour} for hour in sorted(hours) if hour >= oldest]:
        adding = insert(RecountHour)
        connection.execute(
            adding.on_conflict_do_update(index_elements=["hour"], set_={"looked_at": func.now()}), rows
        )
