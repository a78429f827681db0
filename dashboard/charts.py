"""Plotly figures of windows. Colours are the theme's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import plotly.graph_objects as go

from dashboard.board import WINDOWS_SHOWN
from dashboard.wording import count, rate, span
from warehouse.windows import WINDOW_MINUTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.board import ShownWindow
    from dashboard.breakdown import Part
    from warehouse.windows import WindowType

OPEN_OPACITY: Final = 0.45
"""Of an open window's bar, which is hatched too: what may still grow looks unfinished."""

BAR_SHARE: Final = 0.8
"""Of a window's length that its bar is wide."""

LABEL_ROOM: Final = 1.5
"""Width of the longest bar and its label, by the bar's."""

TITLE_STANDOFF_PX: Final = 10

KEEP_VIEW: Final = "keep"
"""The same at every refresh: Plotly keeps the reader's zoom while the figures move on."""


def windows_figure(windows: Sequence[ShownWindow], window_type: WindowType) -> go.Figure:
    """Impressions as bars and CTR as a line, by window.

    Args:
        windows: at least one, the newest first; those of the last `WINDOWS_SHOWN` lengths are drawn.
        window_type: of all of them.
    """
    length = timedelta(minutes=WINDOW_MINUTES[window_type])
    newest = windows[0].window.start
    oldest = newest - (WINDOWS_SHOWN - 1) * length
    drawn = [shown for shown in reversed(windows) if shown.window.start >= oldest]
    middles = [shown.window.start + length / 2 for shown in drawn]
    titles = [f"{span(shown.window)} UTC, {'final' if shown.final else 'open'}" for shown in drawn]
    figure = go.Figure(layout={"template": "none"})
    figure.add_bar(
        name="Impressions",
        x=middles,
        y=[shown.window.impressions for shown in drawn],
        width=BAR_SHARE * length / timedelta(milliseconds=1),
        marker={
            "opacity": [1 if shown.final else OPEN_OPACITY for shown in drawn],
            "pattern": {
                "shape": ["" if shown.final else "/" for shown in drawn],
                "fillmode": "overlay",
            },
        },
        text=["" if shown.final else "open" for shown in drawn],
        textposition="outside",
        textangle=0,
        constraintext="none",
        cliponaxis=False,
        customdata=[[title, shown.window.clicks] for title, shown in zip(titles, drawn, strict=True)],
        hovertemplate="%{customdata[0]}<br>%{y:,} impressions, %{customdata[1]:,} clicks<extra></extra>",
    )
    figure.add_scatter(
        name="CTR",
        x=middles,
        y=[shown.window.ctr for shown in drawn],
        yaxis="y2",
        mode="lines+markers",
        line={"width": 2},
        marker={"size": 7, "symbol": ["circle" if shown.final else "circle-open" for shown in drawn]},
        customdata=titles,
        hovertemplate="%{customdata}<br>CTR %{y:.2f}%<extra></extra>",
    )
    figure.update_layout(
        uirevision=KEEP_VIEW,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        xaxis={
            "title": _title("Window start, UTC"),
            "tickformat": "%H:%M",
            "showgrid": False,
            # Not a range of our own: that would take a zoom back whenever the windows move on.
            "autorangeoptions": {"include": [oldest, newest + length]},
        },
        yaxis={"title": _title("Impressions"), "rangemode": "tozero", "tickformat": "~s"},
        yaxis2={
            "title": _title("CTR"),
            "overlaying": "y",
            "side": "right",
            "rangemode": "tozero",
            "ticksuffix": "%",
            "showgrid": False,
            # Round numbers of its own, rather than whatever lies at the left axis' ticks.
            "tickmode": "auto",
        },
    )
    return figure


def _title(text: str) -> dict[str, object]:
    """Write an axis' title clear of its ticks' labels."""
    return {"text": text, "standoff": TITLE_STANDOFF_PX}


def parts_figure(parts: Sequence[Part]) -> go.Figure:
    """Impressions of a window's parts as bars, each with its CTR."""
    figure = go.Figure(layout={"template": "none"})
    figure.add_bar(
        orientation="h",
        y=[part.label for part in parts],
        x=[part.impressions for part in parts],
        text=[f"{count(part.impressions)} · {rate(part.ctr)}" for part in parts],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    figure.update_layout(
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        # Every bar carries its figures; the room beside the longest one is for them.
        xaxis={
            "visible": False,
            "fixedrange": True,
            "range": [0, LABEL_ROOM * max(part.impressions for part in parts)],
        },
        # Labels such as "1" are names, not numbers.
        yaxis={
            "type": "category",
            "autorange": "reversed",
            "fixedrange": True,
            "showgrid": False,
            "ticksuffix": " ",
        },
    )
    return figure
