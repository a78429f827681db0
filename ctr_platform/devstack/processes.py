"""The processes of one stack, known by a mark in their environment, also after their supervisor died."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MARK: Final = "CTR_STACK"
"""Set for supervisord to the stack's home, and inherited by everything it starts."""
END_WITHIN_S: Final = 20
"""What gets no orderly stop any more has this long after TERM before KILL."""


def stack_processes(home: Path) -> list[psutil.Process]:
    """Everything that runs for the stack in `home`."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == str(home):
                found.append(process)
    return found


def end_leftovers(home: Path) -> list[str]:
    """End what still runs for the stack in `home`; returns the processes' names."""
    # Children too: some hide their environment, or would outlive a parent that is killed.
    leftovers = {
        member: None for process in stack_processes(home) for member in (process, *_descendants(process))
    }
    names = []
    for process in leftovers:
        with suppress(psutil.Error):
            names.append(process.name())
            process.terminate()
    alive = wait_ended([process.pid for process in leftovers], END_WITHIN_S)
    for process in leftovers:
        if process.pid in alive:
            with suppress(psutil.Error):
                process.kill()
    wait_ended(alive, END_WITHIN_S)
    return names


def wait_ended(pids: Iterable[int], within_s: float) -> list[int]:
    """Wait until these processes ended; returns those that did not. A zombie has ended."""
    deadline = time.monotonic() + within_s
    alive = list(pids)
    while True:
        alive = [pid for pid in alive if _alive(pid)]
        if not alive or time.monotonic() > deadline:
            return alive
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def memory_bytes(pid: int) -> int:
    """Memory of a process and its descendants; what they share counts once (PSS)."""
    total = 0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for member in (process, *_descendants(process)):
            with suppress(psutil.Error):
                total += member.memory_full_info().pss
    return total
