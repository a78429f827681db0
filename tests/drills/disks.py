"""Disks that can be full: small file systems in memory, one for each folder."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE: Final = 2 << 30
"""Bytes that one may hold; memory is taken as it fills."""
ROOM: Final = 64 << 10
"""Bytes that a full one has left: pages are rounded up."""


@contextmanager
def mounted(folder: Path) -> Iterator[bool]:
    """A disk of its own at a folder; False: mounting takes root."""
    folder.mkdir(parents=True, exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs"]
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, check=False).returncode == 0
    try:
        yield done
    finally:
        if done:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Leave a disk no room: it shrinks to what it holds, and costs no memory for that."""
    _resize(folder, shutil.disk_usage(folder).used + ROOM)
    try:
        yield
    finally:
        _resize(folder, SIZE)


def _resize(folder: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True, capture_output=True)
