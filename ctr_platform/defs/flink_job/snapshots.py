"""Complete checkpoints and savepoints in a folder, and which checkpoint of which job each of them is.

A snapshot is known by its job's id, from its path, and by its checkpoint id, from the head of its metadata.
Never by its files' times: those are of several hosts' clocks, and a copy has others. A job that is restored
goes on numbering where its snapshot ended, so within a job the higher checkpoint id is the newer one.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from contract.errors import InvalidSetting

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

METADATA_FILE: Final = "_metadata"
"""Flink writes it last: a snapshot without it is not complete."""

METADATA_HEAD: Final = struct.Struct(">IIQ")
"""Magic number, version, checkpoint id: as `Checkpoints` and `MetadataV2V3SerializerBase` of Flink write."""

METADATA_MAGIC: Final = 0x4960672D
"""How every version of Flink's metadata begins."""

CHECKPOINT: Final = re.compile(r"([0-9a-f]{32})/chk-(\d+)")
"""Path of a checkpoint in its folder: job id, checkpoint id."""

SAVEPOINT: Final = re.compile(r"savepoint-([0-9a-f]{6})-[0-9a-f]{12}")
"""Name of a savepoint: the first digits of the job's id, and random ones."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A complete checkpoint or savepoint."""

    uri: str
    job_id: str
    """Flink's id of the job that took it."""

    checkpoint_id: int
    is_savepoint: bool


def canonical(uri: str) -> str:
    """A snapshot's URI as it is written here: Flink writes `file:/a` where others write `file:///a`."""
    parts = urlsplit(uri)
    return Path(unquote(parts.path)).as_uri() if parts.scheme == "file" else uri.rstrip("/")


def path_of(uri: str) -> Path:
    """The folder that a `file:` URI names."""
    return Path(unquote(urlsplit(uri).path))


def snapshots_of(job_ids: Collection[str], folder: str) -> list[Snapshot]:
    """The complete snapshots of these jobs in a folder (a URI), in no particular order.

    Others' are not opened.

    Raises:
        InvalidSetting: the folder is not one that this process can list.
    """
    if urlsplit(folder).scheme not in ("", "file"):
        raise InvalidSetting(
            f"FLINK_CHECKPOINT_DIR={folder}: only file: folders can be searched for the newest checkpoint"
        )
    return list(_snapshots_of(job_ids, path_of(folder)))


def _snapshots_of(job_ids: Collection[str], root: Path) -> Iterator[Snapshot]:
    for pattern in (f"*/chk-*/{METADATA_FILE}", f"savepoint-*/{METADATA_FILE}"):
        for metadata in root.glob(pattern):
            job_id = job_of(metadata.parent, job_ids)
            checkpoint_id = checkpoint_id_of(metadata.parent) if job_id else None
            if job_id is not None and checkpoint_id is not None:
                yield Snapshot(
                    uri=metadata.parent.as_uri(),
                    job_id=job_id,
                    checkpoint_id=checkpoint_id,
                    is_savepoint=metadata.parent.parent == root,
                )


def job_of(snapshot: Path, job_ids: Collection[str]) -> str | None:
    """Which of the jobs took a snapshot, by its path; None: none of them, or it cannot be told."""
    if checkpoint := CHECKPOINT.fullmatch("/".join(snapshot.parts[-2:])):
        return checkpoint[1] if checkpoint[1] in job_ids else None
    savepoint = SAVEPOINT.fullmatch(snapshot.name)
    found = [each for each in job_ids if savepoint and each.startswith(savepoint[1])]
    return found[0] if len(found) == 1 else None


def checkpoint_id_of(snapshot: Path) -> int | None:
    """Flink's number of a snapshot; None if it is not complete, or Flink deletes it at this moment."""
    try:
        with (snapshot / METADATA_FILE).open("rb") as file:
            head = file.read(METADATA_HEAD.size)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if len(head) < METADATA_HEAD.size:
        return None
    magic, _version, checkpoint_id = METADATA_HEAD.unpack(head)
    return checkpoint_id if magic == METADATA_MAGIC else None
