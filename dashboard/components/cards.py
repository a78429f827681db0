"""Cards of figures: a window, how exact it is, how late it is on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import streamlit as st

from dashboard.components import stores
from dashboard.components.address import preferences
from dashboard.user_context.measures import measured
from dashboard.view_models.labels import plain

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from dashboard.user_context.formatting import UserContext
    from dashboard.view_models.live import LiveData
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


def render_open_window(user: UserContext, live_data: LiveData) -> None:
    """Draw the window that is filling up; its CTR is compared with the last closed one's."""
    window, before = live_data.open_window, live_data.final_window
    badge = user.t(":orange-badge[:material/pending: Open]")
    _title(user, user.t("Current window"), badge, window)
    impressions, clicks, ctr = figures()
    impressions.metric(user.t("Impressions"), _count(user, window.impressions if window else None))
    clicks.metric(user.t("Clicks"), _count(user, window.clicks if window else None))
    with ctr:
        _render_rate(user, window, before)
    _render_measures(user, window)
    st.caption(user.t("CTR compared with the last closed window's."))


def render_final_window(user: UserContext, live_data: LiveData) -> None:
    """Draw the last closed window, compared with the one before and the one an hour earlier."""
    window, before = live_data.final_window, live_data.before_final
    badge = user.t(":green-badge[:material/check_circle: Final]")
    _title(user, user.t("Last closed window"), badge, window)
    impressions, clicks, ctr = figures()
    for place, name, figure in (
        (impressions, user.t("Impressions"), "impressions"),
        (clicks, user.t("Clicks"), "clicks"),
    ):
        now = None if window is None else getattr(window, figure)
        earlier = None if before is None else getattr(before, figure)
        place.metric(
            name,
            _count(user, now),
            _grown(user, now, earlier),
            # More traffic is neither good nor bad.
            delta_color="off",
        )
    with ctr:
        _render_rate(user, window, before)
    _render_measures(user, window)
    st.caption(f"{_before(user, before)} {_earlier(user, window, live_data.earlier)}")


def render_trust(user: UserContext, live_data: LiveData) -> None:
    """Draw how exact the last verified window is, and how long events take to the screen."""
    chosen = preferences()
    accuracy, delay = st.columns(2, wrap=False)
    with accuracy:
        verified = live_data.verification
        colour = accuracy_colour(verified)
        st.metric(
            user.t("Accuracy"),
            None if verified is None else f":{colour}[{user.rate(verified.accuracy)}]",
            help=user.t("Of the last window that was counted a second time, independently, from the topic."),
        )
        st.caption(
            user.t("nothing verified yet")
            if verified is None
            else user.t("window of {start}", start=user.clock(verified.window_start))
        )
    with delay:
        waited = live_data.delay_s
        colour = "red" if waited is not None and waited > chosen.delay_max else "green"
        silent = waited is None or live_data.away("Redis")
        st.metric(
            user.t("Event to screen"),
            None if silent or waited is None else f":{colour}[{user.duration(waited)}]",
            help=user.t(
                "How long the events that closed the last windows took to be counted, "
                "and how old the newest figure was when it was read."
            ),
        )
        st.caption(user.t("when this was drawn"))


def accuracy_colour(verified: Verification | None) -> Colour:
    """Green is exact, orange is not exact, red is an alarm."""
    if verified is None:
        return "gray"
    alarm = preferences().accuracy_min
    if verified.accuracy < (stores.settings().accuracy_alarm_percent if alarm is None else alarm):
        return "red"
    return "green" if verified.exact else "orange"


def _title(user: UserContext, title: str, badge: str, window: Window | None) -> None:
    if window is None:
        state = user.t(":gray[none at the moment]")
    else:
        state = f"{badge} :gray[{user.day(window.start)} {user.span(window)} {user.zone_name}]"
    st.markdown(f"**{title}** {state}")


def _render_rate(user: UserContext, window: Window | None, before: Window | None) -> None:
    chosen = preferences()
    value = None
    if window is not None:
        value = user.rate(window.ctr)
        if window.impressions and not chosen.ctr_min <= window.ctr <= chosen.ctr_max:
            value = f":red[{value}]"
    moved = None
    if window and before and window.impressions and before.impressions:
        moved = user.points(window.ctr, before.ctr) if window.ctr != before.ctr else UNCHANGED
    st.metric(user.t("CTR"), value, moved)


def _render_measures(user: UserContext, window: Window | None) -> None:
    """Draw what the stream sums besides, in rows of three."""
    measures = stores.measures()
    if not measures or window is None:
        return
    grid = st.grid(3, min_column_width=NARROWEST_FIGURE_PX)
    for title, value in measured(user, measures, window).items():
        grid.metric(plain(title), None if value is None else user.amount(value))


def _grown(user: UserContext, now: int | None, before: int | None) -> str | int | None:
    if now is None or not before:
        return None
    return UNCHANGED if now == before else user.change(now, before)


def _before(user: UserContext, before: Window | None) -> str:
    if before is None:
        return user.t("Nothing was counted in the window before.")
    return user.t("Compared with {span}.", span=user.span(before))


def _earlier(user: UserContext, window: Window | None, earlier: Window | None) -> str:
    if window is None:
        return user.t("no closed window yet")
    if earlier is None or not earlier.impressions:
        return user.t("Nothing was counted at this minute an hour earlier.")
    return user.t(
        "An hour earlier: {impressions} impressions ({change} since), CTR {ctr} ({points}).",
        impressions=user.count(earlier.impressions),
        change=user.change(window.impressions, earlier.impressions),
        ctr=user.rate(earlier.ctr),
        points=user.points(window.ctr, earlier.ctr),
    )


def _count(user: UserContext, number: int | None) -> str | None:
    return None if number is None else user.count(number)
