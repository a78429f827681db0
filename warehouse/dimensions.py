"""Columns of the stream's dimensions, by which windows are split: the same wherever they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Integer

from warehouse.models import Counts1Min

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.types import TypeEngine

TYPES: Final[Mapping[str, TypeEngine[Any]]] = {
    each.name: each.type for each in Counts1Min.__table__.primary_key if each.name != "window_start"
}
"""By column, in their order: an integer or text."""

DIMENSIONS: Final = tuple(TYPES)

OTHER: Final[tuple[Any, ...]] = tuple(-1 if isinstance(each, Integer) else "other" for each in TYPES.values())
"""Values of the one segment that all are counted as which have no name of their own."""


def identifiers() -> dict[str, str]:
    """What stands in SQL files for the dimensions.

    `${dimensions}` is their columns, `${is_other}` true of the segment `OTHER`, `${most_values_in}` names
    the one with most distinct values in a group.
    """
    columns = [f'"{each}"' for each in DIMENSIONS]
    others = (
        f"{column} = {other}" if isinstance(other, int) else f"{column} = '{other}'"
        for column, other in zip(columns, OTHER, strict=True)
    )
    distinct = [f"count(DISTINCT {each})" for each in columns]
    most = f"greatest({', '.join(distinct)})"
    cases = (f"WHEN {count} = {most} THEN '{name}'" for count, name in zip(distinct, DIMENSIONS, strict=True))
    return {
        "dimensions": ", ".join(columns),
        "is_other": " AND ".join(others),
        "most_values_in": f"CASE {' '.join(cases)} END",
    }
