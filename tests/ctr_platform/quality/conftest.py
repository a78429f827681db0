"""Stores of their own for the tests of this room: they judge everything that a warehouse holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.stack import running_stack
from tests.support.stores import empty
from warehouse.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctr_platform.settings import Settings
    from tests.support.stack import RunningStack


@pytest.fixture(scope="session")
def stores() -> Iterator[RunningStack]:
    with running_stack(("postgres", "redis", "kafka", "reports")) as running:
        migrate(running.settings.postgres_url)
        yield running


@pytest.fixture
def settings(stores: RunningStack) -> Settings:
    """Where a migrated warehouse without rows is."""
    empty(stores.settings.postgres_url)
    return stores.settings
