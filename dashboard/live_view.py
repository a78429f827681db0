"""A page of live windows: what both live pages share."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import streamlit as st

from ctr_platform.settings import load_settings
from dashboard import stores
from dashboard.board import load
from dashboard.breakdown import by_category, by_device
from dashboard.charts import parts_figure, windows_figure
from dashboard.plot import plot
from dashboard.refresh import refresh_interval_s
from dashboard.wording import FINAL, OPEN, ago, count, rate, span

if TYPE_CHECKING:
    from dashboard.board import Board
    from dashboard.breakdown import Part
    from warehouse.windows import Window, WindowDetail, WindowType

STALE_AFTER_S: Final = 30
"""Documents follow the events within a second; silence this long is worth a word."""

CHART_HEIGHT_PX: Final = 340
PARTS_HEIGHT_PX: Final = 300
TABLE_HEIGHT_PX: Final = 388
"""Ten rows and the header."""


def show_live_windows(window_type: WindowType) -> None:
    """Draw the page of one window type and keep it fresh."""

    @st.fragment(run_every=refresh_interval_s())
    def refreshed() -> None:
        _draw(load(window_type, stores.cache(), stores.warehouse()))

    refreshed()


def _draw(board: Board) -> None:
    # A place of its own, so that what follows stays where it is when a message comes or goes.
    with st.container():
        _draw_messages(board)
    if not board.windows:
        return
    open_card, final_card = st.columns(2)
    with open_card.container(border=True, height="stretch"):
        _draw_window("Current window", ":orange-badge[:material/pending: Open]", board.open_window)
    with final_card.container(border=True, height="stretch"):
        _draw_window("Last closed window", ":green-badge[:material/check_circle: Final]", board.final_window)
    with st.container(border=True):
        _draw_chart(board)
    with st.container(border=True):
        _draw_breakdown(board)
    with st.container(border=True):
        _draw_table(board)


def _draw_messages(board: Board) -> None:
    """Say what is missing, and how fresh the rest is."""
    now = time.time()
    if board.cache_error and board.warehouse_error:
        st.error(
            f"{board.cache_error}\n\n{board.warehouse_error}\n\nThis page recovers by itself.",
            title="Neither store answers",
            icon=":material/cloud_off:",
        )
    elif board.cache_error:
        st.warning(
            f"Only final windows are shown, from Postgres. {board.cache_error}",
            title="No live figures",
            icon=":material/cloud_off:",
        )
    elif board.warehouse_error:
        st.warning(
            f"Only the windows that Redis still holds are shown. {board.warehouse_error}",
            title="No history",
            icon=":material/cloud_off:",
        )
    if not board.windows and not (board.cache_error and board.warehouse_error):
        st.info(
            "Windows appear here as soon as the job has counted an event.",
            title="Waiting for events",
            icon=":material/hourglass_empty:",
        )
    freshness = f"Read at {datetime.fromtimestamp(now, tz=UTC):%H:%M:%S} UTC"
    if board.written_ms is not None:
        age_s = max(0.0, now - board.written_ms / 1000)
        freshness += f" · newest figure written {ago(age_s)}"
        if age_s > STALE_AFTER_S:
            freshness += " · :orange[no events since, or the job stands still]"
    st.caption(f"{freshness} · {_supervision(board)}")


def _supervision(board: Board) -> str:
    """Whether somebody looks after the job."""
    if board.warehouse_error:
        return "whether the job is looked after is not known"
    if board.supervisor is None:
        return ":red[nobody looks after the job]"
    looked = f"the job was last looked after {ago(board.supervisor.age_s)}"
    return f":red[{looked}]" if board.supervisor.age_s > load_settings().heartbeat_alarm else looked


def _draw_window(title: str, badge: str, window: Window | None) -> None:
    state = ":gray[none at the moment]" if window is None else f"{badge} :gray[{_moment(window)}]"
    st.markdown(f"**{title}** {state}")
    impressions, clicks, ctr = st.columns(3, wrap=False)
    impressions.metric("Impressions", None if window is None else count(window.impressions))
    clicks.metric("Clicks", None if window is None else count(window.clicks))
    ctr.metric("CTR", None if window is None else rate(window.ctr))


def _moment(window: Window) -> str:
    return f"{window.start:%Y-%m-%d} {span(window)} UTC"


def _draw_chart(board: Board) -> None:
    st.markdown("**Impressions and CTR by window**")
    newest = board.windows[0]
    state = "final" if newest.final else "open"
    plot(
        windows_figure(board.windows, board.window_type),
        key=f"windows-{board.window_type}",
        height_px=CHART_HEIGHT_PX,
        alt=f"Impressions and CTR of the latest windows; the newest, {span(newest.window)} UTC, is {state}: "
        f"{count(newest.window.impressions)} impressions, CTR {rate(newest.window.ctr)}",
    )


def _draw_breakdown(board: Board) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown("**Split of a window**")
        choice = st.segmented_control(
            "Window to split",
            (OPEN, FINAL),
            default=OPEN,
            required=True,
            key=f"split-{board.window_type}",
            label_visibility="collapsed",
        )
    by_choice: dict[str, WindowDetail | None] = {OPEN: board.open_window, FINAL: board.final_window}
    window = by_choice[choice] or board.open_window or board.final_window
    if window is None:
        st.caption("No window's segments can be read at the moment.")
        return
    st.caption(f"{span(window)} UTC · {'open' if window is board.open_window else 'final'}")
    categories, devices = st.columns(2)
    with categories:
        _draw_parts("Site category", by_category(window), f"categories-{board.window_type}")
    with devices:
        _draw_parts("Device type", by_device(window), f"devices-{board.window_type}")


def _draw_parts(dimension: str, parts: list[Part], key: str) -> None:
    st.markdown(dimension)
    largest = parts[0]
    plot(
        parts_figure(parts),
        key=key,
        height_px=PARTS_HEIGHT_PX,
        alt=f"Impressions and CTR by {dimension.lower()}; the largest is {largest.label} with "
        f"{count(largest.impressions)} impressions, CTR {rate(largest.ctr)}",
    )


def _draw_table(board: Board) -> None:
    st.markdown("**Latest windows**")
    st.dataframe(
        [
            {
                "start": shown.window.start,
                "window": span(shown.window),
                "state": [FINAL if shown.final else OPEN],
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
            "start": st.column_config.DatetimeColumn("Date", format="YYYY-MM-DD", timezone="UTC"),
            "window": st.column_config.TextColumn("Window, UTC"),
            "state": st.column_config.MultiselectColumn(
                "State", options=[OPEN, FINAL], color=["orange", "green"]
            ),
            "impressions": st.column_config.NumberColumn("Impressions", format="localized"),
            "clicks": st.column_config.NumberColumn("Clicks", format="localized"),
            "ctr": st.column_config.NumberColumn("CTR", format="%.2f%%"),
        },
        alt="The latest windows, the newest first",
    )
