"""What every figure has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import plotly.graph_objects as go

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plotly.basedatatypes import BaseTraceType

    from dashboard.user_context.formatting import UserContext

KEEP_VIEW: Final = "keep"
"""The same at every refresh: Plotly keeps the reader's zoom while the figures move on."""

TITLE_STANDOFF_PX: Final = 10
"""Keeps an axis' title clear of its ticks' labels."""

PATTERNS: Final = ("", "/", "x", ".")
"""Bars beside each other differ by pattern too: nobody has to go by colour alone."""

DASHES: Final = ("solid", "dash", "dot", "dashdot")
"""Lines differ by their dashes, for the same reason."""


def figure(user: UserContext, traces: Sequence[BaseTraceType], **layout: Any) -> go.Figure:
    """Put traces into a figure that leaves its colours to the theme and keeps the reader's zoom.

    Built at once: each later change of a figure makes Plotly check and copy much of it again.
    """
    return go.Figure(
        traces,
        {
            "template": "none",
            "uirevision": KEEP_VIEW,
            "separators": user.separators,
            "margin": {"l": 0, "r": 0, "t": 8, "b": 0},
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            **layout,
        },
    )


def axis(title: str, **more: Any) -> dict[str, Any]:
    """Describe an axis with its title; the title names the unit."""
    return {"title": {"text": title, "standoff": TITLE_STANDOFF_PX}, **more}


def time_axis(user: UserContext, **more: Any) -> dict[str, Any]:
    """Describe an axis of the reader's wall clock, which labels dates where they matter."""
    return axis(
        user.t("Window start, {zone}", zone=user.zone_name),
        type="date",
        showgrid=False,
        tickformatstops=[
            {"dtickrange": [None, 60_000], "value": "%H:%M:%S"},
            {"dtickrange": [60_000, 86_400_000], "value": "%H:%M\n%m-%d"},
            {"dtickrange": [86_400_000, None], "value": "%m-%d"},
        ],
        **more,
    )
