"""The page of the warehouse's tables and views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.stream.load import shipped_stream
from scripts.reference.docstrings import attribute_docstrings
from scripts.reference.markdown import code, described, page, table
from warehouse import views
from warehouse.columns import COLUMNS, postgres_type
from warehouse.models.accounting import LedgerRow
from warehouse.models.base import Base
from warehouse.stream_tables import ABOUT, StreamTables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import ColumnElement, FromClause, TableClause
    from sqlalchemy.orm import DeclarativeBase


def warehouse_page(base: type[DeclarativeBase] = Base) -> str:
    """Every table and view of Postgres with its columns."""
    tables = sorted((_table_section(each.class_) for each in base.registry.mappers), key=lambda part: part[0])
    declared = StreamTables.of(shipped_stream())
    tables = sorted([*tables, *_stream_tables(declared)], key=lambda part: part[0])
    shown = sorted([*view_sections(), *_stream_views(declared)], key=lambda part: part[0])
    return page(
        "Warehouse",
        "`models`, `stream_tables.py`, `views.py` and `columns.py` of `warehouse`",
        "Database `POSTGRES_DB`. Times are `timestamptz`. Other systems may read every table and view; the "
        "platform alone writes them. The dimensions' columns are those of the stream that ships; another "
        "declaration has its own.\n",
        "## Tables\n",
        *(text for _, text in tables),
        "## Views\n",
        *(text for _, text in shown),
    )


def view_sections() -> list[tuple[str, str]]:
    """Name and section of every view of `warehouse/views.py`."""
    documented = attribute_docstrings(views)
    sections = []
    for variable, value in vars(views).items():
        if variable.isupper() and variable in documented:
            found: Iterable[TableClause] = value.values() if isinstance(value, dict) else [value]
            own = _own_docs(LedgerRow) if variable == "LEDGER_CURRENT" else {}
            sections += [_section(_name(view), documented[variable], view.columns, own) for view in found]
    return sections


def _stream_tables(tables: StreamTables) -> list[tuple[str, str]]:
    """Name and section of every table whose columns a stream declares."""
    return [
        _section(
            each.fullname,
            each.info["about"],
            each.columns,
            tables.described | {column.name: column.doc for column in each.columns if column.doc},
        )
        for each in tables.all_tables
    ]


def _stream_views(tables: StreamTables) -> list[tuple[str, str]]:
    return [
        _section(_name(view), ABOUT[kind], view.columns, tables.described) for kind, view in tables.all_views
    ]


def _table_section(model: type[DeclarativeBase]) -> tuple[str, str]:
    source = model.__table__
    return _section(_name(source), model.__doc__, source.columns, _own_docs(model))


def _own_docs(model: type[DeclarativeBase]) -> Mapping[str, str]:
    return attribute_docstrings(model)


def _name(source: FromClause) -> str:
    return f"{getattr(source, 'schema', '')}.{getattr(source, 'name', '')}"


def _section(
    name: str, description: str | None, columns: Iterable[ColumnElement[object]], own: Mapping[str, str]
) -> tuple[str, str]:
    described(name, description)
    rows = [_row(name, column, own) for column in columns]
    text = (description or "").strip()
    paragraphs = "\n\n".join(" ".join(each.split()) for each in text.split("\n\n"))
    return name, f"### {name}\n\n{paragraphs}\n\n{table(('column', 'type', 'meaning'), rows)}"


def _row(name: str, column: ColumnElement[object], own: Mapping[str, str]) -> tuple[str, str, str]:
    column_name = str(getattr(column, "name", ""))
    marks = [
        *(["key"] if getattr(column, "primary_key", False) else []),
        *(["may be NULL"] if getattr(column, "nullable", False) and own else []),
    ]
    meaning = described(f"{name}.{column_name}", own.get(column_name) or COLUMNS.get(column_name))
    return code(column_name), ", ".join([postgres_type(column), *marks]), meaning
