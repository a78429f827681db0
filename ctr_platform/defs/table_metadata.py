"""What the page of a table's asset shows of it: name and columns, as Dagster's own fields."""

from typing import Any, Final

import dagster as dg
from sqlalchemy import FromClause

from warehouse.columns import COLUMNS, postgres_type
from warehouse.models import Base
from warehouse.views import CONSERVATION, COUNTED, METRICS, SEGMENTS, WINDOW_ACCURACY

_VIEWS: Final = (
    CONSERVATION,
    WINDOW_ACCURACY,
    *METRICS.values(),
    *SEGMENTS.values(),
    *COUNTED.values(),
)


def table_metadata(name: str) -> dict[str, Any]:
    """Metadata of a table or view of the warehouse.

    Args:
        name: with its schema, such as `realtime.counts_1min`.
    """
    relations: dict[str, FromClause] = {
        **Base.metadata.tables,
        **{f"{view.schema}.{view.name}": view for view in _VIEWS},
    }
    columns = [
        dg.TableColumn(
            column.name,
            postgres_type(column),
            description=COLUMNS.get(column.name),
        )
        for column in relations[name].columns
    ]
    return {"dagster/table_name": name, "dagster/column_schema": dg.TableSchema(columns)}
