"""What the reader may choose; every choice goes into the page's address."""

from __future__ import annotations

from zoneinfo import available_timezones

import streamlit as st

from dashboard.components import stores
from dashboard.components.address import choose_by, preferences, user
from dashboard.user_context.preferences import (
    DEFAULT_REFRESH_S,
    FASTEST_REFRESH_S,
    LANGUAGES,
    SLOWEST_REFRESH_S,
    Preferences,
)

who = user()
chosen = preferences()
DEFAULTS = Preferences()
AS_BROWSER = ""


def keyed(name: str) -> str:
    """Return the key of the widget that writes a parameter of the address."""
    return f"setting-{name}"


st.caption(
    who.t("Every choice is kept in the address of the page: a copied link shows others the same view.")
)

with st.container(border=True):
    st.subheader(who.t("View"), anchor=False)
    st.slider(
        who.t("Refresh every, seconds"),
        FASTEST_REFRESH_S,
        SLOWEST_REFRESH_S,
        chosen.refresh,
        key=keyed("refresh"),
        on_change=choose_by,
        args=("refresh", keyed("refresh"), DEFAULT_REFRESH_S),
        width=480,
    )
    languages: dict[str, str] = {AS_BROWSER: who.t("As the browser has it")}
    languages.update(LANGUAGES.items())
    themes: dict[str, str] = {
        AS_BROWSER: who.t("As the system has it"),
        "light": who.t("Light"),
        "dark": who.t("Dark"),
    }
    for name, title, names, value in (
        ("lang", who.t("Language"), languages, chosen.lang),
        ("theme", who.t("Theme"), themes, chosen.theme),
    ):
        st.segmented_control(
            title,
            list(names),
            default=value or AS_BROWSER,
            format_func=names.__getitem__,
            required=True,
            key=keyed(name),
            on_change=choose_by,
            args=(name, keyed(name), AS_BROWSER),
        )
    zones = [AS_BROWSER, "UTC", *sorted(available_timezones() - {"UTC"})]
    st.selectbox(
        who.t("Time zone"),
        zones,
        index=zones.index(chosen.tz or AS_BROWSER),
        format_func=lambda zone: zone or who.t("As the browser has it"),
        key=keyed("tz"),
        on_change=choose_by,
        args=("tz", keyed("tz"), AS_BROWSER),
        width=320,
    )

with st.container(border=True):
    st.subheader(who.t("Thresholds"), anchor=False)
    st.caption(who.t("Figures beyond them are red."))
    accuracy = stores.settings().accuracy_alarm_percent
    with st.container(horizontal=True):
        for name, title, limit, default, highest in (
            ("accuracy_min", who.t("Accuracy below, %"), chosen.accuracy_min, accuracy, 100.0),
            ("delay_max", who.t("Event to screen above, s"), chosen.delay_max, DEFAULTS.delay_max, None),
            ("ctr_min", who.t("CTR below, %"), chosen.ctr_min, DEFAULTS.ctr_min, 100.0),
            ("ctr_max", who.t("CTR above, %"), chosen.ctr_max, DEFAULTS.ctr_max, 100.0),
        ):
            st.number_input(
                title,
                min_value=0.1 if name == "delay_max" else 0.0,
                max_value=highest,
                value=default if limit is None else limit,
                step=0.1,
                key=keyed(name),
                on_change=choose_by,
                args=(name, keyed(name), default),
                width=220,
            )
