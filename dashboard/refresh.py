"""How often the pages read the stores again."""

from __future__ import annotations

from typing import Final

import streamlit as st

DEFAULT_REFRESH_S: Final = 10
"""The contract's pace of the dashboard."""

REFRESH_CHOICES_S: Final = (5, 10, 15, 30, 60)
"""Faster than 5 s nobody reads; slower than a minute it is no live page."""

_KEY: Final = "refresh"


def refresh_controls() -> None:
    """Draw the choice of the interval, kept in the address of the page, and a button to refresh at once."""
    st.selectbox(
        "Refresh every",
        REFRESH_CHOICES_S,
        index=REFRESH_CHOICES_S.index(DEFAULT_REFRESH_S),
        format_func=lambda seconds: f"{seconds} s",
        key=_KEY,
        bind="query-params",
        width=120,
    )
    # Any click runs the page again, which reads everything anew.
    st.button("Refresh now", icon=":material/refresh:", key="refresh_now")


def refresh_interval_s() -> int:
    """Return the chosen interval, s; the controls must have been drawn."""
    return int(st.session_state[_KEY])
