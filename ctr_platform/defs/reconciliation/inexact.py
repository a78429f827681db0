"""Windows that are not exact: an error until they are, or until a person has acknowledged them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, delete, exists, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from contract.errors import UsageError
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.recount import InexactWindow, WindowVerification

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from contract.settings import Settings

EXACT: Final = Decimal(100)
"""Accuracy of a window whose every segment equals its recount."""

MAX_LEAST_ACCURATE: Final = 20
"""As many are named; more say no more."""

MAX_OPEN_HOURS: Final = 24
"""So many hours with windows that are not exact are looked at in each pass, whatever their age."""


@dataclass(frozen=True, kw_only=True)
class LeastAccurateWindow:
    """A window that is not what it must be."""

    window_type: str
    window_start: datetime
    accuracy: Decimal
    expected_impressions: int
    actual_impressions: int
    expected_clicks: int
    actual_clicks: int


@dataclass(frozen=True, kw_only=True)
class OpenWindows:
    """The windows that are not exact, and that nobody has acknowledged."""

    number: int
    lowest_accuracy: Decimal
    """100 where there is none."""

    least_accurate: list[LeastAccurateWindow]
    """At most `MAX_LEAST_ACCURATE`, the least accurate first."""


def note_changed(connection: Connection) -> None:
    """Take over the results that are new in this transaction: other figures are not those acknowledged."""
    inexact, history = InexactWindow.__table__, WindowVerification.__table__
    new = history.c.checked_at == func.now()
    key = "window_type", "window_start"
    same = and_(*(history.c[name] == inexact.c[name] for name in key))
    connection.execute(delete(InexactWindow).where(exists().where(new, same, history.c.accuracy == EXACT)))
    taken = [name.name for name in fields(LeastAccurateWindow)]
    adding = insert(InexactWindow).from_select(
        taken, select(*(history.c[name] for name in taken)).where(new, history.c.accuracy < EXACT)
    )
    changed = {name: adding.excluded[name] for name in taken if name not in key}
    connection.execute(
        adding.on_conflict_do_update(
            index_elements=key, set_={**changed, "acknowledged_at": None, "why": None}
        )
    )


def open_windows(connection: Connection) -> OpenWindows:
    """Read them; as many as there are wrong windows, however long the history is."""
    table = InexactWindow.__table__.c
    number, lowest = connection.execute(
        select(func.count(), func.coalesce(func.min(table.accuracy), EXACT)).where(
            table.acknowledged_at.is_(None)
        )
    ).one()
    worst = connection.execute(
        select(*(table[each.name] for each in fields(LeastAccurateWindow)))
        .where(table.acknowledged_at.is_(None))
        .order_by(table.accuracy, table.window_start.desc(), table.window_type)
        .limit(MAX_LEAST_ACCURATE)
    ).mappings()
    return OpenWindows(
        number=number, lowest_accuracy=lowest, least_accurate=[LeastAccurateWindow(**row) for row in worst]
    )


def open_hours(connection: Connection) -> set[datetime]:
    """The newest hours with such windows: each pass looks whether somebody has mended them."""
    hour = func.date_trunc("hour", InexactWindow.window_start, "UTC")
    query = select(hour).where(InexactWindow.acknowledged_at.is_(None)).distinct()
    return set(connection.scalars(query.order_by(hour.desc()).limit(MAX_OPEN_HOURS)))


def acknowledge(
    settings: Settings, first: datetime, last: datetime, *, why: str, dry_run: bool
) -> list[LeastAccurateWindow]:
    """Accept that windows are not exact: they are no error any more, until their figures change.

    Args:
        settings: where the warehouse is.
        first: windows that start at or after this ...
        last: ... and at or before this.
        why: for those who look at these windows later.
        dry_run: change nothing.

    Returns:
        The windows, the earliest first.

    Raises:
        UsageError: none of them is an error, or there is no reason.
        WarehouseUnavailable: Postgres does not answer.
    """
    if not why.strip():
        raise UsageError("say why these windows may stay as they are")
    table = InexactWindow.__table__
    chosen = and_(table.c.acknowledged_at.is_(None), table.c.window_start.between(first, last))
    engine = writing_engine(settings.postgres_url, "ctr-acknowledge")
    with warehouse_errors(settings.postgres_url), engine.begin() as connection:
        found = connection.execute(
            select(*(table.c[each.name] for each in fields(LeastAccurateWindow)))
            .where(chosen)
            .order_by(table.c.window_start, table.c.window_type)
            .with_for_update()
        ).mappings()
        windows = [LeastAccurateWindow(**row) for row in found]
        if not windows:
            raise UsageError(
                f"no window that starts between {first:%F %H:%MZ} and {last:%F %H:%MZ} is an error"
            )
        if not dry_run:
            keys = [(each.window_type, each.window_start) for each in windows]
            connection.execute(
                update(InexactWindow)
                .where(tuple_(table.c.window_type, table.c.window_start).in_(keys))
                .values(acknowledged_at=func.now(), why=why.strip())
            )
    return windows
