"""Windows in time: what is open looks open, and a refresh keeps what Plotly keeps a zoom by."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dashboard.charts.style import DASHES
from dashboard.charts.windows import MANY, impressions_figure, rates_figure, windows_figure
from dashboard.view_models.live import ShownWindow
from tests.dashboard.examples import english, korean, row

HOUR = timedelta(hours=1)


def wall_clock(time: str) -> datetime:
    """A time of the first day, without a zone: what Plotly draws."""
    return datetime.fromisoformat(f"1970-01-01T{time}")


def shown(*minutes: int, open_minute: int = -1) -> list[ShownWindow]:
    """Windows, the newest first, with ten times their number of impressions and a click for each."""
    return [
        ShownWindow(window=row(minute, 10 * minute, minute), final=minute != open_minute)
        for minute in minutes
    ]


def test_bars_are_impressions_and_the_line_is_the_rate_oldest_first() -> None:
    bars, line = windows_figure(english(), shown(5, 4, 3), "1min", HOUR).data
    assert (bars.type, list(bars.y)) == ("bar", [30, 40, 50])
    assert (line.type, list(line.y)) == ("scatter", [10.0, 10.0, 10.0])
    # In the middle of their windows.
    assert list(bars.x) == list(line.x) == [wall_clock(f"00:0{minute}:30") for minute in (3, 4, 5)]
    assert bars.width == 0.8 * 60_000


def test_an_open_window_looks_different() -> None:
    bars, line = windows_figure(english(), shown(5, 4, 3, open_minute=5), "1min", HOUR).data
    assert list(bars.marker.pattern.shape) == ["", "", "/"]
    assert bars.marker.opacity[0] == bars.marker.opacity[1] == 1 > bars.marker.opacity[2]
    assert list(bars.text) == ["", "", "open"]
    assert list(line.marker.symbol) == ["circle", "circle", "circle-open"]


@pytest.mark.parametrize(
    ("locale", "impressions", "clicks"), [("en-US", "12,340", "1,234"), ("de-DE", "12.340", "1.234")]
)
def test_figures_beside_the_pointer_are_written_for_the_reader(
    locale: str, impressions: str, clicks: str
) -> None:
    bars, _ = windows_figure(english(locale=locale), shown(1234), "1min", HOUR).data
    title, *figures = bars.customdata[0]
    assert title.endswith("20:34–20:35, final")  # noqa: RUF001 - as it is shown
    assert figures == [impressions, clicks]


def test_times_are_the_readers_wall_clock() -> None:
    figure = windows_figure(korean(), shown(5), "1min", HOUR)
    assert figure.data[0].x[0] == wall_clock("09:05:30")
    assert "Asia/Seoul" in figure.layout.xaxis.title.text


def test_the_axis_shows_the_span_even_where_few_windows_are() -> None:
    layout = windows_figure(english(), shown(100), "1min", HOUR).layout
    assert list(layout.xaxis.autorangeoptions.include) == [
        wall_clock("00:41:00"),
        wall_clock("01:43:30"),
    ]


def test_many_windows_are_drawn_without_marks_and_gaps() -> None:
    bars, line = windows_figure(english(), shown(*range(MANY + 1, 0, -1)), "1min", HOUR).data
    assert bars.width == 60_000
    assert line.mode == "lines"


def test_moving_on_keeps_what_plotly_keeps_a_zoom_by() -> None:
    before, after = (
        windows_figure(english(), shown(minute, open_minute=minute), "5min", HOUR).layout
        for minute in (5, 10)
    )
    assert before.uirevision == after.uirevision is not None
    # A range of the figure's own would take a zoom back.
    assert before.xaxis.range is after.xaxis.range is None


def test_axes_name_their_units_and_lie_apart() -> None:
    layout = windows_figure(english(), shown(5), "1min", HOUR).layout
    assert layout.yaxis.title.text == "Impressions"
    assert layout.yaxis2.title.text == "CTR, %"
    assert (layout.yaxis2.overlaying, layout.yaxis2.side) == ("y", "right")
    assert layout.yaxis.rangemode == layout.yaxis2.rangemode == "tozero"


def test_two_series_lie_over_each_other_and_differ_by_more_than_colour() -> None:
    now = [row(3000, 30, 3), row(2999, 20, 1)]
    yesterday = [row(3000 - 1440, 10, 1)]
    figure = impressions_figure(english(), {"now": now, "then": yesterday}, shift=timedelta(days=1))
    first, second = figure.data
    assert (first.name, list(first.y)) == ("now", [20, 30])
    assert (second.name, list(second.y)) == ("then", [10])
    assert second.x[0] == first.x[1]
    # Beside the pointer stands when it really was.
    assert second.customdata[0].startswith("Jan 2, 1970")
    assert (first.line.dash, second.line.dash) == DASHES[:2]
    assert len(set(DASHES)) == len(DASHES)


def test_rates_are_in_percent() -> None:
    figure = rates_figure(english(), {"a": [row(1, 200, 5)]}, shift=timedelta(0))
    assert list(figure.data[0].y) == [2.5]
    assert figure.layout.yaxis.title.text == "CTR, %"
    assert figure.layout.uirevision is not None
