"""The page's address: what the reader has chosen, and who the reader is.

The address is the one place of all choices, so that a link shows another reader the same view. They are
written here rather than bound to widgets, since a bound parameter is lost on pages without its widget.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import streamlit as st

from dashboard.components import stores
from dashboard.user_context.formatting import UserContext, user_of
from dashboard.user_context.preferences import Preferences, read_preferences
from warehouse.windows import Selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warehouse.windows import Value

KEPT: Final = "choices"
"""In the session's state: the address' parameters."""

NUMBER: Final = re.compile("-?[0-9]{1,9}")
"""A value of a dimension that is a number."""

NUL: Final = "\0"
"""Postgres takes no text with it."""


def preferences() -> Preferences:
    """What the reader has chosen."""
    return read_preferences(st.query_params.to_dict())


def user() -> UserContext:
    """Who reads: by their choices, else by their browser."""
    return user_of(preferences(), {"locale": st.context.locale, "timezone": st.context.timezone})


def chosen_segments(suffix: str = "") -> Selection:
    """The segments that are chosen; `suffix` tells two choices of a page apart.

    What can be the name of none is as good as absent.
    """
    chosen: dict[str, list[Value]] = {}
    for dimension in stores.dimensions():
        named = st.query_params.get_all(dimension.parameter + suffix)
        chosen[dimension.column] = (
            [int(value) for value in named if NUMBER.fullmatch(value)]
            if dimension.is_number
            else [value for value in named if NUL not in value]
        )
    return Selection.of(chosen)


def chosen(name: str, options: Sequence[str]) -> str:
    """One of some options; the first, unless the address names another."""
    value = st.query_params.get(name, options[0])
    return value if value in options else options[0]


def choose(name: str, value: str | Sequence[str] | None) -> None:
    """Write a choice into the address; None or nothing takes it out."""
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)
    keep_choices()


def keep_choices() -> None:
    """Remember what the address holds."""
    st.session_state[KEPT] = {name: st.query_params.get_all(name) for name in st.query_params}


def lost_choices() -> dict[str, list[str]]:
    """What was in the address before the reader went to another page, where Streamlit begins with none."""
    kept: dict[str, list[str]] = st.session_state.get(KEPT, {})
    return {name: values for name, values in kept.items() if name not in st.query_params}


def choose_by(name: str, key: str, default: object = None) -> None:
    """Write what a widget holds; for `on_change`."""
    value = st.session_state[key]
    choose(name, None if value is None or value == default else str(value))
