"""The dashboard's server: `streamlit run dashboard/streamlit_app.py` from the project's root."""

from __future__ import annotations

import streamlit as st
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

import dashboard.components.live_view  # noqa: F401 - now, rather than while the first visitor waits
from dashboard.charts.plot import PLOTLY_ROUTE

# plotly.js comes from the installed package, so that figures and their renderer are of one version and
# nothing is fetched from elsewhere.
app = st.App(
    "pages.py",
    routes=[Mount(PLOTLY_ROUTE, StaticFiles(packages=[("plotly", "package_data")]))],
)
