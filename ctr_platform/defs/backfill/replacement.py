"""Recomputed windows take the place of the warehouse's: exactly the chosen ones, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    MetaData,
    Table,
    Text,
    and_,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql

from warehouse.models.corrections import BackfillRow
from warehouse.models.recount import RecountPending
from warehouse.revisions import revise
from warehouse.stream_sql import identifiers
from warehouse.streams import counted_stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, Connection, Select
    from sqlalchemy.types import TypeEngine

    from ctr_platform.defs.backfill.hours import HourRange
    from warehouse.stream_tables import StreamTables
    from warehouse.streams import CountedStream

RECOMPUTED: Final = Path(__file__).with_name("sql") / "recomputed.sql"


def _types(tables: StreamTables) -> dict[str, TypeEngine[Any]]:
    """Columns of a recomputed segment."""
    return {
        "window_type": Text(),
        "window_start": DateTime(timezone=True),
        "window_end": DateTime(timezone=True),
        **{each.name: each.type for each in tables.columns},
        **dict.fromkeys(tables.figures, BigInteger()),
    }


def _key(tables: StreamTables) -> tuple[str, ...]:
    return ("window_type", "window_start", *tables.dimensions)


def _as_counted(counted: CountedStream) -> str:
    """The columns of the dimensions, in windows from before there was one with nothing in it."""
    columns = []
    for each in counted.tables.columns:
        nothing = str(each.unknown) if each.is_number else "'" + str(each.unknown).replace("'", "''") + "'"
        since = counted.since.get(each.name)
        columns.append(
            f'"{each.name}"'
            if since is None
            else f"CASE WHEN window_start < '{since.isoformat()}' THEN {nothing} ELSE \"{each.name}\" END"
            f' AS "{each.name}"'
        )
    return ", ".join(columns)


def _temporary(name: str, types: Mapping[str, TypeEngine[Any]]) -> Table:
    """Table of one transaction."""
    return Table(
        name,
        MetaData(),
        *(Column(each, kind, nullable=True) for each, kind in types.items()),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )


@dataclass(frozen=True, kw_only=True)
class Replacement:
    """Rows of counts."""

    deleted: int
    inserted: int
    changed: int
    """Rows that were missing, too many, or wrong."""

    windows_changed: int


def replace_windows(connection: Connection, repair_id: str, topic: str, hour_range: HourRange) -> Replacement:
    """Replace the windows of the chosen hours by those that were staged; the caller commits.

    Args:
        connection: in a transaction.
        repair_id: of the staged rows, which are deleted.
        topic: of the records that the recount knows to be late after idleness.
        hour_range: windows that start in it are replaced, and no other.
    """
    counted = counted_stream(connection)
    tables = counted.tables
    types, key = _types(tables), _key(tables)
    recomputed = _temporary("recomputed", types)
    differing = _temporary("differing", {each: types[each] for each in key})
    for table in (recomputed, differing):
        table.create(connection)
    statement = Template(RECOMPUTED.read_text(encoding="utf-8")).substitute(
        identifiers(tables), as_counted=_as_counted(counted)
    )
    staged = text(statement).bindparams(
        repair_id=repair_id, topic=topic, first=hour_range.first, last=hour_range.last
    )
    connection.execute(
        insert(recomputed).from_select(
            [*types], staged.columns(*(Column(name, kind) for name, kind in types.items()))
        )
    )
    connection.execute(insert(differing).from_select([*key], _differences(tables, recomputed, hour_range)))
    deleted, inserted = _replace(connection, tables, recomputed, hour_range)
    _announce(connection, differing)
    changed, windows = connection.execute(
        select(
            func.count(),
            func.count(func.distinct(func.row(differing.c.window_type, differing.c.window_start))),
        ).select_from(differing)
    ).one()
    connection.execute(delete(tables.repair_counts).where(tables.repair_counts.c.repair_id == repair_id))
    connection.execute(
        update(BackfillRow)
        .where(BackfillRow.repair_id == repair_id)
        .values(applied_at=func.now(), rows_deleted=deleted, rows_inserted=inserted, rows_changed=changed)
    )
    return Replacement(deleted=deleted, inserted=inserted, changed=changed, windows_changed=windows)


def _differences(tables: StreamTables, recomputed: Table, hour_range: HourRange) -> Select[Any]:
    """Keys of the rows that are held and recomputed differently, or only one of both."""
    key = _key(tables)
    held = union_all(
        *(
            select(
                literal(window_type).label("window_type"),
                *(counts.c[name] for name in (*key[1:], *tables.figures)),
            ).where(_within(counts, hour_range))
            for window_type, counts in tables.counts.items()
        )
    ).subquery("held")
    same = and_(*(held.c[name] == recomputed.c[name] for name in key))
    return (
        select(*(func.coalesce(held.c[name], recomputed.c[name]) for name in key))
        .select_from(held.join(recomputed, same, full=True))
        .where(or_(*(held.c[name].is_distinct_from(recomputed.c[name]) for name in tables.figures)))
    )


def _replace(
    connection: Connection, tables: StreamTables, recomputed: Table, hour_range: HourRange
) -> tuple[int, int]:
    """Return how many rows went, and how many came."""
    deleted = inserted = 0
    for window_type, counts in tables.counts.items():
        deleted += connection.execute(delete(counts).where(_within(counts, hour_range))).rowcount
        names = [name for name in _types(tables) if name != "window_type"]
        come = select(*(recomputed.c[name] for name in names)).where(recomputed.c.window_type == window_type)
        inserted += connection.execute(insert(counts).from_select(names, come)).rowcount
    return deleted, inserted


def _announce(connection: Connection, differing: Table) -> None:
    """Let the recount verify what changed, however long ago, and have its documents published again."""
    starts = select(differing.c.window_start).distinct()
    pending = postgresql.insert(RecountPending).from_select(["window_start"], starts)
    connection.execute(pending.on_conflict_do_nothing())
    connection.execute(revise(select(differing.c.window_type, differing.c.window_start).distinct()))


def _within(counts: Table, hour_range: HourRange) -> ColumnElement[bool]:
    return and_(counts.c.window_start >= hour_range.first, counts.c.window_start < hour_range.last)
