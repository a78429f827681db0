"""Which snapshots a job may go on with, by the deployments and jobs on record."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert

from contract.errors import CtrError
from ctr_platform.defs.flink_job.deploy import followed_by
from ctr_platform.defs.flink_job.desired_state import DesiredState, RecordedState, record_desired_state
from ctr_platform.defs.flink_job.restore_points import complete_snapshots, restore_points
from ctr_platform.defs.flink_job.snapshots import METADATA_FILE, path_of
from ctr_platform.defs.flink_job.submitted_jobs import record_job, snapshot_folder
from tests.support.isolation import own
from tests.support.snapshots import checkpoint, job_id, savepoint
from tests.support.stores import empty, writing_engine
from warehouse.models.accounting import LedgerRow

if TYPE_CHECKING:
    from pathlib import Path

    from contract.settings import Settings
    from tests.support.stack import RunningStack


@pytest.fixture
def settings(stores: RunningStack, tmp_path: Path) -> Settings:
    """Without deployments, and with an empty folder of checkpoints."""
    empty(stores.settings.postgres_url)
    return stores.settings.model_copy(update={"flink_checkpoint_dir": tmp_path.as_uri()})


class History:
    """Deployments, jobs and snapshots, one after the other."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.root = path_of(snapshot_folder(settings))

    def desired(
        self, operation: str, *, begins: Path | None = None, excludes_since: bool = False
    ) -> RecordedState:
        return record_desired_state(
            self.settings,
            DesiredState(
                operation=operation,
                release="r",
                restore_from=begins.as_uri() if begins else None,
                excludes_since=excludes_since,
            ),
        )

    def job(self, letter: str, desired: RecordedState) -> None:
        """Submit one."""
        record_job(self.settings, job_id(letter), desired.deployment_id)

    def checkpoint(self, letter: str, number: int) -> Path:
        return checkpoint(self.root, letter, number)

    def savepoint(self, letter: str, number: int) -> Path:
        return savepoint(self.root, letter, number)

    def points(self, desired: RecordedState) -> list[str | None]:
        """What is tried, as `a/7`, or `a/7s` for a savepoint."""
        names = {
            each.uri: f"{each.job_id[0]}/{each.checkpoint_id}{'s' * each.is_savepoint}"
            for each in complete_snapshots(self.settings)
        }
        return [uri and names.get(uri, uri) for uri in restore_points(self.settings, desired)]


@pytest.fixture
def history(settings: Settings) -> History:
    return History(settings)


def test_the_deployments_own_come_first_then_where_it_begins_then_older_ones(history: History) -> None:
    first = history.desired("start")
    assert history.points(first) == [None]
    history.job("f", first)
    history.checkpoint("f", 1)
    history.checkpoint("f", 2)
    stopped = history.savepoint("f", 3)
    second = history.desired("rescale", begins=stopped)
    assert (second.restore_job_id, second.restore_checkpoint_id) == (job_id("f"), 3)
    history.job("b", second)
    history.checkpoint("b", 9)
    history.checkpoint("b", 10)
    assert history.points(second) == ["b/10", "b/9", "f/3s", "f/2", "f/1"]


def test_a_later_submission_is_newer_whatever_its_numbers(history: History) -> None:
    desired = history.desired("start")
    history.job("f", desired)
    for number in (7, 8, 9):
        history.checkpoint("f", number)
    # The newest two could not be read: the second job goes on from the one before, and numbers on from there.
    history.job("a", desired)
    history.checkpoint("a", 8)
    assert history.points(desired) == ["a/8", "f/9", "f/8", "f/7"]


def test_the_times_of_files_mean_nothing(history: History) -> None:
    first = history.desired("start")
    history.job("a", first)
    begin = history.savepoint("a", 2)
    history.checkpoint("a", 3)
    history.job("b", history.desired("upgrade", begins=begin))
    history.checkpoint("b", 3)
    back = history.desired("roll back", begins=begin, excludes_since=True)
    history.job("c", back)
    history.checkpoint("c", 3)
    history.checkpoint("c", 4)
    expected = ["c/4", "c/3", "a/2s"]
    assert history.points(back) == expected
    # As a copy with reversed times leaves them, and as hosts whose clocks are an hour apart write them.
    files = sorted(history.root.rglob(METADATA_FILE), key=lambda path: path.stat().st_mtime_ns)
    for age, file in enumerate(files):
        os.utime(file, (2_000_000_000 - 3600 * age, 2_000_000_000 - 3600 * age))
    assert history.points(back) == expected
    for file in files:
        os.utime(file, (0, 0))
    assert history.points(back) == expected
    shutil.copytree(history.root, history.root.parent / "copy")
    shutil.rmtree(history.root)
    (history.root.parent / "copy").rename(history.root)
    assert history.points(back) == expected


def test_what_a_roll_back_has_excluded_stays_excluded_under_every_later_deployment(history: History) -> None:
    first = history.desired("start")
    history.job("a", first)
    history.checkpoint("a", 1)
    stopped = history.savepoint("a", 2)
    wrong = history.desired("upgrade", begins=stopped)
    history.job("b", wrong)
    history.checkpoint("b", 3)
    back = history.desired("roll back", begins=stopped, excludes_since=True)
    assert history.points(back) == ["a/2s", "a/1"]
    history.job("c", back)
    history.checkpoint("c", 3)
    later = history.desired("rescale", begins=history.savepoint("c", 4))
    left = ["c/4s", "c/3", "a/2s", "a/1"]
    assert history.points(later) == left
    latest = record_desired_state(history.settings, followed_by(later, "start", why="test", running=True))
    assert history.points(latest) == left


def test_an_excluded_snapshot_can_still_be_chosen(history: History) -> None:
    history.job("a", history.desired("start"))
    chosen = history.checkpoint("a", 1)
    way_back = history.savepoint("a", 2)
    history.job("b", history.desired("restore", begins=chosen, excludes_since=True))
    history.checkpoint("b", 2)
    again = history.desired("restore", begins=way_back, excludes_since=True)
    assert history.points(again) == ["a/2s", "a/1"]


def test_an_exclusion_outlives_the_snapshot_that_it_begins_with(history: History) -> None:
    history.job("a", history.desired("start"))
    history.checkpoint("a", 1)
    chosen = history.savepoint("a", 2)
    history.checkpoint("a", 3)
    back = history.desired("restore", begins=chosen, excludes_since=True)
    shutil.rmtree(chosen)
    later = record_desired_state(
        history.settings, replace(followed_by(back, "rescale", why="", running=True), restore_from=None)
    )
    assert history.points(later) == ["a/1"]


def test_a_start_from_nothing_excludes_all_before_it_for_good(history: History) -> None:
    history.job("a", history.desired("start"))
    history.checkpoint("a", 1)
    nothing = history.desired("start from nothing", excludes_since=True)
    assert history.points(nothing) == [None]
    history.job("b", nothing)
    later = history.desired("rescale", begins=history.savepoint("b", 1))
    assert history.points(later) == ["b/1s"]


def test_a_start_from_somebody_elses_snapshot_excludes_all_before_it(
    history: History, tmp_path: Path
) -> None:
    history.job("a", history.desired("start"))
    history.checkpoint("a", 1)
    foreign = savepoint(tmp_path / "elsewhere", "f", 70)
    chosen = history.desired("start from a snapshot", begins=foreign, excludes_since=True)
    assert history.points(chosen) == [foreign.as_uri()]
    history.job("b", chosen)
    history.checkpoint("b", 71)
    assert history.points(chosen) == ["b/71", foreign.as_uri()]


def test_what_was_taken_before_the_upgrade_is_found_in_the_top_folder(history: History) -> None:
    first = history.desired("start")
    history.job("a", first)
    top = history.root.parent
    checkpoint(top, "a", 1)
    savepoint(top, "a", 2)
    checkpoint(top, "f", 900)
    savepoint(top, "f", 901)
    assert history.points(first) == ["a/2s", "a/1"]
    history.checkpoint("a", 3)
    assert history.points(first) == ["a/3", "a/2s", "a/1"]


def test_two_installations_in_one_folder_never_see_each_others(
    history: History, stores: RunningStack
) -> None:
    desired = history.desired("start")
    history.job("a", desired)
    history.checkpoint("a", 1)
    with own(stores) as mine:
        # The same names of topics, in another Kafka.
        same = {"flink_checkpoint_dir": history.settings.flink_checkpoint_dir}
        prefix = {"kafka_topic_prefix": history.settings.kafka_topic_prefix}
        with writing_engine(mine.settings.postgres_url).begin() as connection:
            connection.exec_driver_sql("DELETE FROM quality.installations")
        other = History(mine.settings.model_copy(update=same | prefix))
        assert other.root != history.root
        assert other.root.parent == history.root.parent
        begun = other.desired("start")
        assert other.points(begun) == [None]
        other.job("b", begun)
        other.checkpoint("b", 5)
        assert other.points(begun) == ["b/5"]
    assert history.points(desired) == ["a/1"]
    assert path_of(snapshot_folder(history.settings)) == history.root


def test_a_job_that_has_run_and_has_only_excluded_snapshots_is_no_new_job(history: History) -> None:
    history.job("a", history.desired("start"))
    history.checkpoint("a", 1)
    history.desired("start from nothing", excludes_since=True)
    outcomes = dict.fromkeys(("counted", "late", "malformed", "unknown_schema", "invalid"), 0)
    row = {
        "topic": history.settings.raw_topic,
        "partition": 0,
        "first_offset": 0,
        "last_offset": 0,
        "checkpoint_id": 1,
    }
    notified = {**row, **outcomes, "records_read": 1, "job_id": "a", "run_started_at": datetime.now(tz=UTC)}
    with writing_engine(history.settings.postgres_url).begin() as connection:
        connection.execute(insert(LedgerRow).values(notified))
    with pytest.raises(CtrError, match=r"has run before.*restore_from"):
        history.points(history.desired("rescale"))
