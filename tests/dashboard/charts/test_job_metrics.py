"""The job's metrics: one line each, with gaps where nothing was measured."""

from __future__ import annotations

from datetime import timedelta

from dashboard.charts.job_metrics import job_metrics_figure
from tests.dashboard.examples import MOMENT, english

MOMENTS = [MOMENT, MOMENT + timedelta(seconds=15)]


def test_signs_are_lines_that_differ_by_more_than_colour() -> None:
    figure = job_metrics_figure(
        english("Asia/Seoul"), MOMENTS, {"busy": [1.0, None], "heap": [60.0, 61.5]}, "%"
    )
    busy, heap = figure.data
    assert (busy.name, list(busy.y), list(heap.y)) == ("busy", [1.0, None], [60.0, 61.5])
    assert busy.connectgaps is False
    assert busy.x[0].isoformat() == "2026-03-05T23:05:09"
    assert busy.line.dash != heap.line.dash
    assert figure.layout.yaxis.title.text == "%"
    assert figure.layout.showlegend
    assert figure.layout.uirevision is not None


def test_one_line_needs_no_legend() -> None:
    assert not job_metrics_figure(english(), MOMENTS, {"lag": [1, 2]}, "Records").layout.showlegend
