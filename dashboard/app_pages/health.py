"""Services, the Flink job and its checkpoints, and who looks after them."""

from __future__ import annotations

import streamlit as st

from dashboard.components.address import preferences, user
from dashboard.components.health_view import render_health


@st.fragment(run_every=preferences().refresh)
def refreshed() -> None:
    """Draw the page."""
    render_health(user())


refreshed()
