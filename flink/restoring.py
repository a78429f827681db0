"""Tells a failed restore from other failures, by frames that only its stack trace has."""

from __future__ import annotations

from typing import Final

EXIT_STATUS: Final = 3
"""Exit status of `flink.submit` where the snapshot cannot be read, or does not fit the job."""

RESTORE_FRAMES: Final = (
    "CheckpointCoordinator.restore",  # the JobManager: a snapshot's metadata, or state of no operator
    "StreamTaskStateInitializer",  # a TaskManager: a state file
    "BackendRestorer",
)


def failed(stack_trace: str) -> bool:
    """Whether a failure was caused by restoring."""
    return any(frame in stack_trace for frame in RESTORE_FRAMES)
