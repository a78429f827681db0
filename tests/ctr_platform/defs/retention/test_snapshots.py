"""A recovery that begins beside retention finds every snapshot that it would try."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from ctr_platform.defs.flink_job.desired_state import DesiredState, record_desired_state
from ctr_platform.defs.flink_job.restore_points import MAX_SNAPSHOTS, complete_snapshots, restore_points
from ctr_platform.defs.flink_job.snapshots import METADATA_FILE, path_of
from ctr_platform.defs.flink_job.submitted_jobs import record_job, snapshot_folder
from ctr_platform.defs.retention.snapshots import delete_snapshot, old_snapshots_beside
from tests.support.snapshots import checkpoint, job_id, savepoint
from tests.support.stores import empty, writing_engine

if TYPE_CHECKING:
    from pathlib import Path

    from contract.settings import Settings
    from ctr_platform.defs.flink_job.desired_state import RecordedState
    from tests.support.stack import RunningStack


@pytest.fixture
def settings(stores: RunningStack, tmp_path: Path) -> Settings:
    empty(stores.settings.postgres_url)
    return stores.settings.model_copy(update={"flink_checkpoint_dir": tmp_path.as_uri()})


@pytest.fixture
def root(settings: Settings) -> Path:
    return path_of(snapshot_folder(settings))


def _deploy(settings: Settings, *, begins: Path | None = None, excludes: bool = False) -> RecordedState:
    uri = begins.as_uri() if begins else None
    return record_desired_state(
        settings, DesiredState(operation="test", release="r", restore_from=uri, excludes_since=excludes)
    )


def _submit(settings: Settings, desired: RecordedState, letter: str, days_ago: float) -> None:
    record_job(settings, job_id(letter), desired.deployment_id)
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(
            text(
                "UPDATE quality.submitted_jobs SET submitted_at = now() - make_interval(hours => :hours)"
                " WHERE job_id = :job_id"
            ),
            {"hours": round(24 * days_ago), "job_id": job_id(letter)},
        )


def _old(settings: Settings, *alive: str) -> list[str]:
    return [folder.name for folder in old_snapshots_beside(settings, {job_id(each) for each in alive})]


def test_whatever_a_recovery_would_try_stays(settings: Settings, root: Path) -> None:
    first = _deploy(settings)
    _submit(settings, first, "a", 90)
    savepoints = [savepoint(root, "a", number) for number in range(1, 11)]
    chosen = savepoints[8]
    # What a given-up upgrade wrote is the newest, and excluded.
    wrong = _deploy(settings, begins=savepoints[-1])
    _submit(settings, wrong, "b", 60)
    for number in (11, 12, 13):
        savepoint(root, "b", number)
    back = _deploy(settings, begins=chosen, excludes=True)
    _submit(settings, back, "c", 30)
    old = old_snapshots_beside(settings, set())
    assert sorted(old) == sorted([*savepoints[:4], savepoints[-1]])
    for folder in old:
        delete_snapshot(folder)
    left = {each.uri for each in complete_snapshots(settings)}
    assert {uri for uri in restore_points(settings, back)[:MAX_SNAPSHOTS] if uri} <= left


def test_the_checkpoints_of_a_job_that_is_alive_stay(settings: Settings, root: Path) -> None:
    desired = _deploy(settings)
    for days, letter in zip((40, 35, 30, 25, 20), "abcde", strict=True):
        _submit(settings, desired, letter, days)
        checkpoint(root, letter, 1)
    _submit(settings, _deploy(settings, begins=savepoint(root, "e", 2), excludes=True), "f", 8)
    for number in range(3, 6):
        savepoint(root, "f", number)
    exclude_all = _deploy(settings, excludes=True)
    _submit(settings, exclude_all, "0", 1)
    assert _old(settings) == [*(job_id(each) for each in "abcde"), "savepoint-eeeeee-000000000002"]
    assert _old(settings, "b", "e") == [job_id(each) for each in "acd"]


def test_the_age_is_by_the_jobs_on_record_not_by_the_files(settings: Settings, root: Path) -> None:
    desired = _deploy(settings, excludes=True)
    for days, letter in zip((20, 10, 6), "abc", strict=True):
        _submit(settings, desired, letter, days)
        for number in (1, 2, 3, 4, 5, 6):
            checkpoint(root, letter, number)
    # Copied today, or from a host whose clock has never been set.
    for at_s in (None, 0):
        for metadata in root.rglob(METADATA_FILE):
            os.utime(metadata, None if at_s is None else (at_s, at_s))
        assert _old(settings) == [job_id("a")]


def test_what_is_not_this_installations_is_never_deleted(settings: Settings, root: Path) -> None:
    desired = _deploy(settings, excludes=True)
    for days, letter in zip((90, 60, 30), "abc", strict=True):
        _submit(settings, desired, letter, days)
    top = root.parent
    for number in range(1, 7):
        savepoint(root, "c", number)
        savepoint(top, "f", number)
    mine = checkpoint(top, "a", 1).parent
    checkpoint(top, "f", 1)
    checkpoint(top / "other.ctr_windows-00000000", "f", 1)
    checkpoint(root, "e", 1)
    assert old_snapshots_beside(settings, set()) == [mine]


def test_nothing_complete_is_found_in_a_folder_that_is_being_deleted(
    settings: Settings, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _submit(settings, _deploy(settings), "a", 30)
    checkpoint(root, "a", 1)
    checkpoint(root, "a", 2)

    def interrupted(_folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("shutil.rmtree", interrupted)
    assert len(complete_snapshots(settings)) == 2
    with pytest.raises(KeyboardInterrupt):
        delete_snapshot(root / job_id("a"))
    assert complete_snapshots(settings) == []
