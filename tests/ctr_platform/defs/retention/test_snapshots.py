"""A recovery that begins beside retention finds every snapshot that it would try."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from ctr_platform.defs.flink_job.deploy import MAX_SNAPSHOTS, restore_points
from ctr_platform.defs.flink_job.desired_state import DesiredState, record_desired_state
from ctr_platform.defs.flink_job.snapshots import METADATA_MAGIC, complete_snapshots
from ctr_platform.defs.retention.snapshots import delete_snapshot, old_snapshots_beside
from tests.support.stores import empty, writing_engine

if TYPE_CHECKING:
    from pathlib import Path

    from contract.settings import Settings
    from tests.support.stack import RunningStack

DAY_S = 86400.0


@pytest.fixture
def settings(stores: RunningStack, tmp_path: Path) -> Settings:
    empty(stores.settings.postgres_url)
    return stores.settings.model_copy(update={"flink_checkpoint_dir": tmp_path.as_uri()})


def _snapshot(root: Path, name: str, days_ago: float) -> None:
    metadata = root / name / "_metadata"
    metadata.parent.mkdir(parents=True)
    metadata.write_bytes(METADATA_MAGIC)
    at_s = time.time() - days_ago * DAY_S
    os.utime(metadata, (at_s, at_s))


def _old(settings: Settings, *alive: str) -> list[str]:
    return [folder.name for folder in old_snapshots_beside(settings, set(alive))]


def test_whatever_a_recovery_would_try_stays(settings: Settings, tmp_path: Path) -> None:
    chosen = (tmp_path / "savepoint-chosen").as_uri()
    desired = record_desired_state(
        settings, DesiredState(operation="restore", release="r", restore_from=chosen)
    )
    # Wanted long ago: later desired states exclude what the given-up code wrote, which is the newest.
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(text("UPDATE quality.deployments SET recorded_at = now() - interval '60 days'"))
    for days in range(20, 30):
        _snapshot(tmp_path, f"savepoint-{days}", days)
    for days in (10, 11, 12):
        _snapshot(tmp_path, f"savepoint-given-up-{days}", days)
    _snapshot(tmp_path, "savepoint-chosen", 90)
    record_desired_state(
        settings,
        DesiredState(
            operation="roll back",
            release="r",
            restore_from=chosen,
            excluded_from=datetime.now(tz=UTC) - timedelta(days=15),
        ),
    )
    old = _old(settings)
    assert old == [f"savepoint-{days}" for days in range(24, 30)]
    for folder in old_snapshots_beside(settings, set()):
        delete_snapshot(folder)
    left = {each.uri for each in complete_snapshots(settings.flink_checkpoint_dir)}
    assert {uri for uri in restore_points(settings, desired)[:MAX_SNAPSHOTS] if uri} <= left


def test_the_checkpoints_of_a_job_that_is_alive_stay(settings: Settings, tmp_path: Path) -> None:
    for number in range(3):
        _snapshot(tmp_path, f"savepoint-{number}", 8)
    for days in (30, 31, 32, 33, 34, 35):
        _snapshot(tmp_path, f"job-{days}/chk-1", days)
    assert _old(settings) == [f"job-{days}" for days in (30, 31, 32, 33, 34, 35)]
    assert _old(settings, "job-32", "job-35") == ["job-30", "job-31", "job-33", "job-34"]


def test_nothing_complete_is_found_in_a_folder_that_is_being_deleted(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _snapshot(tmp_path, "job/chk-1", 30)
    _snapshot(tmp_path, "job/chk-2", 30)

    def interrupted(_folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("shutil.rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt):
        delete_snapshot(tmp_path / "job")
    assert complete_snapshots(settings.flink_checkpoint_dir) == []
