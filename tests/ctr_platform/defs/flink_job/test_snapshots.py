"""Which snapshots count as complete."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from contract.errors import CtrError
from ctr_platform.defs.flink_job.snapshots import METADATA_MAGIC, complete_snapshots

if TYPE_CHECKING:
    from pathlib import Path


def _snapshot(root: Path, name: str, completed_s: int, content: bytes = METADATA_MAGIC + b"rest") -> None:
    metadata = root / name / "_metadata"
    metadata.parent.mkdir(parents=True)
    metadata.write_bytes(content)
    os.utime(metadata, (completed_s, completed_s))


def test_the_newest_complete_one_comes_first(tmp_path: Path) -> None:
    _snapshot(tmp_path, "aaaa/chk-7", 100)
    _snapshot(tmp_path, "bbbb/chk-2", 300)
    _snapshot(tmp_path, "savepoint-aaaa-1", 200)
    _snapshot(tmp_path, "bbbb/chk-3", 400, content=b"")
    _snapshot(tmp_path, "bbbb/chk-4", 500, content=b"not Flink's")
    (tmp_path / "bbbb" / "chk-5").mkdir()
    found = complete_snapshots(tmp_path.as_uri())
    assert [snapshot.uri.removeprefix(tmp_path.as_uri()) for snapshot in found] == [
        "/bbbb/chk-2",
        "/savepoint-aaaa-1",
        "/aaaa/chk-7",
    ]
    assert [snapshot.is_savepoint for snapshot in found] == [False, True, False]


def test_an_absent_folder_holds_none(tmp_path: Path) -> None:
    assert complete_snapshots((tmp_path / "absent").as_uri()) == []


def test_a_store_that_cannot_be_listed_is_named() -> None:
    with pytest.raises(CtrError, match="s3://bucket"):
        complete_snapshots("s3://bucket/checkpoints")
