"""A run whose process is gone, with a real code server, as the instance's configuration has it."""

from __future__ import annotations

import json
import logging
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import psutil
import pytest
import yaml
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import PythonFileTarget
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration

import ctr_platform
from ctr_platform.devstack.probes import wait_until
from ctr_platform.run_launcher import WatchedRunLauncher

if TYPE_CHECKING:
    from collections.abc import Iterator

STATE_WITHIN_S = 120
GATE_POLL_S = 0.1
GATE = "CTR_TEST_GATE"
"""Variable with the path of the file that lets the run end; the code server inherits it."""


@dg.op
def wait_at_gate() -> None:
    while not Path(os.environ[GATE]).exists():
        time.sleep(GATE_POLL_S)


@dg.job(executor_def=dg.in_process_executor)
def waiting() -> None:
    wait_at_gate()


defs = dg.Definitions(jobs=[waiting])


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "gate"
    monkeypatch.setenv(GATE, str(path))
    return path


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    file = Path(ctr_platform.__file__).with_name("dagster.yaml")
    configured = yaml.safe_load(file.read_text(encoding="utf-8"))
    overrides = {name: configured[name] for name in ("run_launcher", "run_monitoring", "telemetry")}
    home = tmp_path / "dagster"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home), overrides=overrides) as made:
        yield made


@contextmanager
def _started(instance: dg.DagsterInstance, gate: Path) -> Iterator[tuple[WorkspaceProcessContext, str]]:
    """A code server, and a run that it has started and that waits at the gate."""
    target = PythonFileTarget(
        python_file=__file__, attribute=None, working_directory=None, location_name="test"
    )
    with WorkspaceProcessContext(instance, target) as process:
        workspace = process.create_request_context()
        [repository] = workspace.get_code_location("test").get_repositories().values()
        job = repository.get_full_job(waiting.name)
        run = instance.create_run_for_job(
            waiting,
            remote_job_origin=job.get_remote_origin(),
            job_code_origin=job.get_python_origin(),
        )
        instance.launch_run(run.run_id, workspace)
        try:
            wait_until(
                lambda: _status(instance, run.run_id) is dg.DagsterRunStatus.STARTED, STATE_WITHIN_S, "a run"
            )
            yield process, run.run_id
        finally:
            gate.touch()
    # The context asks the code server to end, and leaves the waiting to tests.
    process._grpc_server_registry.wait_for_processes()


def _status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def _health(instance: dg.DagsterInstance, run_id: str) -> WorkerStatus:
    launcher = instance.run_launcher
    assert isinstance(launcher, WatchedRunLauncher)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return launcher.check_run_worker_health(run).status


def _monitor(process: WorkspaceProcessContext) -> None:
    errors = [
        error for error in execute_run_monitoring_iteration(process, logging.getLogger("monitor")) if error
    ]
    assert errors == []


def _kill_code_server(instance: dg.DagsterInstance, run_id: str) -> None:
    """And the run's process with it, as a stop of the whole stack does."""
    run = instance.get_run_by_id(run_id)
    assert run is not None
    socket = json.loads(run.tags[GRPC_INFO_TAG])["socket"]
    [server] = [
        child
        for child in psutil.Process().children(recursive=True)
        if child.status() != psutil.STATUS_ZOMBIE and socket in child.cmdline()
    ]
    killed = [server, *server.children(recursive=True)]
    assert len(killed) > 1
    for process in killed:
        process.kill()
    psutil.wait_procs(killed, timeout=STATE_WITHIN_S)


def test_a_run_that_goes_on_is_left_alone(instance: dg.DagsterInstance, gate: Path) -> None:
    with _started(instance, gate) as (process, run_id):
        assert _health(instance, run_id) is WorkerStatus.RUNNING
        _monitor(process)
        assert _status(instance, run_id) is dg.DagsterRunStatus.STARTED
        gate.touch()
        wait_until(
            lambda: _status(instance, run_id) is dg.DagsterRunStatus.SUCCESS, STATE_WITHIN_S, "its end"
        )
        assert _health(instance, run_id) is WorkerStatus.NOT_FOUND


def test_a_run_whose_code_server_is_gone_has_failed(instance: dg.DagsterInstance, gate: Path) -> None:
    with _started(instance, gate) as (process, run_id):
        _kill_code_server(instance, run_id)
        assert _status(instance, run_id) is dg.DagsterRunStatus.STARTED
        assert _health(instance, run_id) is WorkerStatus.FAILED
        _monitor(process)
        assert _status(instance, run_id) is dg.DagsterRunStatus.FAILURE
