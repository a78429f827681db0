"""What the app and its cards are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from contract.errors import CtrError
from dashboard.components import stores
from dashboard.view_models.labels import plain

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from dashboard.user_context.formatting import UserContext


def app_title(user: UserContext) -> str:
    """The title of the counted stream, in the reader's language; the app's own if no stream can be read."""
    try:
        titles = stores.stream().declaration.title
    except CtrError:
        return user.t("Ad CTR")
    return plain(user.titled(titles))


def heading(text: str) -> DeltaGenerator:
    """Draw a card's heading; what is drawn into the result stands beside it."""
    row = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    row.markdown(f"**{text}**", width="content")
    return row
