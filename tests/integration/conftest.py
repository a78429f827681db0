"""Fixtures for tests that follow records through the whole pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.pipeline import Pipeline, pipeline
from warehouse.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.stack import RunningStack


@pytest.fixture(scope="session")
def migrated_stack(stack: RunningStack) -> RunningStack:
    """The shared stack, with the warehouse's tables in it."""
    migrate(stack.settings.postgres_url)
    return stack


@pytest.fixture
def job(migrated_stack: RunningStack) -> Iterator[Pipeline]:
    """Topics and a day of its own for one test; no job runs yet."""
    with pipeline(migrated_stack) as made:
        yield made
