"""How exact the windows are, and what became of the records."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from dashboard.charts.style import PATTERNS, axis, empty_figure, time_axis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go

    from dashboard.reader.wording import Reader
    from warehouse.quality_reads import Fates, Verification

ON_EITHER_GROUND: Final = "#808080"
"""A shape takes no colour from the theme: a grey that is seen on a light and on a dark page."""

ROOM_BELOW: Final = 1.0
"""Percent under the least accurate window, so that a flat line of 100 % does not lie on the edge."""


def accuracy_figure(reader: Reader, verifications: Sequence[Verification], alarm_percent: float) -> go.Figure:
    """Accuracy of each verified window; those that are not exact are marked.

    Args:
        reader: who reads it.
        verifications: at least one, the newest first.
        alarm_percent: under it a window is an alarm; a dashed line.
    """
    figure = empty_figure(reader)
    for exact, name, symbol in (
        (True, reader.text("exact"), "circle"),
        (False, reader.text("not exact"), "x"),
    ):
        chosen = [each for each in reversed(verifications) if each.exact is exact]
        figure.add_scatter(
            name=name,
            x=[reader.local(each.window_start) for each in chosen],
            y=[each.accuracy for each in chosen],
            mode="markers",
            marker={"symbol": symbol, "size": 6 if exact else 11},
            customdata=[
                [
                    f"{reader.day(each.window_start)} {reader.clock(each.window_start)}",
                    reader.count(each.actual_impressions),
                    reader.count(each.expected_impressions),
                ]
                for each in chosen
            ],
            hovertemplate=reader.text(
                "{start}: {accuracy}<br>{actual} impressions, recounted {expected}",
                start="%{customdata[0]}",
                accuracy="%{y:.2f}%",
                actual="%{customdata[1]}",
                expected="%{customdata[2]}",
            )
            + "<extra></extra>",
        )
    lowest = min(alarm_percent, *(each.accuracy for each in verifications))
    figure.add_hline(
        y=alarm_percent,
        line={"dash": "dash", "width": 1, "color": ON_EITHER_GROUND},
        annotation={"text": reader.text("alarm below"), "xanchor": "right"},
    )
    figure.update_layout(
        xaxis=time_axis(reader),
        yaxis=axis(
            reader.text("Accuracy, %"),
            autorangeoptions={"include": [max(0.0, lowest - ROOM_BELOW), 100 + ROOM_BELOW / 4]},
        ),
        showlegend=True,
    )
    return figure


def refused_figure(reader: Reader, fates: Sequence[Fates], bucket: timedelta) -> go.Figure:
    """Late and dead records by reason, in time."""
    series: Mapping[str, list[int]] = {
        reader.text("late"): [each.late for each in fates],
        reader.text("malformed"): [each.malformed for each in fates],
        reader.text("unknown schema"): [each.unknown_schema for each in fates],
        reader.text("invalid"): [each.invalid for each in fates],
    }
    figure = empty_figure(reader)
    for number, (name, counts) in enumerate(series.items()):
        figure.add_bar(
            name=name,
            x=[reader.local(each.start + bucket / 2) for each in fates],
            y=counts,
            width=bucket / timedelta(milliseconds=1),
            marker={"pattern": {"shape": PATTERNS[number], "fillmode": "overlay"}, "line": {"width": 0}},
            hovertemplate="%{fullData.name}: %{y:,}<extra></extra>",
        )
    figure.update_layout(
        barmode="stack",
        xaxis=axis(reader.text("Read at, {zone}", zone=reader.zone_name), type="date", showgrid=False),
        yaxis=axis(reader.text("Records"), rangemode="tozero"),
        showlegend=True,
    )
    return figure
