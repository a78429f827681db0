"""Fixtures for the whole suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ctr_platform.stack.catalog import DATA_SERVICES
from tests.support.stack import RunningStack, running_stack

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def stack() -> Iterator[RunningStack]:
    """Postgres, Redis, Kafka, registry and a Flink cluster, shared by the session's tests.

    Use names of your own for topics, consumer groups and rows; put back what you stop.
    """
    with running_stack(DATA_SERVICES) as running:
        yield running
