"""Which segments the charts of a page are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.components import stores
from dashboard.components.address import choose_by, chosen_segments
from dashboard.user_context.dimensions import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dashboard.user_context.formatting import UserContext
    from warehouse.windows import Segment, Selection


def choose_segments(
    user: UserContext, known: Iterable[Segment], suffix: str = "", *, label: str = ""
) -> Selection:
    """Draw the choice of values of each dimension; nothing chosen means all.

    Args:
        user: who reads it.
        known: segments that there are; what the address names is offered as well.
        suffix: tells two choices of a page apart.
        label: of which choice this is, where there are two.
    """
    selection = chosen_segments(suffix)
    known = list(known)
    chosen = selection.by_dimension()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for dimension in stores.dimensions():
            column, name, title = dimension.column, dimension.parameter, dimension.title(user)
            default = in_order(chosen.get(column, ()))
            there = (segment.value(column) for segment in known)
            options = in_order({*default, *(each for each in there if each is not None)})
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
