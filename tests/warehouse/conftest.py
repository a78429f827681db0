"""Stores of their own for the tests of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.stores import empty, running_stores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

    from tests.support.stack import RunningStack


@pytest.fixture(scope="session")
def stores() -> Iterator[RunningStack]:
    with running_stores() as running:
        yield running


@pytest.fixture
def url(stores: RunningStack) -> URL:
    """Address of a migrated warehouse without rows."""
    empty(stores.settings.postgres_url)
    return stores.settings.postgres_url
