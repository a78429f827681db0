"""A page of live windows: what both live pages share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from dashboard.charts.plot import plot
from dashboard.charts.segments import heat_figure, part_label, parts_figure
from dashboard.charts.windows import windows_figure
from dashboard.content.breakdown import cells, parts
from dashboard.parts import stores
from dashboard.parts.address import choose_by, chosen, chosen_segments, preferences, reader
from dashboard.parts.cards import draw_final_window, draw_open_window, draw_trust
from dashboard.parts.download import offer_csv
from dashboard.parts.filters import choose_segments
from dashboard.parts.headings import heading
from dashboard.parts.messages import say_state

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from streamlit.delta_generator import DeltaGenerator

    from dashboard.content.board import Board
    from dashboard.content.breakdown import Dimension, Part
    from dashboard.reader.wording import Reader
    from warehouse.windows import Segment, WindowDetail, WindowType

CARD_WIDTHS: Final = (5, 5, 4)
"""Of two windows, and of how far they can be trusted."""

CHART_HEIGHT_PX: Final = 340
PARTS_HEIGHT_PX: Final = 300
TABLE_HEIGHT_PX: Final = 388
"""Ten rows and the header."""

SPLIT: Final = "split"
SPLITS: Final = ("open", "final", "span")
"""What can be split into segments: the open window, the last closed one, or all of the span."""


def show_live_windows(window_type: WindowType, span: timedelta) -> None:
    """Draw the page of one window type and keep it fresh."""
    # Where the choices stand; what there is to choose from is known when the stores have been read.
    choices = st.container()

    @st.fragment(run_every=preferences().refresh)
    def refreshed() -> None:
        _draw(reader(), stores.board(window_type, chosen_segments(), span), span)

    with choices:
        known = stores.board(window_type, chosen_segments(), span)
        choose_segments(reader(), known.known_segments)
    refreshed()


def _draw(reader: Reader, board: Board, span: timedelta) -> None:
    say_state(reader, board)
    if not board.windows:
        return
    cards = (draw_open_window, draw_final_window, draw_trust)
    for place, draw in zip(st.columns(CARD_WIDTHS), cards, strict=True):
        with place.container(border=True, height="stretch"):
            draw(reader, board)
    with st.container(border=True):
        _draw_series(reader, board, span)
    with st.container(border=True):
        _draw_segments(reader, board)
    with st.container(border=True):
        _draw_table(reader, board)


def _draw_series(reader: Reader, board: Board, span: timedelta) -> None:
    row = heading(reader.text("Impressions and CTR by window"))
    with row:
        offer_csv(reader, _window_rows(board), f"windows-{board.window_type}")
    newest = board.windows[0]
    plot(
        windows_figure(reader, board.windows, board.window_type, span),
        key=f"windows-{board.window_type}",
        height_px=CHART_HEIGHT_PX,
        alt=reader.text(
            "Impressions and CTR of {number} windows; the newest, {span} {zone}, is {state}: "
            "{impressions} impressions, CTR {ctr}",
            number=len(board.windows),
            span=reader.span(newest.window),
            zone=reader.zone_name,
            state=reader.text("final") if newest.final else reader.text("open"),
            impressions=reader.count(newest.window.impressions),
            ctr=reader.rate(newest.window.ctr),
        ),
    )


def _draw_segments(reader: Reader, board: Board) -> None:
    names = dict(
        zip(SPLITS, (reader.text("Open"), reader.text("Final"), reader.text("Whole span")), strict=True)
    )
    row = heading(reader.text("Segments"))
    key = f"{SPLIT}-{board.window_type}"
    with row:
        st.segmented_control(
            reader.text("Segments of"),
            SPLITS,
            default=chosen(SPLIT, SPLITS),
            format_func=lambda split: names[split],
            required=True,
            key=key,
            label_visibility="collapsed",
            on_change=choose_by,
            args=(SPLIT, key, SPLITS[0]),
        )
    segments, before, title = _split(reader, board, chosen(SPLIT, SPLITS))
    if not segments:
        st.caption(reader.text("There are no segments to show at the moment."))
        return
    with row:
        offer_csv(reader, _segment_rows(segments), f"segments-{board.window_type}")
    st.caption(title)
    categories, devices = st.columns(2)
    sides: tuple[tuple[DeltaGenerator, Dimension, str], ...] = (
        (categories, "category", reader.text("Site category")),
        (devices, "device", reader.text("Device type")),
    )
    for place, dimension, name in sides:
        with place:
            summed = parts(dimension, segments, before)
            _draw_parts(reader, name, summed, f"{dimension}-{board.window_type}")
    st.markdown(reader.text("CTR by site category and device type, with the impressions behind it"))
    laid_out = cells(segments)
    plot(
        heat_figure(reader, laid_out),
        key=f"heat-{board.window_type}",
        height_px=PARTS_HEIGHT_PX,
        alt=reader.text(
            "CTR of {number} pairs of site category and device type; the card's CSV file holds them all",
            number=len(laid_out),
        ),
    )


def _split(
    reader: Reader, board: Board, split: str
) -> tuple[Sequence[Segment], Sequence[Segment] | None, str]:
    """The segments to show, those to compare their shares with, and what they are of."""
    final = board.final_window
    window: WindowDetail
    if split == "open" and board.open_window is not None:
        window, before = board.open_window, final
        state = reader.text("open; shares compared with the last closed window")
    elif split != "span" and final is not None:
        window, before = final, board.before_final
        state = reader.text("final; shares compared with the window before")
    elif split == "span":
        return board.span_segments, None, reader.text("All closed windows of the span together")
    else:
        return (), None, ""
    title = f"{reader.span(window)} {reader.zone_name} · {state}"
    return window.segments, None if before is None else before.segments, title


def _draw_parts(reader: Reader, name: str, summed: Sequence[Part], key: str) -> None:
    st.markdown(
        reader.text(
            "Impressions by {dimension}, with CTR and the change of the share in percentage points",
            dimension=name,
        )
    )
    largest = summed[0]
    plot(
        parts_figure(reader, summed),
        key=key,
        height_px=PARTS_HEIGHT_PX,
        alt=reader.text(
            "Impressions and CTR by {dimension}; the largest is {largest} with {impressions} impressions, "
            "CTR {ctr}",
            dimension=name,
            largest=part_label(reader, largest),
            impressions=reader.count(largest.impressions),
            ctr=reader.rate(largest.ctr),
        ),
    )


def _draw_table(reader: Reader, board: Board) -> None:
    heading(reader.text("Windows"))
    names = {True: reader.text("Final"), False: reader.text("Open")}
    st.dataframe(
        [
            {
                "start": shown.window.start,
                "window": reader.span(shown.window),
                "state": [names[shown.final]],
                "impressions": shown.window.impressions,
                "clicks": shown.window.clicks,
                "ctr": shown.window.ctr,
            }
            for shown in board.windows
        ],
        key=f"table-{board.window_type}",
        hide_index=True,
        height=TABLE_HEIGHT_PX,
        column_config={
            "start": st.column_config.DatetimeColumn(
                reader.text("Date"), format="YYYY-MM-DD", timezone=reader.zone_name
            ),
            "window": st.column_config.TextColumn(reader.text("Window, {zone}", zone=reader.zone_name)),
            "state": st.column_config.MultiselectColumn(
                reader.text("State"), options=[names[False], names[True]], color=["orange", "green"]
            ),
            "impressions": st.column_config.NumberColumn(reader.text("Impressions"), format="localized"),
            "clicks": st.column_config.NumberColumn(reader.text("Clicks"), format="localized"),
            "ctr": st.column_config.NumberColumn(reader.text("CTR"), format="%.2f%%"),
        },
        alt=reader.text("The windows of the span, the newest first"),
    )


def _window_rows(board: Board) -> list[dict[str, Any]]:
    return [
        {
            "window_start": shown.window.start.isoformat(),
            "window_end": shown.window.end.isoformat(),
            "final": shown.final,
            "impressions": shown.window.impressions,
            "clicks": shown.window.clicks,
            "ctr_percent": shown.window.ctr,
        }
        for shown in board.windows
    ]


def _segment_rows(segments: Sequence[Segment]) -> list[dict[str, Any]]:
    return [
        {
            "site_category": segment.site_category,
            "device_type": segment.device_type,
            "impressions": segment.impressions,
            "clicks": segment.clicks,
        }
        for segment in segments
    ]
