"""Which folders are complete snapshots, and of which job and checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from contract.errors import CtrError
from ctr_platform.defs.flink_job.snapshots import METADATA_FILE, checkpoint_id_of, job_of, snapshots_of
from tests.support.snapshots import checkpoint, complete, job_id, savepoint

SAVEPOINT_0_1: Final = Path(__file__).parents[3] / "flink" / "savepoints" / "0.1"


def test_a_snapshot_is_known_by_its_job_and_its_checkpoint(tmp_path: Path) -> None:
    checkpoint(tmp_path, "a", 7)
    checkpoint(tmp_path, "b", 2)
    savepoint(tmp_path, "a", 8)
    (checkpoint(tmp_path, "b", 3) / METADATA_FILE).write_bytes(b"")
    (checkpoint(tmp_path, "b", 4) / METADATA_FILE).write_bytes(b"not Flink's, but long enough")
    (tmp_path / job_id("b") / "chk-5").mkdir()
    found = snapshots_of({job_id("a"), job_id("b")}, tmp_path.as_uri())
    assert sorted((each.job_id[0], each.checkpoint_id, each.is_savepoint) for each in found) == [
        ("a", 7, False),
        ("a", 8, True),
        ("b", 2, False),
    ]


def test_what_other_jobs_have_taken_is_not_found(tmp_path: Path) -> None:
    checkpoint(tmp_path, "a", 1)
    checkpoint(tmp_path, "f", 9)
    savepoint(tmp_path, "f", 10)
    complete(tmp_path / "another-platform" / "chk-11", 11)
    complete(tmp_path / "savepoint-by-hand", 12)
    [found] = snapshots_of({job_id("a")}, tmp_path.as_uri())
    assert (found.job_id, found.checkpoint_id) == (job_id("a"), 1)


def test_a_savepoint_whose_job_cannot_be_told_is_nobodys(tmp_path: Path) -> None:
    twins = {"a" * 6 + "1" * 26, "a" * 6 + "2" * 26}
    path = savepoint(tmp_path, "a", 1)
    assert job_of(path, {*list(twins)[:1], job_id("b")}) in twins
    assert job_of(path, twins) is None


def test_flinks_own_metadata_names_its_checkpoint() -> None:
    assert checkpoint_id_of(SAVEPOINT_0_1) == 2


def test_an_absent_folder_holds_none(tmp_path: Path) -> None:
    assert snapshots_of({job_id("a")}, (tmp_path / "absent").as_uri()) == []
    assert checkpoint_id_of(tmp_path / "absent") is None


def test_a_store_that_cannot_be_listed_is_named() -> None:
    with pytest.raises(CtrError, match="s3://bucket"):
        snapshots_of({job_id("a")}, "s3://bucket/checkpoints")
