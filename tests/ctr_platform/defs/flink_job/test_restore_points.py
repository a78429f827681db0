"""Which snapshots a job may go on with, by the orders on record."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert

from contract.errors import CtrError
from ctr_platform.defs.flink_job.deploy import BEFORE_ALL, followed_by, restore_points
from ctr_platform.defs.flink_job.desired_state import DesiredState, RecordedState, record_desired_state
from ctr_platform.defs.flink_job.snapshots import METADATA_MAGIC
from tests.support.stores import empty, writing_engine
from warehouse.models import LedgerRow

if TYPE_CHECKING:
    from pathlib import Path

    from contract.settings import Settings
    from tests.support.stack import RunningStack


@pytest.fixture
def settings(stores: RunningStack, tmp_path: Path) -> Settings:
    """Without orders, and with an empty folder of checkpoints."""
    empty(stores.settings.postgres_url)
    return stores.settings.model_copy(update={"flink_checkpoint_dir": tmp_path.as_uri()})


class History:
    """Orders and snapshots, one after the other."""

    def __init__(self, settings: Settings, root: Path) -> None:
        self.settings = settings
        self._root = root

    def snapshot(self, name: str) -> datetime:
        """Complete one; returns a moment after."""
        metadata = self._root / name / "_metadata"
        metadata.parent.mkdir(parents=True)
        metadata.write_bytes(METADATA_MAGIC)
        # By themselves files have coarser times than the orders around them.
        os.utime(metadata, (time.time(), time.time()))
        return datetime.now(tz=UTC)

    def uri(self, name: str) -> str:
        return (self._root / name).as_uri()

    def desired(
        self, operation: str, *, begins: str | None = None, barred: datetime | None = None
    ) -> RecordedState:
        return record_desired_state(
            self.settings,
            DesiredState(
                operation=operation,
                release="r",
                restore_from=self.uri(begins) if begins else None,
                excluded_from=barred,
            ),
        )

    def points(self, desired: RecordedState) -> list[str | None]:
        """The names to try."""
        found = restore_points(self.settings, desired)
        return [uri and uri.removeprefix(self._root.as_uri() + "/") for uri in found]


@pytest.fixture
def history(settings: Settings, tmp_path: Path) -> History:
    return History(settings, tmp_path)


def test_the_orders_own_come_first_then_where_it_begins_then_older_ones(history: History) -> None:
    first = history.desired("start")
    assert history.points(first) == [None]
    history.snapshot("a/chk-1")
    history.snapshot("a/chk-2")
    history.snapshot("savepoint-a")
    second = history.desired("rescale", begins="savepoint-a")
    history.snapshot("b/chk-3")
    history.snapshot("b/chk-4")
    assert history.points(second) == ["b/chk-4", "b/chk-3", "savepoint-a", "a/chk-2", "a/chk-1"]


def test_what_a_roll_back_has_barred_stays_barred_under_every_later_order(history: History) -> None:
    history.desired("start")
    history.snapshot("good/chk-1")
    stopped = history.snapshot("savepoint-good")
    history.desired("upgrade", begins="savepoint-good")
    history.snapshot("bad/chk-2")
    back = history.desired("roll back", begins="savepoint-good", barred=stopped)
    assert history.points(back) == ["savepoint-good", "good/chk-1"]
    history.snapshot("good/chk-3")
    history.snapshot("savepoint-later")
    later = history.desired("rescale", begins="savepoint-later")
    left = ["savepoint-later", "good/chk-3", "savepoint-good", "good/chk-1"]
    assert history.points(later) == left
    latest = record_desired_state(history.settings, followed_by(later, "start", why="test", running=True))
    assert history.points(latest) == left


def test_a_barred_snapshot_can_still_be_chosen(history: History) -> None:
    history.desired("start")
    chosen = history.snapshot("a/chk-1")
    roll_back_step = history.snapshot("savepoint-a")
    history.desired("restore", begins="a/chk-1", barred=chosen)
    history.snapshot("b/chk-2")
    again = history.desired("restore", begins="savepoint-a", barred=roll_back_step)
    assert history.points(again) == ["savepoint-a", "a/chk-1"]


def test_a_start_from_nothing_bars_all_before_it_for_good(history: History) -> None:
    history.desired("start")
    history.snapshot("a/chk-1")
    nothing = history.desired("start from nothing", barred=BEFORE_ALL)
    assert history.points(nothing) == [None]
    history.snapshot("savepoint-b")
    assert history.points(history.desired("rescale", begins="savepoint-b")) == ["savepoint-b"]


def test_a_job_that_has_run_and_has_only_barred_snapshots_is_no_new_job(history: History) -> None:
    history.snapshot("a/chk-1")
    history.desired("start from nothing", barred=BEFORE_ALL)
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
    with pytest.raises(CtrError, match="has run before"):
        history.points(history.desired("rescale"))
