"""Cards of figures: a window, how exact it is, how late it is on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import streamlit as st

from dashboard.parts import stores
from dashboard.parts.address import preferences

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from dashboard.content.board import Board
    from dashboard.reader.wording import Reader
    from warehouse.quality_reads import Verification
    from warehouse.windows import Window

NARROWEST_FIGURE_PX: Final = 110
"""Room for seven digits."""

UNCHANGED: Final = 0
"""As a number Streamlit shows it without an arrow."""

Colour = Literal["green", "orange", "red", "gray"]


def figures() -> tuple[DeltaGenerator, DeltaGenerator, DeltaGenerator]:
    """Make places for three figures beside each other, or below where the page is narrow."""
    grid = st.grid(3, min_column_width=NARROWEST_FIGURE_PX)
    return grid.container(), grid.container(), grid.container()


def draw_open_window(reader: Reader, board: Board) -> None:
    """Draw the window that is filling up; its CTR is compared with the last closed one's."""
    window, before = board.open_window, board.final_window
    badge = reader.text(":orange-badge[:material/pending: Open]")
    _title(reader, reader.text("Current window"), badge, window)
    impressions, clicks, ctr = figures()
    impressions.metric(reader.text("Impressions"), _count(reader, window.impressions if window else None))
    clicks.metric(reader.text("Clicks"), _count(reader, window.clicks if window else None))
    with ctr:
        _draw_rate(reader, window, before)
    st.caption(reader.text("CTR compared with the last closed window's."))


def draw_final_window(reader: Reader, board: Board) -> None:
    """Draw the last closed window, compared with the one before and the one an hour earlier."""
    window, before = board.final_window, board.before_final
    badge = reader.text(":green-badge[:material/check_circle: Final]")
    _title(reader, reader.text("Last closed window"), badge, window)
    impressions, clicks, ctr = figures()
    for place, name, figure in (
        (impressions, reader.text("Impressions"), "impressions"),
        (clicks, reader.text("Clicks"), "clicks"),
    ):
        now = None if window is None else getattr(window, figure)
        earlier = None if before is None else getattr(before, figure)
        place.metric(
            name,
            _count(reader, now),
            _grown(reader, now, earlier),
            # More traffic is neither good nor bad.
            delta_color="off",
        )
    with ctr:
        _draw_rate(reader, window, before)
    st.caption(f"{_before(reader, before)} {_earlier(reader, window, board.earlier)}")


def draw_trust(reader: Reader, board: Board) -> None:
    """Draw how exact the last verified window is, and how long events take to the screen."""
    chosen = preferences()
    accuracy, delay = st.columns(2, wrap=False)
    with accuracy:
        verified = board.verification
        colour = accuracy_colour(verified)
        st.metric(
            reader.text("Accuracy"),
            None if verified is None else f":{colour}[{reader.rate(verified.accuracy)}]",
            help=reader.text(
                "Of the last window that was counted a second time, independently, from the topic."
            ),
        )
        st.caption(
            reader.text("nothing verified yet")
            if verified is None
            else reader.text("window of {start}", start=reader.clock(verified.window_start))
        )
    with delay:
        waited = board.delay_s
        colour = "red" if waited is not None and waited > chosen.delay_max else "green"
        silent = waited is None or board.away("Redis")
        st.metric(
            reader.text("Event to screen"),
            None if silent or waited is None else f":{colour}[{reader.duration(waited)}]",
            help=reader.text(
                "How long the events that closed the last windows took to be counted, "
                "and how old the newest figure was when it was read."
            ),
        )
        st.caption(reader.text("when this was drawn"))


def accuracy_colour(verified: Verification | None) -> Colour:
    """Green is exact, orange is not exact, red is an alarm."""
    if verified is None:
        return "gray"
    alarm = preferences().accuracy_min
    if verified.accuracy < (stores.settings().accuracy_alarm_percent if alarm is None else alarm):
        return "red"
    return "green" if verified.exact else "orange"


def _title(reader: Reader, title: str, badge: str, window: Window | None) -> None:
    if window is None:
        state = reader.text(":gray[none at the moment]")
    else:
        state = f"{badge} :gray[{reader.day(window.start)} {reader.span(window)} {reader.zone_name}]"
    st.markdown(f"**{title}** {state}")


def _draw_rate(reader: Reader, window: Window | None, before: Window | None) -> None:
    chosen = preferences()
    value = None
    if window is not None:
        value = reader.rate(window.ctr)
        if window.impressions and not chosen.ctr_min <= window.ctr <= chosen.ctr_max:
            value = f":red[{value}]"
    moved = None
    if window and before and window.impressions and before.impressions:
        moved = reader.points(window.ctr, before.ctr) if window.ctr != before.ctr else UNCHANGED
    st.metric(reader.text("CTR"), value, moved)


def _grown(reader: Reader, now: int | None, before: int | None) -> str | int | None:
    if now is None or not before:
        return None
    return UNCHANGED if now == before else reader.change(now, before)


def _before(reader: Reader, before: Window | None) -> str:
    if before is None:
        return reader.text("Nothing was counted in the window before.")
    return reader.text("Compared with {span}.", span=reader.span(before))


def _earlier(reader: Reader, window: Window | None, earlier: Window | None) -> str:
    if window is None:
        return reader.text("no closed window yet")
    if earlier is None or not earlier.impressions:
        return reader.text("Nothing was counted at this minute an hour earlier.")
    return reader.text(
        "An hour earlier: {impressions} impressions ({change} since), CTR {ctr} ({points}).",
        impressions=reader.count(earlier.impressions),
        change=reader.change(window.impressions, earlier.impressions),
        ctr=reader.rate(earlier.ctr),
        points=reader.points(window.ctr, earlier.ctr),
    )


def _count(reader: Reader, number: int | None) -> str | None:
    return None if number is None else reader.count(number)
