"""The theme that the reader has chosen, rather than the one of their system."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

    from dashboard.user_context.preferences import Theme


def apply_theme(theme: Theme | None) -> None:
    """Have the browser load the page in a theme; it does so once, where it shows another."""
    _component()(key="theme", data={"theme": theme})


@cache
def _component() -> ComponentRenderer:
    source = (Path(__file__).parent / "theme.js").read_text(encoding="utf-8")
    return st.components.v2.component("ctr_theme", html="<div></div>", js=source)
