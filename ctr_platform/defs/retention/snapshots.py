"""Which snapshots of the job are too old, and how one is deleted beside a job that may be starting."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from contract.errors import CtrError
from ctr_platform.defs.flink_job.desired_state import current_desired_state
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.restore_points import MAX_SNAPSHOTS, complete_snapshots, restore_points
from ctr_platform.defs.flink_job.snapshots import METADATA_FILE, path_of
from ctr_platform.defs.flink_job.submitted_jobs import submitted_jobs

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from contract.settings import Settings
    from ctr_platform.defs.flink_job.snapshots import Snapshot

KEPT_SNAPSHOTS: Final = 3
"""The newest complete ones stay, however old, allowed or not: a person may choose one of them."""


def old_snapshots(settings: Settings) -> list[Path]:
    """Find the folders of ended jobs, and the savepoints, that are older than `SNAPSHOT_RETENTION`.

    A recovery may begin at any moment beside this. It tries at most `MAX_SNAPSHOTS`, in the order of
    `restore_points`: none of these is among the folders, nor is the folder of a job that is alive.

    Raises:
        CtrError: Flink does not answer, or the checkpoint folder is not one that can be listed.
        WarehouseUnavailable: Postgres is unavailable.
    """
    with FlinkCluster(settings.flink_rest_url) as cluster:
        alive = {job.id for job in cluster.jobs() if job.alive}
    # In this order: a job that starts from here on starts from one of the points that are read next.
    return old_snapshots_beside(settings, alive)


def old_snapshots_beside(settings: Settings, alive: Collection[str]) -> list[Path]:
    """Find them, given the ids of the jobs that are alive.

    A snapshot is older than the submission of the job that came after its own. What the newest job has left
    is therefore of no known age, and stays.
    """
    jobs = submitted_jobs(settings)
    replaced_at = dict(zip(jobs, [job.submitted_at for job in jobs.values()][1:], strict=False))
    snapshots = complete_snapshots(settings)
    kept = {_folder(each) for each in snapshots[:KEPT_SNAPSHOTS]}
    points = _restore_points(settings)
    kept |= {_folder(each) for each in snapshots if path_of(each.uri) in points}
    since = datetime.now(tz=UTC) - timedelta(seconds=settings.snapshot_retention)
    old = {
        _folder(each)
        for each in snapshots
        if each.job_id in replaced_at and replaced_at[each.job_id] < since and each.job_id not in alive
    }
    return sorted(old - kept)


def delete_snapshot(folder: Path) -> None:
    """Delete a folder; at once nobody finds a complete snapshot in it any more."""
    for metadata in folder.rglob(METADATA_FILE):
        metadata.unlink()
    shutil.rmtree(folder)


def _restore_points(settings: Settings) -> set[Path]:
    """Where the next recovery would begin, whatever it finds to be unreadable."""
    desired = current_desired_state(settings)
    if desired is None:
        return set()
    try:
        points = restore_points(settings, desired)[:MAX_SNAPSHOTS]
    except CtrError:
        return set()  # there is none: a recovery says so
    chosen = [desired.restore_from] if desired.restore_from else []
    return {path_of(uri) for uri in [*points, *chosen] if uri}


def _folder(snapshot: Snapshot) -> Path:
    """What is deleted as a whole: a savepoint, or a job's folder, whose checkpoints share files."""
    path = path_of(snapshot.uri)
    return path if snapshot.is_savepoint else path.parent
