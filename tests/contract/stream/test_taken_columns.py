"""No dimension or measure can have the column of something else, wherever it stands."""

from __future__ import annotations

from contract.names import DOCUMENT_FIELDS
from contract.stream.declaration import TAKEN_COLUMNS
from tests.support.tables import TABLES


def test_every_column_and_field_of_the_platforms_own_is_taken() -> None:
    views = (view for _, view in TABLES.all_views)
    found = {column.name for relation in (*TABLES.all_tables, *views) for column in relation.columns}
    declared = {
        *TABLES.dimensions,
        *(each.rates_name for each in TABLES.columns),
        *(each.name for each in TABLES.kept),
    }
    assert found | DOCUMENT_FIELDS.keys() <= TAKEN_COLUMNS | declared
