"""How exact the windows are, and what became of the records."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import plotly.graph_objects as go

from dashboard.charts.style import PATTERNS, axis, figure, time_axis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboard.user_context.formatting import UserContext
    from warehouse.quality_reads import OutcomeCounts, Verification

ON_EITHER_GROUND: Final = "#808080"
"""A shape takes no colour from the theme: a grey that is seen on a light and on a dark page."""

ROOM_BELOW: Final = 1.0
"""Percent under the least accurate window, so that a flat line of 100 % does not lie on the edge."""


def accuracy_figure(
    user: UserContext, verifications: Sequence[Verification], alarm_percent: float
) -> go.Figure:
    """Accuracy of each verified window; those that are not exact are marked.

    Args:
        user: who reads it.
        verifications: at least one, the newest first.
        alarm_percent: under it a window is an alarm; a dashed line.
    """
    exact = [each for each in reversed(verifications) if each.exact]
    inexact = [each for each in reversed(verifications) if not each.exact]
    lowest = min(alarm_percent, *(each.accuracy for each in verifications))
    return figure(
        user,
        [
            _marks(user, user.t("exact"), exact, symbol="circle", size=6),
            _marks(user, user.t("not exact"), inexact, symbol="x", size=11),
        ],
        shapes=[
            {
                "type": "line",
                "xref": "x domain",
                "x0": 0,
                "x1": 1,
                "y0": alarm_percent,
                "y1": alarm_percent,
                "line": {"dash": "dash", "width": 1, "color": ON_EITHER_GROUND},
                "label": {"text": user.t("alarm below"), "textposition": "end"},
            }
        ],
        xaxis=time_axis(user),
        yaxis=axis(
            user.t("Accuracy, %"),
            autorangeoptions={"include": [max(0.0, lowest - ROOM_BELOW), 100 + ROOM_BELOW / 4]},
        ),
        showlegend=True,
    )


def _marks(
    user: UserContext, name: str, verifications: Sequence[Verification], *, symbol: str, size: int
) -> go.Scatter:
    return go.Scatter(
        name=name,
        x=[user.local(each.window_start) for each in verifications],
        y=[each.accuracy for each in verifications],
        mode="markers",
        marker={"symbol": symbol, "size": size},
        customdata=[
            [
                f"{user.day(each.window_start)} {user.clock(each.window_start)}",
                user.count(each.actual_impressions),
                user.count(each.expected_impressions),
            ]
            for each in verifications
        ],
        hovertemplate=user.t(
            "{start}: {accuracy}<br>{actual} impressions, recounted {expected}",
            start="%{customdata[0]}",
            accuracy="%{y:.2f}%",
            actual="%{customdata[1]}",
            expected="%{customdata[2]}",
        )
        + "<extra></extra>",
    )


def refused_figure(user: UserContext, outcomes: Sequence[OutcomeCounts], bucket: timedelta) -> go.Figure:
    """Late and dead records by reason, in time."""
    series: Mapping[str, list[int]] = {
        user.t("late"): [each.late for each in outcomes],
        user.t("malformed"): [each.malformed for each in outcomes],
        user.t("unknown schema"): [each.unknown_schema for each in outcomes],
        user.t("invalid"): [each.invalid for each in outcomes],
    }
    bars = [
        go.Bar(
            name=name,
            x=[user.local(each.start + bucket / 2) for each in outcomes],
            y=counts,
            width=bucket / timedelta(milliseconds=1),
            marker={"pattern": {"shape": PATTERNS[number], "fillmode": "overlay"}, "line": {"width": 0}},
            hovertemplate="%{fullData.name}: %{y:,}<extra></extra>",
        )
        for number, (name, counts) in enumerate(series.items())
    ]
    return figure(
        user,
        bars,
        barmode="stack",
        xaxis=axis(user.t("Read at, {zone}", zone=user.zone_name), type="date", showgrid=False),
        yaxis=axis(user.t("Records"), rangemode="tozero"),
        showlegend=True,
    )
