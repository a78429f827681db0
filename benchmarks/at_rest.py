"""What the whole stack costs while it only follows light traffic: CPU and memory by service, runs and events.

A stack of its own starts with every service, 200 events/s of traffic included, as `ctr up` starts it. After
`--settle-min` it is watched for `--minutes`. CPU is that of a service's processes and of their children that
have ended; memory is the proportional set size at the end.
"""

from __future__ import annotations

import argparse
import time
from typing import Final

import psutil
from sqlalchemy import create_engine, text

from tests.support.stack import RunningStack, running_stack_of_all

SECONDS_PER_DAY: Final = 86_400


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process, its living descendants, and those of its children that have ended."""
    total = 0.0
    for process in _tree(pid):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def memory_mib(pid: int) -> float:
    """Proportional set size of a process and its descendants, MiB."""
    total = 0
    for process in _tree(pid):
        try:
            total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total / 2**20


def dagster_rows(stack: RunningStack) -> tuple[int, int]:
    """Runs and rows of the event log that Dagster has stored so far."""
    engine = create_engine(stack.settings.postgres_url.set(database="dagster"))
    with engine.connect() as connection:
        runs = connection.scalar(text("SELECT count(*) FROM runs"))
        events = connection.scalar(text("SELECT count(*) FROM event_logs"))
    engine.dispose()
    return int(runs or 0), int(events or 0)


def main() -> None:
    """Start, settle, watch, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settle-min", type=float, default=3)
    parser.add_argument("--minutes", type=float, default=10)
    arguments = parser.parse_args()
    with running_stack_of_all() as stack:
        time.sleep(60 * arguments.settle_min)
        pids = {name: stack.pid(name) for name in stack.services}
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        rows_before, began = dagster_rows(stack), time.monotonic()
        time.sleep(60 * arguments.minutes)
        seconds = time.monotonic() - began
        cores = {name: (cpu_seconds(pid) - before[name]) / seconds for name, pid in pids.items()}
        memory = {name: memory_mib(pid) for name, pid in pids.items()}
        rows = [after - first for after, first in zip(dagster_rows(stack), rows_before, strict=True)]
    for name in sorted(cores, key=lambda each: -cores[each]):
        print(f"{name:18} {cores[name]:6.3f} cores {memory[name]:7.0f} MiB")
    print(f"{'all':18} {sum(cores.values()):6.3f} cores {sum(memory.values()):7.0f} MiB")
    for what, number in zip(("runs", "event rows"), rows, strict=True):
        print(f"Dagster: {number} {what}, {number * SECONDS_PER_DAY / seconds:,.0f} a day")


def _tree(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


if __name__ == "__main__":
    main()
