"""Ports for one test process, so that two at once never choose the same."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from ctr_platform.devstack import ports

SLICES: Final = 16
"""More than there are test processes at once on one machine; a slice has some 800 ports."""

_held: list[IO[str]] = []
"""Open while this process lives: the system frees a lock with its holder."""


def reserve_ports() -> None:
    """Let this process choose free ports in a range that it holds alone; in all of it when none is left."""
    size = len(ports.FREE_RANGE) // SLICES
    for number in range(SLICES):
        file = Path(tempfile.gettempdir()) / f"ctr-test-ports-{os.getuid()}-{number}.lock"
        lock = file.open("w")
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _held.append(lock)
            first = ports.FREE_RANGE.start + number * size
            ports.FREE_RANGE = range(first, first + size)  # type: ignore[misc]
            return
        lock.close()
