"""Which segments the charts of a page are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.components import stores
from dashboard.components.address import choose, chosen_segments
from dashboard.user_context.dimensions import in_order
from dashboard.view_models.choices import choices

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from dashboard.user_context.formatting import UserContext
    from dashboard.view_models.choices import Choices
    from warehouse.windows import Segment, Selection, Value


def choose_segments(
    user: UserContext, known: Iterable[Segment], suffix: str = "", *, label: str = ""
) -> Selection:
    """Draw the choice of values of each dimension; nothing chosen means all.

    Args:
        user: who reads it.
        known: segments that there are, of whose impressions each value's share is told; what the address
            names is offered as well.
        suffix: tells two choices of a page apart.
        label: of which choice this is, where there are two.
    """
    known = list(known)
    chosen = chosen_segments(suffix).by_dimension()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for dimension in stores.dimensions():
            name, title = dimension.parameter + suffix, dimension.title(user)
            there = chosen.get(dimension.column, set())
            offered = choices(user, dimension, known, there)
            key = f"choice-{name}"
            _hold(key, offered, there)
            st.multiselect(
                f"{label} · {title}" if label else title,
                list(offered.labels),
                format_func=offered.label,
                key=key,
                placeholder=user.t("all"),
                on_change=_choose,
                args=(name, key, offered),
                width=320,
            )
    return chosen_segments(suffix)


def _hold(key: str, offered: Choices, chosen: AbstractSet[Value]) -> None:
    """Let the widget hold what the address says, by the labels of this run.

    The browser knows a choice by its label alone. Without this it would go on showing, and sending, the share
    that the value had when it was chosen.
    """
    held = offered.chosen(st.session_state.get(key, ()))
    if held or chosen:
        # In the order in which they were chosen.
        st.session_state[key] = held if set(held) == chosen else in_order(chosen)


def _choose(name: str, key: str, offered: Choices) -> None:
    choose(name, [str(each) for each in offered.chosen(st.session_state[key])])
