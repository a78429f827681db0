"""A service that the job, or Dagster, lives on is killed."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from ctr_platform.devstack.probes import wait_until
from tests.drills.environment import RUNNING_WITHIN_S, seconds_until

if TYPE_CHECKING:
    from tests.drills.environment import DrillEnvironment
    from tests.drills.report import Report

pytestmark = [pytest.mark.drill, pytest.mark.timeout(3600)]

FELT_WITHIN_S: Final = 20
"""A job that cannot write fails within this, if it fails."""


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("kafka", "Kafka"),
        ("postgres", "Postgres"),
        ("redis", "Redis"),
        ("registry", "Schema Registry"),
        ("dagster-daemon", "Dagster daemon"),
    ],
)
def test_a_killed_service(platform: DrillEnvironment, report: Report, name: str, title: str) -> None:
    before = platform.job()
    assert before is not None
    began = datetime.now(tz=UTC)
    platform.stack.kill(name)
    detected = time.time() - began.timestamp()
    platform.stack.wait_ready(name)
    running = seconds_until(lambda: platform.job() is not None, RUNNING_WITHIN_S, "job", began.timestamp())
    time.sleep(FELT_WITHIN_S)
    failed = platform.failed_since(before.id, began.timestamp())
    wait_until(lambda: platform.job() is not None, RUNNING_WITHIN_S, "the job")
    report.verify_deployment(
        platform.settings,
        f"`kill -9` {title}",
        began,
        detected_s=detected,
        running_s=running,
        restored_from=platform.restored_from() if failed else "- (the job went on)",
    )
