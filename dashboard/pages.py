"""What every page has: navigation, the title, the theme. The script of each session."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import streamlit as st

from contract.errors import CtrError
from dashboard.components.address import keep_choices, lost_choices, preferences, user
from dashboard.components.headings import app_title
from dashboard.components.stores import read_anew, settings
from dashboard.components.theme import apply_theme

# A file of our own: a Material icon would be fetched from elsewhere.
ICON: Final = Path(__file__).parent / "icon.svg"

if lost := lost_choices():
    st.query_params.update(lost)
who = user()
st.set_page_config(page_title=app_title(who), page_icon=ICON, layout="wide")

page = st.navigation(
    [
        st.Page(
            "app_pages/live.py",
            title=who.t("Live"),
            icon=":material/bolt:",
            default=True,
            help=who.t("The 1 min window that is open now, the last closed one, and the hour before."),
        ),
        st.Page(
            "app_pages/five_minutes.py",
            title=who.t("5 minutes"),
            icon=":material/timelapse:",
            url_path="five-minutes",
            help=who.t("Windows of 5 min over an hour, a day or a week."),
        ),
        st.Page(
            "app_pages/comparison.py",
            title=who.t("Comparison"),
            icon=":material/compare_arrows:",
            url_path="comparison",
            help=who.t("1 min against 5 min, one segment against another, now against yesterday."),
        ),
        st.Page(
            "app_pages/quality.py",
            title=who.t("Quality"),
            icon=":material/verified:",
            url_path="quality",
            help=who.t("How exact the windows are, and what became of every record."),
        ),
        st.Page(
            "app_pages/health.py",
            title=who.t("Health"),
            icon=":material/monitor_heart:",
            url_path="health",
            help=who.t("Services, the Flink job and its checkpoints, and who looks after them."),
        ),
        st.Page(
            "app_pages/settings.py",
            title=who.t("Settings"),
            icon=":material/tune:",
            url_path="settings",
            help=who.t("Refreshing, language, theme, time zone and thresholds, kept in the page's address."),
        ),
    ],
    position="top",
)
if lost:
    # Once more: by now the browser has gone to the page's bare address.
    st.query_params.update(lost)
keep_choices()
apply_theme(preferences().theme)

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    st.title(page.title, anchor=False, width="content")
    # Any click runs the page again.
    st.button(who.t("Refresh now"), icon=":material/refresh:", key="refresh_now", on_click=read_anew)

try:
    settings()
except CtrError as error:
    st.error(str(error), title=who.t("A setting cannot be used"), icon=":material/settings_alert:")
    st.stop()

page.run()
