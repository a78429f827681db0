"""How exact the windows are, and what became of every record."""

from __future__ import annotations

import streamlit as st

from dashboard.parts.address import preferences, reader
from dashboard.parts.quality_view import draw_quality
from dashboard.parts.spans import choose_span

span = choose_span(reader(), "looked_back")


@st.fragment(run_every=preferences().refresh)
def refreshed() -> None:
    """Draw the page."""
    draw_quality(reader(), span)


refreshed()
