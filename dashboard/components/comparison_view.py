"""The comparison page: two series of windows over each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from dashboard.charts.plot import plot
from dashboard.charts.windows import impressions_figure, rates_figure
from dashboard.components import stores
from dashboard.components.address import choose_by, chosen, chosen_segments
from dashboard.components.cards import figures
from dashboard.components.download import offer_csv
from dashboard.components.filters import choose_segments
from dashboard.components.headings import heading
from dashboard.components.messages import render_outages, render_read_at
from dashboard.user_context.dimensions import in_order
from dashboard.view_models.comparison import MODES, totals
from dashboard.view_models.labels import markdown_text, plain

if TYPE_CHECKING:
    from datetime import timedelta

    from dashboard.user_context.formatting import UserContext
    from dashboard.view_models.comparison import Comparison, Mode
    from warehouse.windows import Selection

CHART_HEIGHT_PX: Final = 300
SECOND: Final = "_2"
"""Suffix of the second choice of segments in the address."""


def choose_mode(user: UserContext) -> Mode:
    """Draw the choice of what is compared."""
    names = {
        "lengths": user.t("1 min and 5 min"),
        "segments": user.t("Two segments"),
        "days": user.t("Now and yesterday"),
    }
    st.segmented_control(
        user.t("Compare"),
        MODES,
        default=_mode(),
        format_func=lambda mode: names[mode],
        required=True,
        key="choice-compare",
        on_change=choose_by,
        args=("compare", "choice-compare", MODES[0]),
    )
    return _mode()


def choose_sides(user: UserContext, mode: Mode, span: timedelta) -> None:
    """Draw the choice of segments: one, or one for each side."""
    known = _read(mode, span).known_segments
    if mode == "segments":
        choose_segments(user, known, label=user.t("First"))
        choose_segments(user, known, SECOND, label=user.t("Second"))
    else:
        choose_segments(user, known)


def render_comparison(user: UserContext, mode: Mode, span: timedelta) -> None:
    """Draw the page."""
    comparison = _read(mode, span)
    with st.container():
        render_outages(
            user,
            comparison.outages,
            {"Postgres": user.t("Final windows cannot be compared without it.")},
        )
        render_read_at(user, comparison.at_s)
    if comparison.outages:
        return
    if not comparison.first and not comparison.second:
        st.info(
            user.t("No window of this span is closed yet."),
            title=user.t("Nothing to compare"),
            icon=":material/hourglass_empty:",
        )
        return
    names = _names(user, mode)
    _render_totals(user, comparison, names)
    if mode == "lengths":
        _render_differences(user, comparison)
    lines = dict(zip(names, (comparison.first, comparison.second), strict=True))
    for key, title, figure in (
        ("impressions", user.t("Impressions"), impressions_figure),
        ("ctr", user.t("CTR"), rates_figure),
    ):
        with st.container(border=True):
            row = heading(title)
            with row:
                offer_csv(user, _rows(comparison, names), f"comparison-{mode}-{key}")
            plot(
                figure(user, lines, shift=comparison.shift),
                key=f"comparison-{mode}-{key}",
                height_px=CHART_HEIGHT_PX,
                alt=user.t(
                    "{title}: {first} against {second}",
                    title=title,
                    first=plain(names[0]),
                    second=plain(names[1]),
                ),
            )


def _mode() -> Mode:
    mode: Mode = chosen("compare", MODES)  # type: ignore[assignment]
    return mode


def _read(mode: Mode, span: timedelta) -> Comparison:
    return stores.comparison(mode, (chosen_segments(), chosen_segments(SECOND)), span)


def _names(user: UserContext, mode: Mode) -> tuple[str, str]:
    if mode == "lengths":
        return user.t("1 min windows, summed"), user.t("5 min windows")
    if mode == "days":
        return user.t("now"), user.t("a day earlier")
    first, second = (_side(user, chosen_segments(suffix)) for suffix in ("", SECOND))
    return (first, second) if first != second else (f"{first} (1)", f"{second} (2)")


def _side(user: UserContext, selection: Selection) -> str:
    chosen = selection.by_dimension()
    parts = (
        ", ".join(each.value(user, value) for value in in_order(chosen[each.column]))
        for each in stores.dimensions()
        if each.column in chosen
    )
    return " · ".join(parts) or user.t("all segments")


def _render_totals(user: UserContext, comparison: Comparison, names: tuple[str, str]) -> None:
    first, second = totals(comparison.first), totals(comparison.second)
    left, right = st.columns(2)
    for place, name, these, those in ((left, names[0], first, second), (right, names[1], second, None)):
        with place.container(border=True, height="stretch"):
            st.markdown(f"**{markdown_text(name)}**")
            impressions, clicks, ctr = figures()
            for column, title, figure in (
                (impressions, user.t("Impressions"), "impressions"),
                (clicks, user.t("Clicks"), "clicks"),
            ):
                now = getattr(these, figure)
                other = 0 if those is None else getattr(those, figure)
                column.metric(
                    title,
                    user.count(now),
                    None if not other else 0 if now == other else user.change(now, other),
                    delta_color="off",
                )
            compared = those is not None and those.impressions > 0 and these.impressions > 0
            moved = user.points(these.ctr, those.ctr) if compared and those is not None else None
            ctr.metric(
                user.t("CTR"),
                user.rate(these.ctr) if these.impressions else None,
                0 if moved and those is not None and these.ctr == those.ctr else moved,
                delta_color="off",
            )


def _render_differences(user: UserContext, comparison: Comparison) -> None:
    compared = len({window.start for window in (*comparison.first, *comparison.second)})
    if not comparison.differences:
        st.success(
            user.t(
                "All {number} windows of 5 min are the sums of their 1 min windows.",
                number=user.count(compared),
            ),
            icon=":material/check_circle:",
        )
        return
    st.error(
        user.t(
            "{different} of {number} windows of 5 min are not the sums of their 1 min windows.",
            different=user.count(len(comparison.differences)),
            number=user.count(compared),
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
                user.t("Window start, {zone}", zone=user.zone_name),
                format="YYYY-MM-DD HH:mm",
                timezone=user.zone_name,
            ),
            **{
                name: st.column_config.NumberColumn(title, format="localized")
                for name, title in (
                    ("summed_impressions", user.t("Impressions, 1 min summed")),
                    ("impressions", user.t("Impressions, 5 min")),
                    ("summed_clicks", user.t("Clicks, 1 min summed")),
                    ("clicks", user.t("Clicks, 5 min")),
                )
            },
        },
        alt=user.t("The windows that differ, the newest first"),
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
