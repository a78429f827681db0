"""Plotly charts that stay in place while their figures change.

`st.plotly_chart` builds a chart anew whenever its figure differs, whatever its key: at every refresh it
flashes, and a zoom is lost. This component hands each figure to the chart that is there.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import streamlit as st

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from streamlit.components.v2.types import ComponentRenderer

PLOTLY_ROUTE: Final = "/plotly"
"""Where the dashboard's server offers the files of the plotly package; see `streamlit_app.py`."""


def plot(figure: go.Figure, *, key: str, height_px: int, alt: str) -> None:
    """Draw a figure, in the theme's colours where it has none of its own.

    Args:
        figure: with `layout.uirevision` set to a constant, it keeps the reader's zoom.
        key: unique on the page; the same key is the same chart at every run.
        height_px: of the chart; its width is its container's.
        alt: what the chart says, for those who do not see it.
    """
    base = st.get_option("server.baseUrlPath").strip("/")
    prefix = f"/{base}" if base else ""
    _component()(
        key=key,
        data={
            "figure": figure.to_json(),
            "height_px": height_px,
            "alt": alt,
            "plotly_address": f"{prefix}{PLOTLY_ROUTE}/plotly.min.js",
        },
    )


@cache
def _component() -> ComponentRenderer:
    source = (Path(__file__).parent / "plot.js").read_text(encoding="utf-8")
    # Not isolated: Plotly puts its styles into the page's head.
    return st.components.v2.component(
        "ctr_plot", html='<div class="chart"></div>', js=source, isolate_styles=False
    )
