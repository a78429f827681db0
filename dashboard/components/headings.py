"""Headings of cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


def heading(text: str) -> DeltaGenerator:
    """Draw a card's heading; what is drawn into the result stands beside it."""
    row = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    row.markdown(f"**{text}**", width="content")
    return row
