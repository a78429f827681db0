"""A page of live windows: what both live pages share."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from dashboard.charts.plot import plot
from dashboard.charts.segments import heat_figure, part_label, parts_figure
from dashboard.charts.windows import windows_figure
from dashboard.components import stores
from dashboard.components.address import choose_by, chosen, chosen_segments, preferences, user
from dashboard.components.cards import render_final_window, render_open_window, render_trust
from dashboard.components.download import offer_csv
from dashboard.components.filters import choose_segments
from dashboard.components.headings import heading
from dashboard.components.messages import render_state
from dashboard.user_context.measures import measured
from dashboard.view_models.breakdown import cells, parts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from dashboard.user_context.dimensions import ShownDimension
    from dashboard.user_context.formatting import UserContext
    from dashboard.view_models.breakdown import Part
    from dashboard.view_models.live import LiveData
    from warehouse.windows import Segment, WindowDetail, WindowType

CARD_WIDTHS: Final = (5, 5, 4)
"""Relative widths of the cards of two windows, and of the one that says how exact they are."""

CHART_HEIGHT_PX: Final = 340
PARTS_HEIGHT_PX: Final = 300
TABLE_HEIGHT_PX: Final = 388
"""Ten rows and the header."""

PAIR: Final = 2
ROWS: Final = "rows"
COLUMNS: Final = "columns"
"""Parameters of the address: dimensions of the heat map."""

SPLIT: Final = "split"
SPLITS: Final = ("open", "final", "span")
"""What can be split into segments: the open window, the last closed one, or all of the span."""


def render_live_windows(window_type: WindowType, span: timedelta) -> None:
    """Draw the page of one window type and keep it fresh."""
    # Where the choices stand; what there is to choose from is known when the stores have been read.
    choices = st.container()

    @st.fragment(run_every=preferences().refresh)
    def refreshed() -> None:
        _render(user(), stores.live_data(window_type, chosen_segments(), span), span)

    with choices:
        known = stores.live_data(window_type, chosen_segments(), span)
        choose_segments(user(), known.known_segments)
    refreshed()


def _render(user: UserContext, live_data: LiveData, span: timedelta) -> None:
    render_state(user, live_data)
    if not live_data.windows:
        return
    cards = (render_open_window, render_final_window, render_trust)
    for place, draw in zip(st.columns(CARD_WIDTHS), cards, strict=True):
        with place.container(border=True, height="stretch"):
            draw(user, live_data)
    with st.container(border=True):
        _render_series(user, live_data, span)
    with st.container(border=True):
        _render_segments(user, live_data)
    with st.container(border=True):
        _render_table(user, live_data)


def _render_series(user: UserContext, live_data: LiveData, span: timedelta) -> None:
    row = heading(user.t("Impressions and CTR by window"))
    with row:
        offer_csv(user, _window_rows(live_data), f"windows-{live_data.window_type}")
    newest = live_data.windows[0]
    plot(
        windows_figure(user, live_data.windows, live_data.window_type, span),
        key=f"windows-{live_data.window_type}",
        height_px=CHART_HEIGHT_PX,
        alt=user.t(
            "Impressions and CTR of {number} windows; the newest, {span} {zone}, is {state}: "
            "{impressions} impressions, CTR {ctr}",
            number=len(live_data.windows),
            span=user.span(newest.window),
            zone=user.zone_name,
            state=user.t("final") if newest.final else user.t("open"),
            impressions=user.count(newest.window.impressions),
            ctr=user.rate(newest.window.ctr),
        ),
    )


def _render_segments(user: UserContext, live_data: LiveData) -> None:
    names = dict(zip(SPLITS, (user.t("Open"), user.t("Final"), user.t("Whole span")), strict=True))
    row = heading(user.t("Segments"))
    key = f"{SPLIT}-{live_data.window_type}"
    with row:
        st.segmented_control(
            user.t("Segments of"),
            SPLITS,
            default=chosen(SPLIT, SPLITS),
            format_func=lambda split: names[split],
            required=True,
            key=key,
            label_visibility="collapsed",
            on_change=choose_by,
            args=(SPLIT, key, SPLITS[0]),
        )
    segments, before, title = _split(user, live_data, chosen(SPLIT, SPLITS))
    if not segments:
        st.caption(user.t("There are no segments to show at the moment."))
        return
    with row:
        offer_csv(user, _segment_rows(segments, stores.dimensions()), f"segments-{live_data.window_type}")
    st.caption(title)
    dimensions = stores.dimensions()
    for place, dimension in zip(cycle(st.columns(2)), dimensions, strict=False):
        with place:
            summed = parts(dimension.column, segments, before)
            _render_parts(user, dimension, summed, f"{dimension.parameter}-{live_data.window_type}")
    if len(dimensions) > 1:
        _render_heat_map(user, live_data, segments, dimensions)


def _render_heat_map(
    user: UserContext,
    live_data: LiveData,
    segments: Sequence[Segment],
    dimensions: Sequence[ShownDimension],
) -> None:
    rows, columns = _laid_out(user, live_data, dimensions)
    names_of = {"rows": rows.title(user), "columns": columns.title(user)}
    st.markdown(user.t("CTR by {rows} and {columns}, with the impressions behind it", **names_of))
    laid_out = cells((rows.column, columns.column), segments)
    plot(
        heat_figure(user, laid_out, (rows, columns)),
        key=f"heat-{live_data.window_type}",
        height_px=PARTS_HEIGHT_PX,
        alt=user.t(
            "CTR of {number} pairs of {rows} and {columns}; the card's CSV file holds them all",
            number=len(laid_out),
            **names_of,
        ),
    )


def _laid_out(
    user: UserContext, live_data: LiveData, dimensions: Sequence[ShownDimension]
) -> tuple[ShownDimension, ShownDimension]:
    """The dimensions of the heat map's rows and columns; of more than two the reader chooses."""
    if len(dimensions) == PAIR:
        return dimensions[0], dimensions[1]
    by_name = {each.parameter: each for each in dimensions}
    first = chosen(ROWS, list(by_name))
    others = [name for name in by_name if name != first]
    second = chosen(COLUMNS, others)
    with st.container(horizontal=True):
        for label, name, value, options in (
            (user.t("Rows"), ROWS, first, list(by_name)),
            (user.t("Columns"), COLUMNS, second, others),
        ):
            key = f"{name}-{live_data.window_type}"
            st.selectbox(
                label,
                options,
                index=options.index(value),
                format_func=lambda each: by_name[each].title(user),
                key=key,
                on_change=choose_by,
                args=(name, key, options[0]),
                width=240,
            )
    return by_name[first], by_name[second]


def _split(
    user: UserContext, live_data: LiveData, split: str
) -> tuple[Sequence[Segment], Sequence[Segment] | None, str]:
    """The segments to show, those to compare their shares with, and what they are of."""
    final = live_data.final_window
    window: WindowDetail
    if split == "open" and live_data.open_window is not None:
        window, before = live_data.open_window, final
        state = user.t("open; shares compared with the last closed window")
    elif split != "span" and final is not None:
        window, before = final, live_data.before_final
        state = user.t("final; shares compared with the window before")
    elif split == "span":
        return live_data.span_segments, None, user.t("All closed windows of the span together")
    else:
        return (), None, ""
    title = f"{user.span(window)} {user.zone_name} · {state}"
    return window.segments, None if before is None else before.segments, title


def _render_parts(user: UserContext, dimension: ShownDimension, summed: Sequence[Part], key: str) -> None:
    st.markdown(
        user.t(
            "Impressions by {dimension}, with CTR and the change of the share in percentage points",
            dimension=dimension.title(user),
        )
    )
    largest = summed[0]
    plot(
        parts_figure(user, dimension, summed),
        key=key,
        height_px=PARTS_HEIGHT_PX,
        alt=user.t(
            "Impressions and CTR by {dimension}; the largest is {largest} with {impressions} impressions, "
            "CTR {ctr}",
            dimension=dimension.title(user),
            largest=part_label(user, dimension, largest),
            impressions=user.count(largest.impressions),
            ctr=user.rate(largest.ctr),
        ),
    )


def _render_table(user: UserContext, live_data: LiveData) -> None:
    heading(user.t("Windows"))
    names = {True: user.t("Final"), False: user.t("Open")}
    measures = stores.measures()
    st.dataframe(
        [
            {
                "start": shown.window.start,
                "window": user.span(shown.window),
                "state": [names[shown.final]],
                "impressions": shown.window.impressions,
                "clicks": shown.window.clicks,
                "ctr": shown.window.ctr,
                **measured(user, measures, shown.window),
            }
            for shown in live_data.windows
        ],
        key=f"table-{live_data.window_type}",
        hide_index=True,
        height=TABLE_HEIGHT_PX,
        column_config={
            "start": st.column_config.DatetimeColumn(
                user.t("Date"), format="YYYY-MM-DD", timezone=user.zone_name
            ),
            "window": st.column_config.TextColumn(user.t("Window, {zone}", zone=user.zone_name)),
            "state": st.column_config.MultiselectColumn(
                user.t("State"), options=[names[False], names[True]], color=["orange", "green"]
            ),
            "impressions": st.column_config.NumberColumn(user.t("Impressions"), format="localized"),
            "clicks": st.column_config.NumberColumn(user.t("Clicks"), format="localized"),
            "ctr": st.column_config.NumberColumn(user.t("CTR"), format="%.2f%%"),
        },
        alt=user.t("The windows of the span, the newest first"),
    )


def _window_rows(live_data: LiveData) -> list[dict[str, Any]]:
    return [
        {
            "window_start": shown.window.start.isoformat(),
            "window_end": shown.window.end.isoformat(),
            "final": shown.final,
            "impressions": shown.window.impressions,
            "clicks": shown.window.clicks,
            "ctr_percent": shown.window.ctr,
            **shown.window.measures,
        }
        for shown in live_data.windows
    ]


def _segment_rows(segments: Sequence[Segment], dimensions: Sequence[ShownDimension]) -> list[dict[str, Any]]:
    return [
        {
            **_named(segment, dimensions),
            "impressions": segment.impressions,
            "clicks": segment.clicks,
            **segment.measures,
        }
        for segment in segments
    ]


def _named(segment: Segment, dimensions: Sequence[ShownDimension]) -> dict[str, Any]:
    """A segment's values, with their names beside them where a dimension has any."""
    row: dict[str, Any] = {}
    named = {each.column: each for each in dimensions if each.names}
    for column, value in segment.dimensions.items():
        row[column] = value
        # A dimension may be called so as well.
        if column in named and (beside := f"{column}_name") not in segment.dimensions:
            row[beside] = None if value is None else named[column].name(value)
    return row
