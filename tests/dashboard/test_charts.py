"""What the figures say, and that they say it in a way that survives a refresh."""

from __future__ import annotations

from dashboard.board import WINDOWS_SHOWN, ShownWindow
from dashboard.breakdown import Part
from dashboard.charts import parts_figure, windows_figure
from tests.dashboard.test_board import row


def shown(*minutes: int, open_minute: int) -> list[ShownWindow]:
    return [ShownWindow(window=row(minute, 10 * minute), final=minute != open_minute) for minute in minutes]


def test_an_open_window_looks_different() -> None:
    bars, line = windows_figure(shown(5, 4, 3, open_minute=5), "1min").data
    assert list(bars.y) == [30, 40, 50]
    assert list(bars.marker.pattern.shape) == ["", "", "/"]
    assert bars.marker.opacity[0] == 1 > bars.marker.opacity[2]
    assert list(bars.text) == ["", "", "open"]
    assert list(line.marker.symbol) == ["circle", "circle", "circle-open"]


def test_windows_of_long_ago_do_not_squeeze_the_rest() -> None:
    bars, _ = windows_figure(shown(1000, 999, 2, open_minute=1000), "1min").data
    assert list(bars.y) == [9990, 10000]
    everything, _ = windows_figure(shown(*range(WINDOWS_SHOWN, 0, -1), open_minute=0), "1min").data
    assert len(everything.y) == WINDOWS_SHOWN


def test_moving_on_keeps_what_plotly_keeps_a_zoom_by() -> None:
    before, after = (windows_figure(shown(minute, open_minute=minute), "5min").layout for minute in (5, 10))
    assert before.uirevision == after.uirevision is not None
    assert before.xaxis.range is after.xaxis.range is None


def test_each_part_carries_its_figures() -> None:
    (bars,) = parts_figure([Part(label="news", impressions=12345, ctr=3.1)]).data
    assert list(bars.text) == ["12,345 · 3.10%"]
