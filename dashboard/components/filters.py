"""Which segments the charts of a page are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.components.address import CATEGORY, DEVICE, choose_by, chosen_segments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dashboard.user_context.formatting import UserContext
    from warehouse.windows import Segment, Selection


def choose_segments(
    user: UserContext, known: Iterable[Segment], suffix: str = "", *, label: str = ""
) -> Selection:
    """Draw the choice of categories and devices; nothing chosen means all.

    Args:
        user: who reads it.
        known: segments that there are; what the address names is offered as well.
        suffix: tells two choices of a page apart.
        label: of which choice this is, where there are two.
    """
    selection = chosen_segments(suffix)
    known = list(known)
    categories = {segment.site_category for segment in known} | selection.categories
    devices = {
        segment.device_type for segment in known if segment.device_type is not None
    } | selection.devices
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for name, title, options, default in (
            (CATEGORY, user.t("Site category"), sorted(categories), sorted(selection.categories)),
            (DEVICE, user.t("Device type"), sorted(devices), sorted(selection.devices)),
        ):
            key = f"choice-{name}{suffix}"
            st.multiselect(
                f"{label} · {title}" if label else title,
                options,
                default=default,
                key=key,
                placeholder=user.t("all"),
                on_change=choose_by,
                args=(name + suffix, key),
                width=320,
            )
    return chosen_segments(suffix)
