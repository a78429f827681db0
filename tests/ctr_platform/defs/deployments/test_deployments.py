"""Operations on the real job under real traffic. The long ones, hand-over included, are in `tests/drills`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from ctr_platform.errors import CtrError
from ctr_platform.flink_cluster.bring_up import bring_up, start
from ctr_platform.flink_cluster.orders import newest_order
from ctr_platform.flink_cluster.releases import make_release
from ctr_platform.flink_cluster.rest import FlinkCluster
from ctr_platform.flink_cluster.snapshots import complete_snapshots
from ctr_platform.kafka.topics import ensure_topics
from ctr_platform.operations.drill import restart_drill
from ctr_platform.operations.hand_over import boundary_after, hand_over
from ctr_platform.operations.moves import rescale, restore, stop, the_job
from ctr_platform.operations.proof import prove
from ctr_platform.operations.retention import KEPT_SNAPSHOTS, discard
from ctr_platform.operations.upgrade import upgrade
from ctr_platform.registry.subject import ensure_subject
from ctr_platform.stack.catalog import DATA_SERVICES
from ctr_platform.stack.probes import wait_until
from flink.config import JOB_NAME
from tests.support.stack import running_stack
from warehouse.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctr_platform.flink_cluster.rest import JobDetail
    from ctr_platform.settings import Settings

PROJECT: Final = Path(__file__).parents[3]
ENDED_WITHIN_S: Final = 60
CHECKPOINT_WITHIN_S: Final = 60
PROVED_WITHIN_S: Final = 200


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    """A stack of its own, with the job and some traffic on it."""
    with running_stack(DATA_SERVICES) as stack:
        migrate(stack.settings.postgres_url)
        ensure_topics(stack.settings)
        ensure_subject(stack.settings)
        start(stack.settings, why="the tests begin")
        producing = subprocess.Popen(
            [sys.executable, "-m", "ctr_platform", "produce", "--rate", "300"],
            env=stack.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield stack.settings
            assert producing.poll() is None
        finally:
            producing.kill()
            producing.wait()


def _code(folder: Path, *change: str) -> Path:
    """A checkout of the job's code with one text replaced: (file, text, replacement)."""
    shutil.copytree(PROJECT / "flink", folder / "flink", ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / change[0]
    text = file.read_text(encoding="utf-8")
    assert change[1] in text
    file.write_text(text.replace(change[1], change[2]), encoding="utf-8")
    return folder


def _job(settings: Settings) -> JobDetail:
    with FlinkCluster(settings.flink_rest_url) as cluster:
        return the_job(cluster)


def _cancel(settings: Settings) -> None:
    with FlinkCluster(settings.flink_rest_url) as cluster:
        job = the_job(cluster)
        wait_until(lambda: cluster.checkpoints(job.id).completed > 0, CHECKPOINT_WITHIN_S, "a checkpoint")
        cluster.cancel(job.id)
        wait_until(lambda: not cluster.alive(JOB_NAME), ENDED_WITHIN_S, "the job's end")


def test_a_dry_run_says_what_it_would_do_and_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    job, order = _job(settings), newest_order(settings)
    code = _code(tmp_path, "flink/job.py", "FLUSH_MS: Final = 200", "FLUSH_MS: Final = 150")
    shutil.copytree(PROJECT / "warehouse" / "migrations", tmp_path / "warehouse" / "migrations")
    wait_until(
        lambda: bool(complete_snapshots(settings.flink_checkpoint_dir)), CHECKPOINT_WITHIN_S, "a checkpoint"
    )
    newest = complete_snapshots(settings.flink_checkpoint_dir)
    steps = [
        stop(settings, why="test", dry_run=True).steps,
        rescale(settings, 2, dry_run=True).steps,
        restore(settings, newest[0].uri, dry_run=True).steps,
        restart_drill(settings, dry_run=True).move.steps,
        upgrade(settings, code, dry_run=True).steps,
        hand_over(settings, code, dry_run=True).steps,
    ]
    assert all(steps)
    assert _job(settings).id == job.id
    assert newest_order(settings) == order


def test_what_cannot_be_done_is_refused_before_the_job_is_touched(settings: Settings, tmp_path: Path) -> None:
    job, order = _job(settings), newest_order(settings)
    broken = _code(tmp_path / "broken", "flink/sql/inserts.sql", "FROM windows_1min", "FROM no_such_view")
    with pytest.raises(CtrError, match="no_such_view"):
        upgrade(settings, broken)
    with pytest.raises(CtrError, match="nothing to do"):
        upgrade(settings)
    with pytest.raises(CtrError, match="holds no package"):
        upgrade(settings, tmp_path)
    with pytest.raises(CtrError, match="holds no warehouse/migrations"):
        hand_over(settings, broken)
    with pytest.raises(CtrError, match="slots for 1 to 8"):
        rescale(settings, 9)
    with pytest.raises(CtrError, match="is no complete snapshot; the newest: "):
        restore(settings, "file:///nowhere/chk-1")
    assert _job(settings).id == job.id
    assert newest_order(settings) == order


def test_a_rescaled_job_keeps_its_parallelism_when_it_is_brought_back(settings: Settings) -> None:
    done = rescale(settings, 2)
    assert done.submission is not None
    assert done.stopped is not None
    assert done.submission.parallelism == 2
    assert done.submission.restored_from == done.stopped.savepoint
    _cancel(settings)
    order = newest_order(settings)
    assert order is not None
    assert (order.operation, order.why, order.parallelism) == ("rescale", "4 to 2", 2)
    assert bring_up(settings, order).parallelism == 2


def test_a_restored_job_never_goes_on_with_what_came_after_its_snapshot(settings: Settings) -> None:
    with FlinkCluster(settings.flink_rest_url) as cluster:
        job = the_job(cluster)
        wait_until(lambda: cluster.checkpoints(job.id).completed > 0, CHECKPOINT_WITHIN_S, "a checkpoint")
    chosen = complete_snapshots(settings.flink_checkpoint_dir)[0]
    done = restore(settings, chosen.uri)
    assert done.submission is not None
    assert done.submission.restored_from == chosen.uri
    order = newest_order(settings)
    assert order is not None
    with FlinkCluster(settings.flink_rest_url) as cluster:
        job = the_job(cluster)
        cluster.cancel(job.id)
        wait_until(lambda: not cluster.alive(JOB_NAME), ENDED_WITHIN_S, "the job's end")
    newer = [
        each.uri
        for each in complete_snapshots(settings.flink_checkpoint_dir)
        if each.completed_s > order.given_at.timestamp()
    ]
    # The savepoint of the stop is newer than the chosen one, and barred.
    assert bring_up(settings, order).restored_from == (newer or [chosen.uri])[0]


def test_code_that_counts_wrongly_is_taken_back_and_leaves_no_trace(
    settings: Settings, tmp_path: Path
) -> None:
    before = newest_order(settings)
    assert before is not None
    change = "}, impressions, ${measures}", "}, impressions * 2, ${measures}"
    done = upgrade(
        settings, _code(tmp_path, "flink/sql/inserts.sql", *change), prove_within_s=PROVED_WITHIN_S
    )
    assert done.rolled_back is not None
    assert "windows are inexact" in done.rolled_back
    assert done.proof is not None
    assert (done.proof.lost, done.proof.doubled > 0) == (0, True)
    after = newest_order(settings)
    assert after is not None
    assert (after.operation, after.release) == ("roll back", before.release)
    assert done.way_back is not None
    assert done.move is not None
    assert done.move.stopped is not None
    until = datetime.now(tz=UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    proof = prove(settings, done.move.stopped.asked_at, within_s=PROVED_WITHIN_S, until=until)
    assert (proof.problem, proof.lost, proof.doubled) == (None, 0, 0)
    assert proof.windows > 0


def test_retention_keeps_what_a_job_could_be_restored_from(settings: Settings, tmp_path: Path) -> None:
    greedy = settings.model_copy(update={"snapshot_retention": 1e-9, "window_retention": 1e-9})
    unused = make_release(
        settings, _code(tmp_path, "flink/job.py", "FLUSH_MS: Final = 200", "FLUSH_MS: Final = 9")
    )
    before = complete_snapshots(settings.flink_checkpoint_dir)
    plan = discard(greedy, dry_run=True)
    assert unused.folder.is_dir()
    assert unused.name in plan.releases
    assert plan.snapshots
    assert plan.snapshot_bytes > 0
    assert {each.uri for each in before} <= {
        each.uri for each in complete_snapshots(settings.flink_checkpoint_dir)
    }
    done = discard(greedy)
    assert not unused.folder.exists()
    assert done.snapshots
    left = complete_snapshots(settings.flink_checkpoint_dir)
    assert len(left) >= KEPT_SNAPSHOTS
    job = _job(settings)
    assert any(job.id in each.uri for each in left)
    order = newest_order(settings)
    assert order is not None
    assert (settings.release_dir / order.release).is_dir()
    assert discard(settings).snapshots == []


def test_a_stopped_job_stays_stopped_until_somebody_starts_it(settings: Settings) -> None:
    before = newest_order(settings)
    assert before is not None
    done = stop(settings, why="a quiet night")
    assert done.stopped is not None
    with FlinkCluster(settings.flink_rest_url) as cluster:
        assert cluster.alive(JOB_NAME) == []
    order = newest_order(settings)
    assert order is not None
    assert (order.running, order.why) == (False, "a quiet night")
    with pytest.raises(CtrError, match="stopped on purpose"):
        restart_drill(settings)
    again = start(settings, why="morning")
    assert again.restored_from == done.stopped.savepoint
    assert again.release == before.release
    proof = prove(settings, done.stopped.asked_at, within_s=PROVED_WITHIN_S)
    assert (proof.problem, proof.lost, proof.doubled) == (None, 0, 0)


def test_the_boundary_lies_beyond_every_event_that_can_have_been_read() -> None:
    noon = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
    assert boundary_after(noon) == noon + timedelta(minutes=5)
    assert boundary_after(noon + timedelta(minutes=3, seconds=59)) == noon + timedelta(minutes=5)
    assert boundary_after(noon + timedelta(minutes=4)) == noon + timedelta(minutes=10)
