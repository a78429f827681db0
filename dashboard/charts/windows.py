"""Windows in time: impressions as bars, CTR as a line."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import plotly.graph_objects as go

from dashboard.charts.style import DASHES, axis, figure, time_axis
from dashboard.view_models.labels import chart_label, chart_text
from warehouse.windows import window_length

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboard.user_context.formatting import UserContext
    from dashboard.view_models.live import ShownWindow
    from warehouse.windows import Window, WindowType

OPEN_OPACITY: Final = 0.45
"""An open window's bar is pale and hatched: what may still grow looks unfinished."""

BAR_SHARE: Final = 0.8
"""A bar takes this share of its window's length."""

ROOM_SHARE: Final = 1 / 24
"""This share of the span is free beside the newest bar, so that its word does not lie on the axis."""

MANY: Final = 150
"""More windows are too thin for a mark on each of them, and for a gap between their bars."""


def windows_figure(
    user: UserContext, windows: Sequence[ShownWindow], window_type: WindowType, span: timedelta
) -> go.Figure:
    """Impressions as bars and CTR as a line, by window.

    Args:
        user: who reads it.
        windows: at least one, the newest first.
        window_type: of all of them.
        span: what the axis shows, up to the newest.
    """
    length = window_length(window_type)
    drawn = list(reversed(windows))
    middles = [user.local(shown.window.start + length / 2) for shown in drawn]
    titles = [_title(user, shown) for shown in drawn]
    thin = len(drawn) > MANY
    bars = go.Bar(
        name=user.t("Impressions"),
        x=middles,
        y=[shown.window.impressions for shown in drawn],
        width=(1 if thin else BAR_SHARE) * length / timedelta(milliseconds=1),
        marker={
            "opacity": [1 if shown.final else OPEN_OPACITY for shown in drawn],
            "pattern": {"shape": ["" if shown.final else "/" for shown in drawn], "fillmode": "overlay"},
            "line": {"width": 0},
        },
        text=["" if shown.final else user.t("open") for shown in drawn],
        textposition="outside",
        textangle=0,
        constraintext="none",
        cliponaxis=False,
        customdata=[
            [title, user.count(shown.window.impressions), user.count(shown.window.clicks)]
            for title, shown in zip(titles, drawn, strict=True)
        ],
        hovertemplate=user.t("{title}<br>{impressions} impressions, {clicks} clicks", **_HOVER)
        + "<extra></extra>",
    )
    line = go.Scatter(
        name=user.t("CTR"),
        x=middles,
        y=[shown.window.ctr for shown in drawn],
        yaxis="y2",
        mode="lines" if thin else "lines+markers",
        line={"width": 2},
        marker={"size": 6, "symbol": ["circle" if shown.final else "circle-open" for shown in drawn]},
        customdata=titles,
        hovertemplate="%{customdata}<br>CTR %{y:.2f}%<extra></extra>",
    )
    newest = windows[0].window
    return figure(
        user,
        [bars, line],
        xaxis=time_axis(
            user,
            # Not a range of our own: that would take a zoom back whenever the windows move on.
            autorangeoptions={
                "include": [user.local(newest.end - span), user.local(newest.end + ROOM_SHARE * span)]
            },
        ),
        yaxis=axis(user.t("Impressions"), rangemode="tozero", tickformat="~s"),
        yaxis2=axis(
            user.t("CTR, %"),
            overlaying="y",
            side="right",
            rangemode="tozero",
            showgrid=False,
            # Round numbers of its own, rather than whatever lies at the left axis' ticks.
            tickmode="auto",
        ),
    )


_HOVER: Final = {
    "title": "%{customdata[0]}",
    "impressions": "%{customdata[1]}",
    "clicks": "%{customdata[2]}",
}


def _title(user: UserContext, shown: ShownWindow) -> str:
    state = user.t("final") if shown.final else user.t("open")
    return f"{user.day(shown.window.start)} {user.span(shown.window)}, {state}"


def rates_figure(user: UserContext, lines: Mapping[str, Sequence[Window]], *, shift: timedelta) -> go.Figure:
    """CTR of several series of windows as lines.

    Args:
        user: who reads it.
        lines: windows by the line's name, the newest first.
        shift: by which the second and later lines are moved to lie over the first.
    """
    return _lines(user, lines, shift, "ctr")


def impressions_figure(
    user: UserContext, lines: Mapping[str, Sequence[Window]], *, shift: timedelta
) -> go.Figure:
    """Impressions of several series of windows as lines; see `rates_figure`."""
    return _lines(user, lines, shift, "impressions")


def _lines(
    user: UserContext, lines: Mapping[str, Sequence[Window]], shift: timedelta, figure_of: str
) -> go.Figure:
    rate = figure_of == "ctr"
    drawn = [
        go.Scatter(
            name=chart_label(name),
            x=[
                user.local(window.start + (shift if number else timedelta(0))) for window in reversed(windows)
            ],
            y=[getattr(window, figure_of) for window in reversed(windows)],
            mode="lines",
            line={"width": 2, "dash": DASHES[number % len(DASHES)]},
            customdata=[
                f"{user.day(window.start)} {user.span(window)}<br>{chart_text(name)}"
                for window in reversed(windows)
            ],
            hovertemplate="%{customdata}: " + ("%{y:.2f}%" if rate else "%{y:,}") + "<extra></extra>",
        )
        for number, (name, windows) in enumerate(lines.items())
    ]
    return figure(
        user,
        drawn,
        xaxis=time_axis(user),
        yaxis=axis(
            user.t("CTR, %") if rate else user.t("Impressions"),
            rangemode="tozero",
            tickformat="" if rate else "~s",
        ),
    )
