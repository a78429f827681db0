"""The choice of how far back a page looks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import streamlit as st

from dashboard.parts.address import choose_by, chosen

if TYPE_CHECKING:
    from dashboard.reader.wording import Reader

SPANS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


def choose_span(reader: Reader, name: str = "span") -> timedelta:
    """Draw the choice; it is kept in the address under `name`."""
    names = {
        "hour": reader.text("Hour"),
        "day": reader.text("Day"),
        "week": reader.text("Week"),
    }
    key = f"choice-{name}"
    options = list(SPANS)
    st.segmented_control(
        reader.text("Span"),
        options,
        default=chosen(name, options),
        format_func=lambda span: names[span],
        required=True,
        key=key,
        on_change=choose_by,
        args=(name, key, options[0]),
    )
    return SPANS[chosen(name, options)]
