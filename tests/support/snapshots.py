"""Snapshots that no job has taken: only the head of the metadata, which says which checkpoint it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctr_platform.defs.flink_job.snapshots import METADATA_FILE, METADATA_HEAD, METADATA_MAGIC

if TYPE_CHECKING:
    from pathlib import Path


def job_id(letter: str) -> str:
    """An id as Flink makes them."""
    return letter * 32


def checkpoint(root: Path, job: str, checkpoint_id: int) -> Path:
    """A complete checkpoint of a job."""
    return complete(root / job_id(job) / f"chk-{checkpoint_id}", checkpoint_id)


def savepoint(root: Path, job: str, checkpoint_id: int) -> Path:
    """A complete savepoint of a job."""
    return complete(root / f"savepoint-{job_id(job)[:6]}-{checkpoint_id:012x}", checkpoint_id)


def complete(folder: Path, checkpoint_id: int) -> Path:
    """Write the metadata; returns the folder."""
    folder.mkdir(parents=True)
    (folder / METADATA_FILE).write_bytes(METADATA_HEAD.pack(METADATA_MAGIC, 6, checkpoint_id) + b"rest")
    return folder
