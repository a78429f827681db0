"""Stores of their own for the tests of this room: they judge everything that a warehouse holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.isolation import own

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.settings import Settings
    from tests.support.stack import RunningStack, SharedStack


@pytest.fixture
def stores(shared: SharedStack) -> Iterator[RunningStack]:
    """Postgres, Redis and Kafka, and the server of the report's pages."""
    running = shared.need("postgres", "redis", "kafka", "reports")
    with own(running) as made:
        yield made.with_settings(quality_dir=running.settings.quality_dir)


@pytest.fixture
def settings(stores: RunningStack) -> Settings:
    return stores.settings
