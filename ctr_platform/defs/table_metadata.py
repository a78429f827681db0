"""What the page of a table's asset shows of it: name and columns, as Dagster's own fields."""

from collections.abc import Mapping
from typing import Any, Final

import dagster as dg
from sqlalchemy import FromClause

from warehouse.columns import COLUMNS, postgres_type
from warehouse.models.base import Base
from warehouse.stream_tables import StreamTables
from warehouse.views import CONSERVATION, WINDOW_ACCURACY

_VIEWS: Final = (CONSERVATION, WINDOW_ACCURACY)


def table_metadata(name: str) -> dict[str, Any]:
    """Metadata of a table or view that is the same for every stream.

    Args:
        name: with its schema, such as `quality.ledger`.
    """
    relations: dict[str, FromClause] = {**Base.metadata.tables}
    relations |= {f"{view.schema}.{view.name}": view for view in _VIEWS}
    return _metadata(name, relations[name], COLUMNS)


def stream_table_metadata(tables: StreamTables, name: str) -> dict[str, Any]:
    """Metadata of a table or view whose columns the stream declares."""
    relations: dict[str, FromClause] = {table.fullname: table for table in tables.all_tables}
    relations |= {f"{view.schema}.{view.name}": view for _, view in tables.all_views}
    return _metadata(name, relations[name], {**COLUMNS, **tables.described})


def _metadata(name: str, relation: FromClause, described: Mapping[str, str]) -> dict[str, Any]:
    columns = [
        dg.TableColumn(column.name, postgres_type(column), description=described.get(column.name))
        for column in relation.columns
    ]
    return {"dagster/table_name": name, "dagster/column_schema": dg.TableSchema(columns)}
