"""Stores of their own for the tests of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.isolation import empty_cache, use_settings
from tests.support.stores import empty

if TYPE_CHECKING:
    from contract.settings import Settings
    from tests.support.stack import RunningStack


@pytest.fixture
def settings(stores: RunningStack, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of empty stores, which the dashboard finds as well."""
    empty(stores.settings.postgres_url)
    empty_cache(stores.settings)
    return use_settings(monkeypatch, stores)
