"""Stores of their own for the tests of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ctr_platform.settings import Settings
from tests.support.stores import empty, running_stores
from tests.support.windows import empty_cache

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.stack import RunningStack


@pytest.fixture(scope="session")
def stores() -> Iterator[RunningStack]:
    with running_stores() as running:
        yield running


@pytest.fixture
def settings(stores: RunningStack, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of empty stores, which the dashboard finds by `CTR_HOME` too."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("CTR_HOME", str(stores.home))
    empty(stores.settings.postgres_url)
    empty_cache(stores.settings)
    return stores.settings
