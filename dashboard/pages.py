"""What every page has: navigation, the title, the pace of refreshing. The script of each session."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import streamlit as st

from ctr_platform.errors import CtrError
from ctr_platform.settings import load_settings
from dashboard.refresh import refresh_controls

# A file of our own: a Material icon would be fetched from elsewhere.
ICON: Final = Path(__file__).parent / "icon.svg"

st.set_page_config(page_title="Ad CTR", page_icon=ICON, layout="wide")

page = st.navigation(
    [
        st.Page(
            "app_pages/one_minute.py",
            title="Live, 1 min",
            icon=":material/bolt:",
            default=True,
            help="The 1 min window that is open now, the last closed one, and the half hour before.",
        ),
        st.Page(
            "app_pages/five_minutes.py",
            title="Live, 5 min",
            icon=":material/timelapse:",
            url_path="five-minutes",
            help="The same by windows of 5 min: the last two and a half hours.",
        ),
    ],
    position="top",
)

with st.container(horizontal=True, vertical_alignment="bottom"):
    st.title(page.title, anchor=False)
    refresh_controls()

try:
    load_settings()
except CtrError as error:
    st.error(str(error), title="A setting cannot be used", icon=":material/settings_alert:")
    st.stop()

page.run()
