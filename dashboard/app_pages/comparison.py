"""1 min against 5 min, one segment against another, now against yesterday."""

from __future__ import annotations

import streamlit as st

from dashboard.components.address import preferences, user
from dashboard.components.comparison_view import choose_mode, choose_sides, render_comparison
from dashboard.components.time_range import choose_span

with st.container(horizontal=True):
    mode = choose_mode(user())
    span = choose_span(user(), "compared_over")
choose_sides(user(), mode, span)


@st.fragment(run_every=preferences().refresh)
def refreshed() -> None:
    """Draw the page."""
    render_comparison(user(), mode, span)


refreshed()
