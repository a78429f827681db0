"""What stands in SQL files for the columns that a stream declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from warehouse.stream_tables import StreamTables


def identifiers(tables: StreamTables) -> dict[str, str]:
    """What stands in SQL files for the dimensions, and for what is summed besides impressions and clicks.

    `${dimensions}` is their columns, `${is_other}` true of the segment `other`, `${most_values_in}` names
    the one with most distinct values in a group. `${more}` is the columns of further sums, each with a
    comma before it, `${more_sums}` their sums, `${less}` their negatives, `${no_more}` as many zeros;
    `${or_more}` says that a sum of them is not 0, `${more_off}` is by how much two joined relations,
    `actual` and `expected`, differ in them, as shares of what is expected, and `${errors}` these shares;
    `${own_more}` and `${minutes_more}` are the columns of relations of these names.
    """
    sums = [f'"{each}"' for each in tables.sums]
    names = [f'"{each}"' for each in tables.dimensions]
    others = (
        f"{name} = {each.other}" if each.is_number else f"{name} = '{each.other}'"
        for name, each in zip(names, tables.columns, strict=True)
    )
    distinct = [f"count(DISTINCT {each})" for each in names]
    most = f"greatest({', '.join(distinct)})"
    cases = (
        f"WHEN {count} = {most} THEN '{name}'"
        for count, name in zip(distinct, tables.dimensions, strict=True)
    )
    return {
        "dimensions": ", ".join(names),
        "is_other": " AND ".join(others),
        "most_values_in": f"CASE {' '.join(cases)} END",
        "more": _each(", {}", sums),
        "more_sums": _each(", sum({0})::bigint AS {0}", sums),
        "less": _each(", -{}", sums),
        "no_more": _each(", 0", sums),
        "or_more": _each(" OR sum({}) <> 0", sums),
        "more_off": "".join(
            f", sum(abs(coalesce(actual.{each}, 0) - coalesce(expected.{each}, 0)))"
            f" / greatest(1, sum(abs(coalesce(expected.{each}, 0)))) AS error_{number}"
            for number, each in enumerate(sums)
        ),
        "errors": "".join(f", error_{number}" for number in range(len(sums))),
        "own_more": _each(", own.{}", sums),
        "minutes_more": _each(", minutes.{}", sums),
    }


def _each(pattern: str, names: Iterable[str]) -> str:
    return "".join(pattern.format(each) for each in names)
