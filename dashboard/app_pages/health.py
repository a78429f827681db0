"""Services, the Flink job and its checkpoints, and who looks after them."""

from __future__ import annotations

import streamlit as st

from dashboard.parts.address import preferences, reader
from dashboard.parts.health_view import draw_health


@st.fragment(run_every=preferences().refresh)
def refreshed() -> None:
    """Draw the page."""
    draw_health(reader())


refreshed()
