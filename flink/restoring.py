"""How a failed restore is told from other failures: by what only its stack trace names."""

from __future__ import annotations

from typing import Final

EXIT_STATUS: Final = 3
"""Of `flink.submit`, where the snapshot cannot be read, or does not fit the job."""

SIGNS: Final = (
    "CheckpointCoordinator.restore",  # the JobManager: a snapshot's metadata, or state of no operator
    "StreamTaskStateInitializer",  # a TaskManager: a state file
    "BackendRestorer",
)


def failed(stack_trace: str) -> bool:
    """Whether a failure is that of a restore."""
    return any(sign in stack_trace for sign in SIGNS)
