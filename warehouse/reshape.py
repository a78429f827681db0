"""Give the tables the columns of another declaration of their stream, with what they hold."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    Table,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
)

from warehouse.models.accounting import LedgerRow
from warehouse.models.operation import SubmittedJobRow
from warehouse.stream_sql import identifiers
from warehouse.windows import WINDOW_MINUTES

if TYPE_CHECKING:
    from collections.abc import Collection

    from warehouse.stream_columns import DimensionColumn
    from warehouse.stream_tables import StreamTables
    from warehouse.windows import Value

SQL: Final = Path(__file__).parent / "sql" / "stream"


def is_unused(connection: Connection, tables: StreamTables) -> bool:
    """Whether nothing was counted yet, and no job is there to do so."""
    holding = (SubmittedJobRow.__table__, LedgerRow.__table__, *tables.counts.values(), tables.recount_counts)
    return not any(connection.scalar(select(exists(select(each).limit(1)))) for each in holding)


def reshape(connection: Connection, before: StreamTables, after: StreamTables) -> None:
    """Change every table of the stream, and make its views anew.

    What was counted before there was a dimension has its `unknown` value in it; of a dimension that is gone,
    the values are summed. A further sum is 0 in what was counted before.
    """
    for view in ("metrics", "segments", "counted"):
        for window_type in WINDOW_MINUTES:
            _run(connection, f"DROP VIEW realtime.{view}_{window_type}")
    connection.execute(delete(before.repair_counts))
    for old, new in zip(before.all_tables, after.all_tables, strict=True):
        _reshape(connection, old, new, before, after)
    make_views(connection, after)


def make_views(connection: Connection, tables: StreamTables) -> None:
    """Make the views of a stream, which are not there."""
    for window_type in WINDOW_MINUTES:
        put_in = {
            "window_type": window_type,
            "length": f"{WINDOW_MINUTES[window_type]} minutes",
            "rates": ", ".join(_rates(each, window_type) for each in tables.columns),
            **identifiers(tables),
        }
        for view in ("counted", "segments", "metrics"):
            _run(connection, Template(_template(view)).substitute(put_in))


def _template(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def _rates(dimension: DimensionColumn, window_type: str) -> str:
    return Template(_template("rates")).substitute(
        dimension=f'"{dimension.name}"', rates_name=f'"{dimension.rates_name}"', window_type=window_type
    )


def _reshape(
    connection: Connection, old: Table, new: Table, before: StreamTables, after: StreamTables
) -> None:
    nothing = {each.name: each.unknown for each in after.columns} | dict.fromkeys(after.sums, 0)
    nothing = {each.name: each.nothing for each in after.kept} | nothing
    # A kept field that becomes a dimension may have another type: it is another column of the same name.
    added = [each for each in new.columns if not _same(connection, each, old)]
    removed = [each for each in old.columns if not _same(connection, each, new)]
    keyed = any(each.primary_key for each in (*added, *removed))
    held = _summed(connection, old, new, before.figures) if keyed and removed else None
    key = _quoted(connection, f"{new.name}_pkey")
    changes = [
        *([f"DROP CONSTRAINT {key}"] if keyed else []),
        *(f"DROP COLUMN {_quoted(connection, each.name)}" for each in removed),
        *(_added(connection, each, nothing[each.name]) for each in added),
    ]
    if not changes:
        return
    name = connection.dialect.identifier_preparer.format_table(new)
    _run(connection, f"ALTER TABLE {name} " + ", ".join(changes))
    for each in added:
        _run(connection, f"ALTER TABLE {name} ALTER COLUMN {_quoted(connection, each.name)} DROP DEFAULT")
    if held is not None:
        unknown = [literal(nothing[each.name], each.type).label(each.name) for each in added]
        names = [*(each.name for each in held.columns), *(each.name for each in added)]
        connection.execute(insert(new).from_select(names, select(*held.columns, *unknown)))
        held.drop(connection)
    if keyed:
        columns = ", ".join(_quoted(connection, each.name) for each in new.primary_key)
        _run(connection, f"ALTER TABLE {name} ADD CONSTRAINT {key} PRIMARY KEY ({columns})")


def _same(connection: Connection, column: Column[Any], table: Table) -> bool:
    """Whether a table has the same column."""
    found = table.columns.get(column.name)
    return found is not None and _kind(connection, found) == _kind(connection, column)


def _kind(connection: Connection, column: Column[Any]) -> str:
    return str(column.type.compile(dialect=connection.dialect))


def _summed(connection: Connection, old: Table, new: Table, figures: Collection[str]) -> Table:
    """Empty a table; returns one that holds its rows without what the new one lacks, as sums."""
    kept = [each for each in old.columns if each.name in new.columns]
    groups = [each for each in kept if each.name not in figures]
    rows = select(
        *groups, *(func.sum(each).cast(BigInteger).label(each.name) for each in kept if each.name in figures)
    ).group_by(*groups)
    held = Table(
        f"held_{old.name}",
        MetaData(),
        *(Column(each.name, each.type) for each in rows.selected_columns),
        prefixes=["TEMPORARY"],
    )
    held.create(connection)
    connection.execute(insert(held).from_select([each.name for each in held.columns], rows))
    connection.execute(delete(old))
    return held


def _added(connection: Connection, column: Column[Any], nothing: Value) -> str:
    value = literal(nothing, column.type).compile(
        dialect=connection.dialect, compile_kwargs={"literal_binds": True}
    )
    name, kind = _quoted(connection, column.name), _kind(connection, column)
    return f"ADD COLUMN {name} {kind} NOT NULL DEFAULT {value}"


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)


def _run(connection: Connection, statement: str) -> None:
    # Without parameters no `%` and no `:` of a value means anything.
    connection.execution_options(no_parameters=True).exec_driver_sql(statement)
