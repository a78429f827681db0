"""A cutover whose run is killed between its steps is brought to an end by the next one."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from contract.stream.load import FILE, SHIPPED
from ctr_platform.defs.deployments.cutover import cut_over
from ctr_platform.defs.deployments.steps import require_single_job, resume, stop_job
from ctr_platform.defs.flink_job.deploy import followed_by
from ctr_platform.defs.flink_job.desired_state import current_desired_state
from ctr_platform.defs.flink_job.rest import FlinkCluster
from flink.config import Bounds
from tests.support.deployed import deployed
from warehouse.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contract.settings import Settings
    from ctr_platform.defs.deployments.steps import Stopped
    from tests.support.stack import RunningStack

BANNER = '\n[[dimensions]]\nfield = "banner_pos"\ntitle = { en = "Position" }\nrates = "banner_ctr"\n'


@pytest.fixture
def settings(stack: RunningStack, warm_submissions: object, tmp_path: Path) -> Iterator[Settings]:
    """The job under traffic, on a declaration that the test may change."""
    del warm_submissions
    folder = tmp_path / "stream"
    shutil.copytree(SHIPPED, folder)
    with deployed(stack, events_per_second=200, ctr_stream=folder) as made:
        yield made


def _add_dimension(settings: Settings) -> None:
    file = settings.ctr_stream / FILE
    file.write_text(file.read_text(encoding="utf-8") + BANNER, encoding="utf-8")


def _drain(settings: Settings, cutover_time: datetime) -> Stopped:
    """Begin a cutover as `cut_over` does, up to the job that counts the windows before."""
    desired = current_desired_state(settings)
    assert desired is not None
    first = stop_job(settings)
    until = Bounds(count_until_ms=round(1000 * cutover_time.timestamp()))
    draining = replace(
        followed_by(desired, "finish", why="test", running=True),
        restore_from=first.savepoint,
        excludes_since=True,
        bounds=until,
    )
    resume(settings, first, draining)
    return first


def _bounds(settings: Settings) -> Bounds | None:
    desired = current_desired_state(settings)
    assert desired is not None
    with FlinkCluster(settings.flink_rest_url) as cluster:
        require_single_job(cluster)
    return desired.bounds


def test_before_the_tables_change_it_is_undone(settings: Settings) -> None:
    _add_dimension(settings)
    _drain(settings, datetime.now(tz=UTC) + timedelta(minutes=6))
    tried = cut_over(settings, dry_run=True)
    assert "the tables are as before" in tried.steps[1]
    assert _bounds(settings) is not None
    done = cut_over(settings)
    assert done.rolled_back is not None
    assert "run this one again" in done.rolled_back
    assert _bounds(settings) is None


def test_after_the_tables_have_changed_it_goes_on(settings: Settings) -> None:
    _add_dimension(settings)
    # A window that has not begun: nothing of it was counted in the old shape.
    cutover_time = datetime.now(tz=UTC).replace(second=0, microsecond=0) + timedelta(minutes=2)
    first = _drain(settings, cutover_time)
    stop_job(settings)
    migrate(settings.postgres_url, settings.declared_stream(), reshape_from=cutover_time)
    tried = cut_over(settings, dry_run=True)
    assert "the tables have their new shape" in tried.steps[1]
    done = cut_over(settings, verify_within_s=1)
    assert done.rolled_back is None
    assert done.to_new is not None
    assert done.to_new.submission is not None
    assert done.to_new.submission.restored_from == first.savepoint
    bounds = _bounds(settings)
    assert bounds is not None
    assert (bounds.count_from_ms, bounds.count_until_ms) == (round(1000 * cutover_time.timestamp()), None)
