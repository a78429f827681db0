"""How each kind of fault is done to a running platform, and undone."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import psutil

from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.submission import job_config, submit
from tests.drills.disks import full

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.drills.environment import DrillEnvironment
    from tests.drills.soak.faults import Fault
    from tests.support.topic_writer import TopicWriter

SLOW_BY_MS: Final = 500
CLOCKS_S: Final = {"55 s ahead": 55, "1 h ahead": 3600, "2 h behind": -7200}
STEPPED_FOR_S: Final = 20
COMMITS: Final = 3
COMMIT_EVERY_S: Final = 10
"""The embedded stack's pace of checkpoints, with which the job commits."""

SAVED_WITHIN_S: Final = 120


def inflict(platform: DrillEnvironment, writer: TopicWriter, fault: Fault) -> None:
    """Return when it is over; what it has done may not be mended then."""
    match fault.kind:
        case "stall":
            with _stalled(platform, fault.target):
                time.sleep(fault.seconds)
        case "kill":
            platform.stack.kill(fault.target)
        case "full_disk":
            with full(platform.disks[fault.target]):
                time.sleep(fault.seconds)
        case "slow_link" | "hushed_link" | "cut_link":
            with _hurt_link(platform, fault):
                time.sleep(fault.seconds)
        case "clock":
            _step(writer, CLOCKS_S[fault.target])
        case "immediate_restart":
            _restart_in_commits(platform, fault.target)
        case "second_job":
            _submit_another(platform)
        case _:
            raise ValueError(f"no such kind: {fault.kind}")


@contextmanager
def _stalled(platform: DrillEnvironment, name: str) -> Iterator[None]:
    service = psutil.Process(platform.stack.pid(name))
    with ExitStack() as resumed:
        for process in (service, *service.children(recursive=True)):
            process.suspend()
            resumed.callback(_resume, process)
        yield


def _resume(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.resume()


@contextmanager
def _hurt_link(platform: DrillEnvironment, fault: Fault) -> Iterator[None]:
    assert platform.links is not None
    match fault.kind:
        case "slow_link":
            platform.links.slow(fault.target, SLOW_BY_MS)
        case "hushed_link":
            platform.links.hush(fault.target)
        case _:
            platform.links.cut(fault.target)
    try:
        yield
    finally:
        platform.links.mend()


def _step(writer: TopicWriter, seconds: int) -> None:
    """Let a producer send with a stepped clock to all partitions, beside the others."""
    for _ in range(STEPPED_FOR_S):
        for partition in range(writer.settings.kafka_partitions):
            writer.event(partition, writer.now_ms() + 1000 * seconds, site_category="stepped")
        time.sleep(1)
    writer.flush()


def _restart_in_commits(platform: DrillEnvironment, name: str) -> None:
    """Postgres' immediate mode: no connection ends in order, and the log is replayed at the start."""
    for number in range(COMMITS):
        platform.stack.kill(name, signal.SIGQUIT)
        platform.stack.wait_ready(name)
        # Each time at another moment of the job's pace.
        time.sleep(COMMIT_EVERY_S * (1 + number / COMMITS))


def _submit_another(platform: DrillEnvironment) -> None:
    """As a careless operator does: from a savepoint, beside the job that runs."""
    settings, job = platform.settings, platform.job()
    assert job is not None
    with FlinkCluster(settings.flink_rest_url) as cluster:
        savepoint = cluster.savepoint(job.id, (platform.stack.home / "copied").as_uri(), SAVED_WITHIN_S)
    submit(replace(job_config(settings, settings.declared_stream()), restore_from=savepoint))
