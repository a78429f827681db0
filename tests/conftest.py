"""Fixtures for the whole suite."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ctr_platform.stack.catalog import DATA_SERVICES
from tests.support.stack import RunningStack, running_stack

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--drill-report",
        type=Path,
        metavar="FILE",
        help="where a drill of all faults writes what it has shown; without it, it only prints that",
    )


def pytest_configure() -> None:
    """End like Ctrl-C when told to end, so that fixtures stop what they started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def stack() -> Iterator[RunningStack]:
    """Postgres, Redis, Kafka, registry and a Flink cluster, shared by the session's tests.

    Use names of your own for topics, consumer groups and rows; put back what you stop.
    """
    with running_stack(DATA_SERVICES) as running:
        yield running
