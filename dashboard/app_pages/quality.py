"""How exact the windows are, and what became of every record."""

from __future__ import annotations

import streamlit as st

from dashboard.components.address import preferences, user
from dashboard.components.quality_view import render_quality
from dashboard.components.time_range import choose_span

span = choose_span(user(), "looked_back")


@st.fragment(run_every=preferences().refresh)
def refreshed() -> None:
    """Draw the page."""
    render_quality(user(), span)


refreshed()
