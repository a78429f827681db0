"""1 min against 5 min, one segment against another, now against yesterday."""

from __future__ import annotations

import streamlit as st

from dashboard.parts.address import preferences, reader
from dashboard.parts.comparison_view import choose_mode, choose_sides, draw_comparison
from dashboard.parts.spans import choose_span

with st.container(horizontal=True):
    mode = choose_mode(reader())
    span = choose_span(reader(), "compared_over")
choose_sides(reader(), mode, span)


@st.fragment(run_every=preferences().refresh)
def refreshed() -> None:
    """Draw the page."""
    draw_comparison(reader(), mode, span)


refreshed()
