"""The job's metrics in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from dashboard.charts.style import DASHES, axis, figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dashboard.user_context.formatting import UserContext


def job_metrics_figure(
    user: UserContext,
    moments: Sequence[datetime],
    health_checks: Mapping[str, Sequence[float | None]],
    unit: str,
) -> go.Figure:
    """One or more signs of the same unit as lines; gaps where they were not measured.

    Args:
        user: who reads it.
        moments: when the job was looked at, the oldest first.
        health_checks: values by the sign's name, one for each moment.
        unit: title of the axis.
    """
    lines = [
        go.Scatter(
            name=name,
            x=[user.local(moment) for moment in moments],
            y=list(values),
            mode="lines",
            connectgaps=False,
            line={"width": 2, "dash": DASHES[number % len(DASHES)]},
            hovertemplate="%{x|%H:%M:%S} %{fullData.name}: %{y:,}<extra></extra>",
        )
        for number, (name, values) in enumerate(health_checks.items())
    ]
    return figure(
        user,
        lines,
        xaxis=axis(user.t("Looked at, {zone}", zone=user.zone_name), type="date", showgrid=False),
        yaxis=axis(unit, rangemode="tozero"),
        showlegend=len(health_checks) > 1,
    )
