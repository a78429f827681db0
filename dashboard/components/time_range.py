"""The choice of how far back a page looks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import streamlit as st

from dashboard.components.address import choose_by, chosen

if TYPE_CHECKING:
    from dashboard.user_context.formatting import UserContext

SPANS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


def choose_span(user: UserContext, name: str = "span") -> timedelta:
    """Draw the choice; it is kept in the address under `name`."""
    names = {
        "hour": user.t("Hour"),
        "day": user.t("Day"),
        "week": user.t("Week"),
    }
    key = f"choice-{name}"
    options = list(SPANS)
    st.segmented_control(
        user.t("Span"),
        options,
        default=chosen(name, options),
        format_func=lambda span: names[span],
        required=True,
        key=key,
        on_change=choose_by,
        args=(name, key, options[0]),
    )
    return SPANS[chosen(name, options)]
