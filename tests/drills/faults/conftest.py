"""One platform, and one report, for all drills of faults."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest

from ctr_platform.devstack.probes import wait_until
from tests.drills.environment import RUNNING_WITHIN_S, scene
from tests.drills.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.drills.environment import DrillEnvironment

QUIET_S: Final = 20
"""Before a fault, so that each meets a stream that flows and checkpoints that complete."""


@pytest.fixture(scope="package")
def report(request: pytest.FixtureRequest) -> Iterator[Report]:
    """Written at the end where a file is named, as `make drill` does."""
    made = Report()
    yield made
    file = request.config.getoption("--drill-report")
    if file is not None:
        made.write(file, request.session.testsfailed)


@pytest.fixture(scope="package")
def platform() -> Iterator[DrillEnvironment]:
    with scene() as running:
        yield running


@pytest.fixture(autouse=True)
def _quiet(platform: DrillEnvironment) -> None:
    wait_until(lambda: platform.job() is not None, RUNNING_WITHIN_S, "the job")
    time.sleep(QUIET_S)
