"""Dagster's web server, as the stack runs it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from ctr_platform.defs.flink_job.supervisor import bring_up_job
from ctr_platform.devstack.services.web import CONNECTION_S
from tests.drills.environment import LAUNCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.stack import RunningStack, SharedStack

ANSWER_WITHIN_S: Final = 120
"""The first launch loads all definitions."""


@pytest.fixture
def web(shared: SharedStack) -> Iterator[RunningStack]:
    """Without a daemon: what is launched stays queued."""
    yield shared.need("dagster-webserver")
    shared.stop("dagster-webserver")


def test_runs_can_be_launched_after_postgres_was_killed(web: RunningStack) -> None:
    query = {"query": LAUNCH, "variables": {"job": bring_up_job.name, "config": {}}}

    def launch() -> str:
        answer = httpx.post(f"{web.settings.dagster_ui_url}/graphql", json=query, timeout=ANSWER_WITHIN_S)
        return str(answer.raise_for_status().json()["data"]["launchRun"]["run"]["runId"])

    launched = {launch()}
    web.kill("postgres")
    web.wait_ready("postgres")
    time.sleep(CONNECTION_S)
    # One after the other: each of Dagster's storages has connections of its own.
    launched |= {launch() for _ in range(3)}
    assert len(launched) == 4
