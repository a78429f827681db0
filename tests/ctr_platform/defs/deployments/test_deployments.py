"""Operations on the real job under real traffic. The long ones, cutover included, are in `tests/drills`."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from contract.errors import CtrError
from contract.time_rules import TimeRules
from ctr_platform.defs.deployments.cutover import cut_over, cutover_time_after
from ctr_platform.defs.deployments.drill import restart_drill
from ctr_platform.defs.deployments.steps import require_single_job, rescale, restore, stop
from ctr_platform.defs.deployments.upgrade import upgrade
from ctr_platform.defs.deployments.verification import verify_deployment
from ctr_platform.defs.flink_job.deploy import bring_up, start
from ctr_platform.defs.flink_job.desired_state import current_desired_state
from ctr_platform.defs.flink_job.releases import make_release
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.restore_points import MAX_SNAPSHOTS, complete_snapshots
from ctr_platform.defs.flink_job.snapshots import path_of
from ctr_platform.defs.flink_job.submitted_jobs import snapshot_folder, submitted_jobs
from ctr_platform.defs.retention.retention import discard
from ctr_platform.defs.retention.snapshots import KEPT_SNAPSHOTS
from ctr_platform.devstack.probes import wait_until
from flink.config import JOB_NAME
from tests.support.deployed import deployed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.settings import Settings
    from ctr_platform.defs.flink_job.rest import JobDetail
    from tests.support.stack import RunningStack

PROJECT: Final = Path(__file__).parents[4]
ENDED_WITHIN_S: Final = 60
CHECKPOINT_WITHIN_S: Final = 60
VERIFIED_WITHIN_S: Final = 200


@pytest.fixture(scope="module")
def settings(stack: RunningStack, warm_submissions: object) -> Iterator[Settings]:
    """The job and some traffic on it."""
    del warm_submissions
    with deployed(stack, events_per_second=300) as made:
        yield made


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
        return require_single_job(cluster)


def _cancel(settings: Settings) -> None:
    with FlinkCluster(settings.flink_rest_url) as cluster:
        job = require_single_job(cluster)
        wait_until(lambda: cluster.checkpoints(job.id).completed > 0, CHECKPOINT_WITHIN_S, "a checkpoint")
        cluster.cancel(job.id)
        wait_until(lambda: not cluster.alive(JOB_NAME), ENDED_WITHIN_S, "the job's end")


def test_a_dry_run_says_what_it_would_do_and_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    job, desired = _job(settings), current_desired_state(settings)
    code = _code(tmp_path, "flink/job.py", "FLUSH_MS: Final = 200", "FLUSH_MS: Final = 150")
    shutil.copytree(PROJECT / "warehouse" / "migrations", tmp_path / "warehouse" / "migrations")
    wait_until(lambda: bool(complete_snapshots(settings)), CHECKPOINT_WITHIN_S, "a checkpoint")
    newest = complete_snapshots(settings)
    steps = [
        stop(settings, why="test", dry_run=True).steps,
        rescale(settings, 2, dry_run=True).steps,
        restore(settings, newest[0].uri, dry_run=True).steps,
        restart_drill(settings, dry_run=True).step.steps,
        upgrade(settings, code, dry_run=True).steps,
        cut_over(settings, code, dry_run=True).steps,
    ]
    assert all(steps)
    assert _job(settings).id == job.id
    assert current_desired_state(settings) == desired


def test_what_cannot_be_done_is_refused_before_the_job_is_touched(settings: Settings, tmp_path: Path) -> None:
    job, desired = _job(settings), current_desired_state(settings)
    broken = _code(tmp_path / "broken", "flink/sql/inserts.sql", "FROM windows_1min", "FROM no_such_view")
    with pytest.raises(CtrError, match="no_such_view"):
        upgrade(settings, broken)
    with pytest.raises(CtrError, match="nothing to do"):
        upgrade(settings)
    with pytest.raises(CtrError, match="holds no package"):
        upgrade(settings, tmp_path)
    with pytest.raises(CtrError, match="holds no warehouse/migrations"):
        cut_over(settings, broken)
    with pytest.raises(CtrError, match="slots for 1 to 8"):
        rescale(settings, 9)
    with pytest.raises(CtrError, match="is no complete snapshot; the newest: "):
        restore(settings, "file:///nowhere/chk-1")
    assert _job(settings).id == job.id
    assert current_desired_state(settings) == desired


def test_a_rescaled_job_keeps_its_parallelism_when_it_is_brought_back(settings: Settings) -> None:
    done = rescale(settings, 2)
    assert done.submission is not None
    assert done.stopped is not None
    assert done.submission.parallelism == 2
    assert done.submission.restored_from == done.stopped.savepoint
    _cancel(settings)
    desired = current_desired_state(settings)
    assert desired is not None
    assert (desired.operation, desired.why, desired.parallelism) == ("rescale", "4 to 2", 2)
    assert bring_up(settings, desired).parallelism == 2


def test_a_restored_job_never_goes_on_with_what_came_after_its_snapshot(settings: Settings) -> None:
    with FlinkCluster(settings.flink_rest_url) as cluster:
        job = require_single_job(cluster)
        wait_until(lambda: cluster.checkpoints(job.id).completed > 0, CHECKPOINT_WITHIN_S, "a checkpoint")
    chosen = complete_snapshots(settings)[0]
    done = restore(settings, chosen.uri)
    assert done.submission is not None
    assert done.submission.restored_from == chosen.uri
    desired = current_desired_state(settings)
    assert desired is not None
    with FlinkCluster(settings.flink_rest_url) as cluster:
        job = require_single_job(cluster)
        cluster.cancel(job.id)
        wait_until(lambda: not cluster.alive(JOB_NAME), ENDED_WITHIN_S, "the job's end")
    jobs = submitted_jobs(settings)
    newer = [
        each.uri
        for each in complete_snapshots(settings)
        if jobs[each.job_id].deployment_id == desired.deployment_id
    ]
    # The savepoint of the stop is newer than the chosen one, and barred.
    assert bring_up(settings, desired).restored_from == (newer or [chosen.uri])[0]


def test_code_that_counts_wrongly_is_taken_back_and_leaves_no_trace(
    settings: Settings, tmp_path: Path
) -> None:
    before = current_desired_state(settings)
    assert before is not None
    change = "}, impressions, ${measures}", "}, impressions * 2, ${measures}"
    done = upgrade(
        settings, _code(tmp_path, "flink/sql/inserts.sql", *change), verify_within_s=VERIFIED_WITHIN_S
    )
    assert done.rolled_back is not None
    assert "windows are inexact" in done.rolled_back
    assert done.verification is not None
    assert (done.verification.lost, done.verification.doubled > 0) == (0, True)
    after = current_desired_state(settings)
    assert after is not None
    assert (after.operation, after.release) == ("roll back", before.release)
    assert done.roll_back_step is not None
    assert done.step is not None
    assert done.step.stopped is not None
    until = datetime.now(tz=UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    verification = verify_deployment(
        settings, done.step.stopped.asked_at, within_s=VERIFIED_WITHIN_S, until=until
    )
    assert (verification.problem, verification.lost, verification.doubled) == (None, 0, 0)
    assert verification.windows > 0


def _savepoints(settings: Settings) -> set[str]:
    return {each.uri for each in complete_snapshots(settings) if each.is_savepoint}


def test_retention_keeps_what_a_job_could_be_restored_from(settings: Settings, tmp_path: Path) -> None:
    greedy = settings.model_copy(update={"snapshot_retention": 1e-9, "window_retention": 1e-9})
    unused = make_release(
        settings, _code(tmp_path, "flink/job.py", "FLUSH_MS: Final = 200", "FLUSH_MS: Final = 9")
    )
    running = _job(settings)
    with FlinkCluster(settings.flink_rest_url) as cluster:
        # One more than a recovery tries.
        for _ in range(MAX_SNAPSHOTS + 1):
            cluster.savepoint(running.id, snapshot_folder(settings), CHECKPOINT_WITHIN_S)
    # The job that comes after says how old they are.
    restart_drill(settings, verify_within_s=0)
    # Savepoints: Flink itself lets go of a checkpoint when the next is complete.
    before = _savepoints(settings)
    plan = discard(greedy, dry_run=True)
    assert unused.folder.is_dir()
    assert unused.name in plan.releases
    assert plan.snapshots
    assert plan.snapshot_bytes > 0
    assert len(before) > MAX_SNAPSHOTS
    assert before <= _savepoints(settings)
    done = discard(greedy)
    assert not unused.folder.exists()
    assert done.snapshots
    left = complete_snapshots(settings)
    assert len(left) >= KEPT_SNAPSHOTS
    job = _job(settings)
    assert any(job.id in each.uri for each in left)
    desired = current_desired_state(settings)
    assert desired is not None
    assert (settings.release_dir / desired.release).is_dir()
    assert discard(settings).snapshots == []


def test_a_stopped_job_stays_stopped_until_somebody_starts_it(settings: Settings) -> None:
    before = current_desired_state(settings)
    assert before is not None
    done = stop(settings, why="a quiet night")
    assert done.stopped is not None
    with FlinkCluster(settings.flink_rest_url) as cluster:
        assert cluster.alive(JOB_NAME) == []
    desired = current_desired_state(settings)
    assert desired is not None
    assert (desired.running, desired.why) == (False, "a quiet night")
    with pytest.raises(CtrError, match="stopped on purpose"):
        restart_drill(settings)
    again = start(settings, why="morning")
    assert again.restored_from == done.stopped.savepoint
    assert again.release == before.release
    verification = verify_deployment(settings, done.stopped.asked_at, within_s=VERIFIED_WITHIN_S)
    assert (verification.problem, verification.lost, verification.doubled) == (None, 0, 0)


def test_a_job_that_does_not_run_starts_from_any_snapshot_that_a_person_names(
    settings: Settings, tmp_path: Path
) -> None:
    done = stop(settings, why="test")
    assert done.stopped is not None
    elsewhere = tmp_path / "from-another-disk"
    shutil.copytree(path_of(done.stopped.savepoint), elsewhere)
    with pytest.raises(CtrError, match="is no complete snapshot"):
        start(settings, restore_from=(tmp_path / "absent").as_uri())
    assert start(settings, restore_from=elsewhere.as_uri()).restored_from == elsewhere.as_uri()
    desired = current_desired_state(settings)
    assert desired is not None
    assert (desired.excludes_since, desired.restore_job_id) == (True, None)


def test_the_boundary_lies_beyond_every_event_that_can_have_been_read() -> None:
    noon, rules = datetime(2026, 1, 1, 12, 0, tzinfo=UTC), TimeRules()
    assert cutover_time_after(noon, rules) == noon + timedelta(minutes=5)
    assert cutover_time_after(noon + timedelta(minutes=3, seconds=59), rules) == noon + timedelta(minutes=5)
    assert cutover_time_after(noon + timedelta(minutes=4), rules) == noon + timedelta(minutes=10)
