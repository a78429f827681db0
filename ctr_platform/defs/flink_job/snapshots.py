"""Which checkpoints and savepoints there are to restore the job from."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from contract.errors import InvalidSetting

METADATA_FILE: Final = "_metadata"
"""Flink writes it last: a snapshot without it is not complete."""

METADATA_MAGIC: Final = struct.pack(">I", 0x4960672D)
"""How every version of Flink's metadata begins."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A complete checkpoint or savepoint."""

    uri: str
    completed_s: float
    """Seconds since the epoch."""

    is_savepoint: bool


def canonical(uri: str) -> str:
    """A snapshot's URI as it is written here: Flink writes `file:/a` where others write `file:///a`."""
    parts = urlsplit(uri)
    return Path(unquote(parts.path)).as_uri() if parts.scheme == "file" else uri.rstrip("/")


def complete_snapshots(checkpoint_dir: str) -> list[Snapshot]:
    """Every complete snapshot below `FLINK_CHECKPOINT_DIR`, newest first.

    Raises:
        CtrError: the folder is not one that this process can list.
    """
    parts = urlsplit(checkpoint_dir)
    if parts.scheme not in ("", "file"):
        raise InvalidSetting(
            f"FLINK_CHECKPOINT_DIR={checkpoint_dir}: only file: folders can be searched for the newest "
            "checkpoint; name the one to restore from"
        )
    root = Path(unquote(parts.path))
    found = [
        snapshot
        for pattern in (f"*/chk-*/{METADATA_FILE}", f"savepoint-*/{METADATA_FILE}")
        for metadata in root.glob(pattern)
        if (snapshot := _snapshot(metadata)) is not None
    ]
    return sorted(found, key=lambda snapshot: -snapshot.completed_s)


def _snapshot(metadata: Path) -> Snapshot | None:
    """The one that this file belongs to; None if it is not complete, or Flink deletes it at this moment."""
    try:
        with metadata.open("rb") as file:
            if file.read(len(METADATA_MAGIC)) != METADATA_MAGIC:
                return None
        return Snapshot(
            uri=metadata.parent.as_uri(),
            completed_s=metadata.stat().st_mtime,
            is_savepoint=metadata.parent.name.startswith("savepoint-"),
        )
    except FileNotFoundError:
        return None
