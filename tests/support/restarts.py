"""Stops and starts of the job on one cluster, and what each leaves behind in the cluster's processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ctr_platform.devstack.service_list import TASKMANAGER_NAMES
from tests.support.jvm import HEADER, footprint, more_threads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.jvm import Footprint
    from tests.support.pipeline import Pipeline

JVMS: Final = ("jobmanager", *TASKMANAGER_NAMES)

WARM_CYCLES: Final = 3
"""The first jobs load the cluster's own classes, and fill its pools of threads and connections."""

MORE_FILES: Final = 8
MORE_THREADS: Final = 8
"""Pools of fixed size still fill up after the first jobs; a leak adds some for each job."""

METASPACE_KIB_PER_CYCLE: Final = 256
"""A job's own classes take 20 MiB: a loader that stays is seen. Generated accessors and the like are let go
of with it."""

Footprints = dict[str, "Footprint"]


def restart(job: Pipeline, cycles: int) -> Iterator[Footprints]:
    """Let the job count an event in each partition, and stop it; so many times, each from the last savepoint.

    Yields what the idle cluster holds after each stop.
    """
    savepoint: str | None = None
    for cycle in range(cycles):
        job.submit(restore_from=savepoint, checkpoint_interval_s=1)
        for partition in range(job.settings.kafka_partitions):
            job.event(partition, 1_000 * cycle)
        job.flush()
        read = (cycle + 1) * job.settings.kafka_partitions
        job.eventually(lambda read=read: job.read() == read, "the ledger")  # type: ignore[misc]
        savepoint = job.stop_with_savepoint()
        yield {name: footprint(job.stack.pid(name)) for name in JVMS}


def table(history: list[Footprints]) -> str:
    """The figures, a row for each cycle and process."""
    rows = [
        f"{cycle:>5} {name:<14} {held.line()}"
        for cycle, held_by_all in enumerate(history, 1)
        for name, held in held_by_all.items()
    ]
    return "\n".join([f"{'cycle':>5} {'process':<14} {HEADER}", *rows])


def classes_left(history: list[Footprints]) -> list[str]:
    """Classes of ended jobs that stay beyond those of the first ones: some threads refer to the last few."""
    found = []
    cycles = len(history) - WARM_CYCLES
    for name, after in history[-1].items():
        before = history[WARM_CYCLES - 1][name]
        if after.loaders > before.loaders:
            found.append(f"{name}: {after.loaders - before.loaders} more class loaders of ended jobs")
        if (grown_kib := after.metaspace_kib - before.metaspace_kib) > cycles * METASPACE_KIB_PER_CYCLE:
            found.append(f"{name}: {grown_kib} KiB more of metaspace")
    return found


def leaks(history: list[Footprints]) -> list[str]:
    """What the last stop has left behind beyond what the first ones had: connections, files, threads."""
    found = []
    for name, after in history[-1].items():
        before = history[WARM_CYCLES - 1][name]
        if after.kafka_clients:
            found.append(f"{name}: {after.kafka_clients} Kafka clients of ended jobs")
        if after.files - before.files > MORE_FILES:
            found.append(f"{name}: {after.files - before.files} more file handles")
        if after.threads - before.threads > MORE_THREADS:
            more = ", ".join(more_threads(before, after))
            found.append(f"{name}: {after.threads - before.threads} more threads: {more}")
    return found
