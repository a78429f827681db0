"""Segments as bars and as a heat map: every figure is written out, not only coloured."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from contract.stream.load import shipped_stream
from dashboard.charts.segments import FEW, heat_figure, parts_figure
from dashboard.user_context.dimensions import shown_dimensions
from dashboard.view_models.breakdown import Cell, Part, cells, parts
from tests.dashboard.examples import english, korean, segments_of

if TYPE_CHECKING:
    from collections.abc import Sequence

CATEGORY, DEVICE = shown_dimensions(
    shipped_stream(),
    {"site_category": {"50e219e0": "News & <b>more</b>"}, "device_type": {"1": "Mobile", "4": " "}},
)


def part(label: str, impressions: int, clicks: int, share_before: float | None = None) -> Part:
    return Part(
        label=label,
        values=1 if label else 3,
        impressions=impressions,
        clicks=clicks,
        share=50.0,
        share_before=share_before,
    )


def test_each_part_carries_its_figures() -> None:
    (bars,) = parts_figure(english(), CATEGORY, [part("news", 12345, 383)]).data
    assert (list(bars.y), list(bars.x)) == (["news"], [12345])
    assert list(bars.text) == ["12,345 · 3.10%"]
    (bars,) = parts_figure(english(locale="de-DE"), CATEGORY, [part("news", 12345, 383)]).data
    assert bars.text[0].startswith("12.345 · 3,10")


def test_how_a_share_moved_has_a_mark_and_a_figure() -> None:
    (bars,) = parts_figure(
        english(), CATEGORY, [part("a", 1, 0, 48.75), part("b", 1, 0, 50.5), part("c", 1, 0, 50.0)]
    ).data
    marks = [text.split(" · ")[-1] for text in bars.text]
    assert [mark[0] for mark in marks] == ["▲", "▼", "="]
    assert [figure in mark for figure, mark in zip(("1.25", "0.50", "0.00"), marks, strict=True)] == [
        True
    ] * 3


def test_the_sum_of_the_small_ones_is_called_that() -> None:
    assert list(parts_figure(english(), CATEGORY, [part("", 9, 0)]).layout.yaxis.ticktext) == ["3 more "]
    assert not parts_figure(korean(), CATEGORY, [part("", 9, 0)]).layout.yaxis.ticktext[0].isascii()


def test_a_category_that_is_called_like_that_is_another_bar() -> None:
    (bars,) = parts_figure(english(), CATEGORY, [part("3 more", 9, 0), part("", 9, 0)]).data
    assert len(set(bars.y)) == 2


def test_names_that_are_numbers_stay_names() -> None:
    layout = parts_figure(
        english(), CATEGORY, parts("device_type", segments_of(("news", 1, 5, 0), ("news", 0, 3, 0)))
    ).layout
    assert layout.yaxis.type == "category"
    assert layout.xaxis.range[1] > 5
    assert layout.uirevision is not None


BOTH = ("site_category", "device_type")


def _heat(found: Sequence[Cell]) -> Any:
    rows, columns = shown_dimensions(shipped_stream())
    return heat_figure(english(), found, (rows, columns))


def test_a_field_has_rate_and_impressions_in_words() -> None:
    segments = segments_of(("news", 1, 3000, 300), ("sports", 1, 200, 50), ("news", 0, 50, 1))
    figure = _heat(cells(BOTH, segments))
    assert list(figure.layout.xaxis.ticktext) == ["Device type 1", "Device type 0"]
    heat = figure.data[0]
    assert list(heat.y) == ["news", "sports"]
    assert list(heat.x) == ["1", "0"]
    assert [list(row) for row in heat.z] == [[10.0, 2.0], [25.0, None]]
    assert [list(row) for row in heat.text] == [["10.00%<br>3,000", "2.00%<br>50"], ["25.00%<br>200", ""]]


def test_a_rate_of_few_impressions_has_no_colour_but_its_figures() -> None:
    few, enough = (
        Cell(row=name, column="1", impressions=count, clicks=1)
        for name, count in (("few", FEW - 1), ("enough", FEW))
    )
    heat = _heat([few, enough]).data[0]
    assert list(heat.y) == ["enough", "few"]
    assert [list(row) for row in heat.z] == [[3.33], [None]]
    assert heat.text[1][0] == "3.45%<br>29"


def test_names_are_text_and_short_on_the_axis_and_whole_in_the_hover_text() -> None:
    link, wide = '<a href="https://example.org">free</a>', "W" * 128
    (bars,) = parts_figure(
        english(), CATEGORY, [part(link, 9, 0), part(wide, 8, 0), part(wide + "!", 7, 0)]
    ).data
    assert len(set(bars.y)) == 3, "what looks alike is not one bar"
    figure = _heat(cells(BOTH, segments_of((link, 1, 9, 0), (wide, 1, 8, 0))))
    labels = figure.layout.yaxis.ticktext
    assert list(labels) == ['&lt;a href="https:…', f"{'W' * 15}…"]
    whole = [row[0] for row in figure.data[0].customdata]
    assert whole == [f"{each}, Device type 1" for each in bars.customdata[:2]]
    found = [html.unescape(text.replace("<br>", "")) for text in whole]
    assert found == [f"{each}, Device type 1" for each in (link, wide)]
    assert "<a" not in "".join(whole)


def test_a_value_with_a_name_is_called_so_and_its_id_is_in_the_hover_text() -> None:
    figure = parts_figure(english(), CATEGORY, [part("50e219e0", 9, 0), part("28905ebd", 8, 0)])
    (bars,) = figure.data
    assert list(bars.y) == ["50e219e0", "28905ebd"]
    assert list(figure.layout.yaxis.ticktext) == ["News &amp; &lt;b&gt;more&lt;… ", "28905ebd "]
    assert list(bars.customdata) == ["News &amp; &lt;b&gt;more&lt;/b&gt; (50e219e0)", "28905ebd"]


def test_two_values_of_the_same_name_are_two_bars() -> None:
    (_, devices) = shown_dimensions(shipped_stream(), {"device_type": {"1": "Mobile", "2": "Mobile"}})
    figure = parts_figure(english(), devices, [part("1", 9, 0), part("2", 8, 0)])
    assert list(figure.data[0].y) == ["1", "2"]
    assert list(figure.layout.yaxis.ticktext) == ["Mobile ", "Mobile "]


def test_fields_are_called_by_the_names_of_their_values() -> None:
    segments = segments_of(("50e219e0", 1, 9, 0), ("news", 4, 8, 0))
    figure = heat_figure(english(), cells(BOTH, segments), (CATEGORY, DEVICE))
    assert list(figure.layout.xaxis.ticktext) == ["Mobile", "Device type 4"]
    assert list(figure.layout.yaxis.tickvals) == ["50e219e0", "news"]
    assert figure.data[0].customdata[0][0] == "News &amp; &lt;b&gt;more&lt;/b&gt; (50e219e0), Mobile (1)"
    assert figure.data[0].customdata[1][1] == "news, Device type 4"
