"""Segments of a window or a span: by one dimension as bars, by two as a heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import plotly.graph_objects as go

from dashboard.charts.style import axis, figure
from dashboard.view_models.labels import chart_label, chart_text, plain
from dashboard.view_models.selection import rate_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dashboard.user_context.dimensions import ShownDimension
    from dashboard.user_context.formatting import UserContext
    from dashboard.view_models.breakdown import Cell, Part

LABEL_ROOM: Final = 2.4
"""Width of the longest bar and its label, by the bar's."""

FEW: Final = 30
"""A rate of fewer impressions says little: such fields of the heat map carry no colour."""


def part_label(user: UserContext, dimension: ShownDimension, part: Part) -> str:
    """Name a part of a dimension: by its value, or by how many small ones it sums."""
    return plain(dimension.name(part.label)) if part.label else user.t("{number} more", number=part.values)


def parts_figure(user: UserContext, dimension: ShownDimension, parts: Sequence[Part]) -> go.Figure:
    """Impressions of a window's parts as bars, each with its CTR and how its share moved.

    Args:
        user: who reads it.
        dimension: whose values the parts are.
        parts: the largest first.
    """
    more = [user.t("{number} more", number=part.values) for part in parts]
    bars = go.Bar(
        orientation="h",
        # As they are: two may look alike. What is shown of them is the axis' text and the hover text.
        y=[part.label for part in parts],
        customdata=[
            chart_text(dimension.named(part.label)) if part.label else summed
            for part, summed in zip(parts, more, strict=True)
        ],
        x=[part.impressions for part in parts],
        text=[_figures(user, part) for part in parts],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{customdata}: %{text}<extra></extra>",
    )
    return figure(
        user,
        [bars],
        # Every bar carries its figures; the room beside the longest one is for them.
        xaxis={
            "visible": False,
            "fixedrange": True,
            "range": [0, LABEL_ROOM * max(1, *(part.impressions for part in parts))],
        },
        # Labels such as "1" are names, not numbers.
        yaxis={
            "type": "category",
            "autorange": "reversed",
            "fixedrange": True,
            "showgrid": False,
            "tickvals": [part.label for part in parts],
            "ticktext": [
                f"{chart_label(dimension.name(part.label)) if part.label else summed} "
                for part, summed in zip(parts, more, strict=True)
            ],
        },
    )


def _figures(user: UserContext, part: Part) -> str:
    figures = [user.count(part.impressions), user.rate(part.ctr)]
    if part.share_before is not None:
        moved = round(part.share - part.share_before, 2)
        arrow = "▲" if moved > 0 else "▼" if moved < 0 else "="
        figures.append(f"{arrow}{user.hundredths(abs(moved))}")
    return " · ".join(figures)


def heat_figure(
    user: UserContext, cells: Sequence[Cell], dimensions: tuple[ShownDimension, ShownDimension]
) -> go.Figure:
    """CTR by two dimensions, rows and columns: the colour is the rate, the text the impressions behind it."""
    rows = _by_size((cell.row, cell.impressions) for cell in cells)
    columns = _by_size((cell.column, cell.impressions) for cell in cells)
    found = {(cell.row, cell.column): cell for cell in cells}
    grid = [[found.get((row, column)) for column in columns] for row in rows]
    of_rows, of_columns = dimensions
    across, down = (
        [chart_text(each.named_value(user, value)) for value in values]
        for each, values in ((of_columns, columns), (of_rows, rows))
    )
    heat = go.Heatmap(
        x=columns,
        y=rows,
        z=[
            [
                rate_of(cell.clicks, cell.impressions) if cell and cell.impressions >= FEW else None
                for cell in row
            ]
            for row in grid
        ],
        text=[[_cell_text(user, cell) for cell in row] for row in grid],
        texttemplate="%{text}",
        customdata=[[f"{row}, {column}" for column in across] for row in down],
        hovertemplate="%{customdata}: %{text}<extra></extra>",
        hoverongaps=False,
        autocolorscale=True,
        zmin=0,
        xgap=2,
        ygap=2,
        colorbar={"title": {"text": user.t("CTR, %"), "side": "right"}, "thickness": 12},
    )
    return figure(
        user,
        [heat],
        xaxis=axis(
            "",
            type="category",
            fixedrange=True,
            showgrid=False,
            tickvals=columns,
            ticktext=[chart_label(of_columns.value(user, column)) for column in columns],
        ),
        yaxis=axis(
            "",
            type="category",
            fixedrange=True,
            showgrid=False,
            autorange="reversed",
            tickvals=rows,
            ticktext=[chart_label(of_rows.value(user, row)) for row in rows],
        ),
    )


def _by_size(sized: Iterable[tuple[str, int]]) -> list[str]:
    sums: dict[str, int] = {}
    for name, size in sized:
        sums[name] = sums.get(name, 0) + size
    return sorted(sums, key=lambda name: (-sums[name], name))


def _cell_text(user: UserContext, cell: Cell | None) -> str:
    if cell is None or not cell.impressions:
        return ""
    return f"{user.rate(rate_of(cell.clicks, cell.impressions))}<br>{user.count(cell.impressions)}"
