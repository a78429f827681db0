"""Accuracy and outcomes: what is wrong is told by shape and pattern beside its colour."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from dashboard.charts.quality import accuracy_figure, refused_figure
from dashboard.charts.style import PATTERNS
from tests.dashboard.examples import MOMENT, english
from warehouse.quality_reads import OutcomeCounts, Verification

if TYPE_CHECKING:
    from datetime import datetime

MINUTE = timedelta(minutes=1)


def verified(start: datetime, accuracy: float, clicks: int = 10) -> Verification:
    return Verification(
        window_type="1min",
        window_start=start,
        expected_impressions=1_000,
        actual_impressions=int(10 * accuracy),
        expected_clicks=10,
        actual_clicks=clicks,
        late=0,
        accuracy=accuracy,
        checked_at=start + MINUTE,
    )


def test_what_is_not_exact_has_another_mark() -> None:
    found = [
        verified(MOMENT, 98.5),
        verified(MOMENT - MINUTE, 100, clicks=9),
        verified(MOMENT - 2 * MINUTE, 100),
    ]
    exact, inexact = accuracy_figure(english(), found, 99).data
    assert list(exact.y) == [100]
    # The oldest first; as many impressions do not make a window exact.
    assert list(inexact.y) == [100, 98.5]
    assert exact.marker.symbol != inexact.marker.symbol
    assert inexact.marker.size > exact.marker.size
    assert list(inexact.customdata[1])[1:] == ["985", "1,000"]


def test_the_alarm_is_a_line_that_is_always_within_sight() -> None:
    layout = accuracy_figure(english(), [verified(MOMENT, 100)], 95).layout
    (line,) = layout.shapes
    assert (line.y0, line.y1, line.line.dash, line.label.text) == (95, 95, "dash", "alarm below")
    lowest, highest = layout.yaxis.autorangeoptions.include
    assert lowest < 95
    assert highest > 100
    assert accuracy_figure(english(), [verified(MOMENT, 0)], 99).layout.yaxis.autorangeoptions.include[0] == 0


def test_every_reason_has_its_pattern() -> None:
    outcomes = [
        OutcomeCounts(
            start=MOMENT, records_read=100, counted=90, late=4, malformed=3, unknown_schema=2, invalid=1
        ),
        OutcomeCounts(
            start=MOMENT + MINUTE, records_read=5, counted=5, late=0, malformed=0, unknown_schema=0, invalid=0
        ),
    ]
    figure = refused_figure(english(), outcomes, MINUTE)
    assert {trace.name: list(trace.y) for trace in figure.data} == {
        "late": [4, 0],
        "malformed": [3, 0],
        "unknown schema": [2, 0],
        "invalid": [1, 0],
    }
    shapes = [trace.marker.pattern.shape for trace in figure.data]
    assert len(set(shapes)) == len(shapes) <= len(PATTERNS)
    assert figure.layout.barmode == "stack"
    assert figure.layout.yaxis.title.text == "Records"
    assert figure.layout.uirevision is not None
