"""What values of dimensions are called: a declaration's files of names, as rows that readers find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import Text, any_, cast, delete, func, inspect, not_
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.sql import column, select

from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.base import REALTIME
from warehouse.models.stream import DimensionNameRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import URL, Connection

NUL: Final = "\0"
"""Postgres takes no text with it, so no value has it."""


def keep_names(url: URL, names: Mapping[str, Mapping[str, str]]) -> int:
    """Make the names of each of these dimensions those of its file, in one transaction.

    A dimension that is not here keeps the names that others have written. Safe to call at any time, from
    several processes at once. While the migration that makes the table waits for a cutover, nothing is done.

    Args:
        url: of the database.
        names: by the dimension's column, names of its values.

    Returns:
        How many names were added, changed or removed.

    Raises:
        WarehouseUnavailable: Postgres does not answer.
    """
    with warehouse_errors(url), writing_engine(url, "ctr-names").begin() as connection:
        if not inspect(connection).has_table(DimensionNameRow.__tablename__, schema=REALTIME):
            return 0
        return sum(_keep(connection, dimension, names[dimension]) for dimension in sorted(names))


def _keep(connection: Connection, dimension: str, names: Mapping[str, str]) -> int:
    rows = {value: name.replace(NUL, "\ufffd") for value, name in sorted(names.items()) if NUL not in value}
    values, titles = (cast(list(each), ARRAY(Text)) for each in (rows, rows.values()))
    removed = connection.execute(
        delete(DimensionNameRow).where(
            DimensionNameRow.dimension == dimension, not_(DimensionNameRow.value == any_(values))
        )
    )
    new = func.unnest(values, titles).table_valued(column("value", Text), column("name", Text))
    new = new.render_derived()
    added = insert(DimensionNameRow).from_select(
        ["dimension", "value", "name"],
        select(cast(dimension, Text), new.c.value, new.c.name),
    )
    written = connection.execute(
        added.on_conflict_do_update(
            index_elements=[DimensionNameRow.dimension, DimensionNameRow.value],
            set_={"name": added.excluded.name},
            where=DimensionNameRow.name != added.excluded.name,
        )
    )
    return removed.rowcount + written.rowcount
