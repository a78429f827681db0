"""Whether this machine can run the stack: asked before every start, and by `ctr doctor`."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from contract.errors import CtrError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MIN_FREE_BYTES: Final = 2 * 1024**3
"""A day of the demonstration's traffic writes a few hundred MiB; logs are bounded at 60 MiB a service."""
LDD_TIMEOUT_S: Final = 20


def require_disk(folder: Path) -> None:
    """Check the free space under `folder`.

    Raises:
        CtrError: less than `MIN_FREE_BYTES`.
    """
    if (free := shutil.disk_usage(folder).free) < MIN_FREE_BYTES:
        raise CtrError(
            f"{folder} has {free >> 20} MiB free and the stack wants {MIN_FREE_BYTES >> 20} MiB: "
            "free some space, or set CTR_HOME to a folder on another disk"
        )


def require_programs(programs: Iterable[Path]) -> None:
    """Check the shared libraries of `programs`.

    Raises:
        CtrError: something is missing; the message names it.
    """
    for program in dict.fromkeys(programs):
        if lacking := missing_libraries(program):
            raise CtrError(
                f"{program.name} needs {', '.join(lacking)}, which this system lacks: "
                "install the package that brings it"
            )


def missing_libraries(program: Path) -> list[str]:
    """Names of the shared libraries that the loader does not find for `program`."""
    if shutil.which("ldd") is None:
        return []
    reply = subprocess.run(
        ["ldd", str(program)], capture_output=True, text=True, check=False, timeout=LDD_TIMEOUT_S
    )
    lines = (line for line in reply.stdout.splitlines() if line.rstrip().endswith("=> not found"))
    return [line.split()[0] for line in lines]
