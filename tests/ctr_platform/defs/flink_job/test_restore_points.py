"""Which snapshots a job may go on with, by the orders on record."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert

from ctr_platform.errors import CtrError
from ctr_platform.flink_cluster.bring_up import BEFORE_ALL, followed_by, restore_points
from ctr_platform.flink_cluster.orders import GivenOrder, Order, give
from ctr_platform.flink_cluster.snapshots import METADATA_MAGIC
from ctr_platform.settings import RAW_TOPIC
from tests.support.stores import empty, running_stores, writing_engine
from warehouse.models import LedgerRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ctr_platform.settings import Settings
    from tests.support.stack import RunningStack


@pytest.fixture(scope="module")
def stores() -> Iterator[RunningStack]:
    with running_stores() as running:
        yield running


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

    def order(
        self, operation: str, *, begins: str | None = None, barred: datetime | None = None
    ) -> GivenOrder:
        return give(
            self.settings,
            Order(
                operation=operation,
                release="r",
                restore_from=self.uri(begins) if begins else None,
                barred_from=barred,
            ),
        )

    def points(self, order: GivenOrder) -> list[str | None]:
        """The names to try."""
        found = restore_points(self.settings, order)
        return [uri and uri.removeprefix(self._root.as_uri() + "/") for uri in found]


@pytest.fixture
def history(settings: Settings, tmp_path: Path) -> History:
    return History(settings, tmp_path)


def test_the_orders_own_come_first_then_where_it_begins_then_older_ones(history: History) -> None:
    first = history.order("start")
    assert history.points(first) == [None]
    history.snapshot("a/chk-1")
    history.snapshot("a/chk-2")
    history.snapshot("savepoint-a")
    second = history.order("rescale", begins="savepoint-a")
    history.snapshot("b/chk-3")
    history.snapshot("b/chk-4")
    assert history.points(second) == ["b/chk-4", "b/chk-3", "savepoint-a", "a/chk-2", "a/chk-1"]


def test_what_a_roll_back_has_barred_stays_barred_under_every_later_order(history: History) -> None:
    history.order("start")
    history.snapshot("good/chk-1")
    stopped = history.snapshot("savepoint-good")
    history.order("upgrade", begins="savepoint-good")
    history.snapshot("bad/chk-2")
    back = history.order("roll back", begins="savepoint-good", barred=stopped)
    assert history.points(back) == ["savepoint-good", "good/chk-1"]
    history.snapshot("good/chk-3")
    history.snapshot("savepoint-later")
    later = history.order("rescale", begins="savepoint-later")
    left = ["savepoint-later", "good/chk-3", "savepoint-good", "good/chk-1"]
    assert history.points(later) == left
    latest = give(history.settings, followed_by(later, "start", why="test", running=True))
    assert history.points(latest) == left


def test_a_barred_snapshot_can_still_be_chosen(history: History) -> None:
    history.order("start")
    chosen = history.snapshot("a/chk-1")
    way_back = history.snapshot("savepoint-a")
    history.order("restore", begins="a/chk-1", barred=chosen)
    history.snapshot("b/chk-2")
    again = history.order("restore", begins="savepoint-a", barred=way_back)
    assert history.points(again) == ["savepoint-a", "a/chk-1"]


def test_a_start_from_nothing_bars_all_before_it_for_good(history: History) -> None:
    history.order("start")
    history.snapshot("a/chk-1")
    nothing = history.order("start from nothing", barred=BEFORE_ALL)
    assert history.points(nothing) == [None]
    history.snapshot("savepoint-b")
    assert history.points(history.order("rescale", begins="savepoint-b")) == ["savepoint-b"]


def test_a_job_that_has_run_and_has_only_barred_snapshots_is_no_new_job(history: History) -> None:
    history.snapshot("a/chk-1")
    history.order("start from nothing", barred=BEFORE_ALL)
    fates = dict.fromkeys(("counted", "late", "malformed", "unknown_schema", "invalid"), 0)
    row = {"topic": RAW_TOPIC, "partition": 0, "first_offset": 0, "last_offset": 0, "checkpoint_id": 1}
    told = {**row, **fates, "records_read": 1, "job_id": "a", "run_started_at": datetime.now(tz=UTC)}
    with writing_engine(history.settings.postgres_url).begin() as connection:
        connection.execute(insert(LedgerRow).values(told))
    with pytest.raises(CtrError, match="has run before"):
        history.points(history.order("rescale"))
