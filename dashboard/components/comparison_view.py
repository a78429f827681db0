"""The comparison page: two series of windows over each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from dashboard.charts.plot import plot
from dashboard.charts.windows import impressions_figure, rates_figure
from dashboard.content.comparison import MODES, totals
from dashboard.parts import stores
from dashboard.parts.address import choose_by, chosen, chosen_segments
from dashboard.parts.cards import figures
from dashboard.parts.download import offer_csv
from dashboard.parts.filters import choose_segments
from dashboard.parts.headings import heading
from dashboard.parts.messages import say_outages, say_read_at

if TYPE_CHECKING:
    from datetime import timedelta

    from dashboard.content.comparison import Comparison, Mode
    from dashboard.reader.wording import Reader
    from warehouse.windows import Selection

CHART_HEIGHT_PX: Final = 300
SECOND: Final = "_2"
"""Suffix of the second choice of segments in the address."""


def choose_mode(reader: Reader) -> Mode:
    """Draw the choice of what is compared."""
    names = {
        "lengths": reader.text("1 min and 5 min"),
        "segments": reader.text("Two segments"),
        "days": reader.text("Now and yesterday"),
    }
    st.segmented_control(
        reader.text("Compare"),
        MODES,
        default=_mode(),
        format_func=lambda mode: names[mode],
        required=True,
        key="choice-compare",
        on_change=choose_by,
        args=("compare", "choice-compare", MODES[0]),
    )
    return _mode()


def choose_sides(reader: Reader, mode: Mode, span: timedelta) -> None:
    """Draw the choice of segments: one, or one for each side."""
    known = _read(mode, span).known_segments
    if mode == "segments":
        choose_segments(reader, known, label=reader.text("First"))
        choose_segments(reader, known, SECOND, label=reader.text("Second"))
    else:
        choose_segments(reader, known)


def draw_comparison(reader: Reader, mode: Mode, span: timedelta) -> None:
    """Draw the page."""
    comparison = _read(mode, span)
    with st.container():
        say_outages(
            reader,
            comparison.outages,
            {"Postgres": reader.text("Final windows cannot be compared without it.")},
        )
        say_read_at(reader, comparison.at_s)
    if comparison.outages:
        return
    if not comparison.first and not comparison.second:
        st.info(
            reader.text("No window of this span is closed yet."),
            title=reader.text("Nothing to compare"),
            icon=":material/hourglass_empty:",
        )
        return
    names = _names(reader, mode)
    _draw_totals(reader, comparison, names)
    if mode == "lengths":
        _draw_differences(reader, comparison)
    lines = dict(zip(names, (comparison.first, comparison.second), strict=True))
    for key, title, figure in (
        ("impressions", reader.text("Impressions"), impressions_figure),
        ("ctr", reader.text("CTR"), rates_figure),
    ):
        with st.container(border=True):
            row = heading(title)
            with row:
                offer_csv(reader, _rows(comparison, names), f"comparison-{mode}-{key}")
            plot(
                figure(reader, lines, shift=comparison.shift),
                key=f"comparison-{mode}-{key}",
                height_px=CHART_HEIGHT_PX,
                alt=reader.text(
                    "{title}: {first} against {second}", title=title, first=names[0], second=names[1]
                ),
            )


def _mode() -> Mode:
    mode: Mode = chosen("compare", MODES)  # type: ignore[assignment]
    return mode


def _read(mode: Mode, span: timedelta) -> Comparison:
    return stores.comparison(mode, (chosen_segments(), chosen_segments(SECOND)), span)


def _names(reader: Reader, mode: Mode) -> tuple[str, str]:
    if mode == "lengths":
        return reader.text("1 min windows, summed"), reader.text("5 min windows")
    if mode == "days":
        return reader.text("now"), reader.text("a day earlier")
    first, second = (_side(reader, chosen_segments(suffix)) for suffix in ("", SECOND))
    return (first, second) if first != second else (f"{first} (1)", f"{second} (2)")


def _side(reader: Reader, selection: Selection) -> str:
    categories = ", ".join(sorted(selection.categories))
    devices = ", ".join(reader.text("device {device}", device=each) for each in sorted(selection.devices))
    return " · ".join(part for part in (categories, devices) if part) or reader.text("all segments")


def _draw_totals(reader: Reader, comparison: Comparison, names: tuple[str, str]) -> None:
    first, second = totals(comparison.first), totals(comparison.second)
    left, right = st.columns(2)
    for place, name, these, those in ((left, names[0], first, second), (right, names[1], second, None)):
        with place.container(border=True, height="stretch"):
            st.markdown(f"**{name}**")
            impressions, clicks, ctr = figures()
            for column, title, figure in (
                (impressions, reader.text("Impressions"), "impressions"),
                (clicks, reader.text("Clicks"), "clicks"),
            ):
                now = getattr(these, figure)
                other = 0 if those is None else getattr(those, figure)
                column.metric(
                    title,
                    reader.count(now),
                    None if not other else 0 if now == other else reader.change(now, other),
                    delta_color="off",
                )
            compared = those is not None and those.impressions > 0 and these.impressions > 0
            moved = reader.points(these.ctr, those.ctr) if compared and those is not None else None
            ctr.metric(
                reader.text("CTR"),
                reader.rate(these.ctr) if these.impressions else None,
                0 if moved and those is not None and these.ctr == those.ctr else moved,
                delta_color="off",
            )


def _draw_differences(reader: Reader, comparison: Comparison) -> None:
    compared = len({window.start for window in (*comparison.first, *comparison.second)})
    if not comparison.differences:
        st.success(
            reader.text(
                "All {number} windows of 5 min are the sums of their 1 min windows.",
                number=reader.count(compared),
            ),
            icon=":material/check_circle:",
        )
        return
    st.error(
        reader.text(
            "{different} of {number} windows of 5 min are not the sums of their 1 min windows.",
            different=reader.count(len(comparison.differences)),
            number=reader.count(compared),
        ),
        icon=":material/error:",
    )
    st.dataframe(
        [
            {
                "start": each.start,
                "summed_impressions": each.summed.impressions if each.summed else 0,
                "impressions": each.whole.impressions if each.whole else 0,
                "summed_clicks": each.summed.clicks if each.summed else 0,
                "clicks": each.whole.clicks if each.whole else 0,
            }
            for each in comparison.differences
        ],
        key="differences",
        hide_index=True,
        column_config={
            "start": st.column_config.DatetimeColumn(
                reader.text("Window start, {zone}", zone=reader.zone_name),
                format="YYYY-MM-DD HH:mm",
                timezone=reader.zone_name,
            ),
            **{
                name: st.column_config.NumberColumn(title, format="localized")
                for name, title in (
                    ("summed_impressions", reader.text("Impressions, 1 min summed")),
                    ("impressions", reader.text("Impressions, 5 min")),
                    ("summed_clicks", reader.text("Clicks, 1 min summed")),
                    ("clicks", reader.text("Clicks, 5 min")),
                )
            },
        },
        alt=reader.text("The windows that differ, the newest first"),
    )


def _rows(comparison: Comparison, names: tuple[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "series": name,
            "window_start": window.start.isoformat(),
            "impressions": window.impressions,
            "clicks": window.clicks,
            "ctr_percent": window.ctr,
        }
        for name, windows in zip(names, (comparison.first, comparison.second), strict=True)
        for window in windows
    ]
