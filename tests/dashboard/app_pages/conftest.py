"""What the pages of these tests show: windows in both stores, and what is offered as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import streamlit as st

if TYPE_CHECKING:
    from warehouse.windows import WindowType

Files = dict[str, str]


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Files:
    """Contents of the files that the last run of a page has offered, by name."""
    offered: Files = {}
    button = st.download_button

    def recording(label: str, data: Any, file_name: str, **more: Any) -> bool:
        offered[file_name] = data()
        return button(label, data, file_name, **more)

    monkeypatch.setattr(st, "download_button", recording)
    return offered


@pytest.fixture(params=["1min", "5min"])
def window_type(request: pytest.FixtureRequest) -> WindowType:
    chosen: WindowType = request.param
    return chosen
