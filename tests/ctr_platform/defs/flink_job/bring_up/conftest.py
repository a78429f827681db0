"""The stack of this package, its Dagster instance, and the states that its tests begin from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dagster as dg
import pytest

from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.devstack.probes import wait_until
from ctr_platform.loadgen.plan import TrafficRequest
from flink.config import JOB_NAME
from tests.support.bring_up import bring_up
from tests.support.isolation import own, use_settings
from tests.support.pipeline import SECONDS, end_all_jobs
from tests.support.sending import send
from warehouse.reads import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.stack import RunningStack
    from warehouse.windows import Window

TRAFFIC: Final = TrafficRequest(rate=1_000, duration_ms=1_000)
COUNTED_WITHIN_S: Final = 120
"""A checkpoint, the silence after which the windows close without another event, and a slow machine."""


@pytest.fixture(scope="package")
def own_stack(stack: RunningStack) -> Iterator[RunningStack]:
    """What the tests of this package share, so that a job can be found restored."""
    with own(stack.with_settings(**SECONDS), database="empty") as made:
        yield made
        end_all_jobs(made.settings)


@pytest.fixture(autouse=True)
def _settings(own_stack: RunningStack, warm_submissions: object, monkeypatch: pytest.MonkeyPatch) -> None:
    del warm_submissions
    use_settings(monkeypatch, own_stack)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    # On disk: a schedule is given an instance by reference.
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


@pytest.fixture
def cold_stack(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch, _settings: None
) -> Iterator[RunningStack]:
    """No topics, no tables, no job."""
    end_all_jobs(stack.settings)
    with own(stack.with_settings(**SECONDS), database="empty") as made:
        use_settings(monkeypatch, made)
        yield made
        end_all_jobs(made.settings)


@pytest.fixture
def job(own_stack: RunningStack, instance: dg.DagsterInstance) -> str:
    """Id of the one job that runs."""
    with FlinkCluster(own_stack.settings.flink_rest_url) as cluster:
        if len(cluster.alive(JOB_NAME)) != 1:
            assert bring_up(instance).success
        [alive] = cluster.alive(JOB_NAME)
        return alive.id


@pytest.fixture
def ended_job(own_stack: RunningStack, job: str) -> str:
    """Id of a job that was cancelled; no other runs."""
    end_all_jobs(own_stack.settings)
    return job


@pytest.fixture
def traffic(own_stack: RunningStack, job: str) -> Window:
    """Some of it, in the ledger; returns a closed window."""
    del job
    settings = own_stack.settings
    send(settings, TRAFFIC)
    warehouse = Warehouse(settings.postgres_url)

    def counted() -> bool:
        return bool(warehouse.latest_windows("1min", 1) and warehouse.ledger_totals(settings.raw_topic))

    try:
        wait_until(counted, COUNTED_WITHIN_S, "a closed window")
        return warehouse.latest_windows("1min", 1)[0]
    finally:
        warehouse.close()
