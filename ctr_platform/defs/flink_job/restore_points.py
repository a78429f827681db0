"""Which snapshots the job may go on with, and in which order they are tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contract.errors import CtrError
from ctr_platform.defs.flink_job.desired_state import exclusions
from ctr_platform.defs.flink_job.snapshots import snapshots_of
from ctr_platform.defs.flink_job.submitted_jobs import snapshot_folder, submitted_jobs
from flink.config import JOB_NAME
from warehouse.reads import Warehouse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contract.settings import Settings
    from ctr_platform.defs.flink_job.desired_state import Exclusion, RecordedState
    from ctr_platform.defs.flink_job.snapshots import Snapshot
    from ctr_platform.defs.flink_job.submitted_jobs import SubmittedJob

MAX_SNAPSHOTS: Final = 5
"""So many are tried, newest first: the job keeps three checkpoints, and there may be savepoints."""


def complete_snapshots(settings: Settings) -> list[Snapshot]:
    """Every complete snapshot of this installation's jobs, newest first.

    Version 0.1 had them in `FLINK_CHECKPOINT_DIR` itself, beside whatever else is there.

    Raises:
        InvalidSetting: the folder is not one that this process can list.
        WarehouseUnavailable: Postgres is unavailable.
    """
    return _complete_snapshots(settings, submitted_jobs(settings))


def restore_points(settings: Settings, desired: RecordedState) -> list[str | None]:
    """The snapshots to try: of this deployment's jobs, the one it begins with, older ones; newest first.

    None that any deployment has excluded, but for the one that this deployment begins with. `[None]` for a
    job that starts at the topic's beginning.

    Raises:
        CtrError: there is none, and the job has run before.
        WarehouseUnavailable: Postgres is unavailable.
    """
    jobs = submitted_jobs(settings)
    excluded = exclusions(settings)
    own: list[str] = []
    earlier: list[str] = []
    for each in _complete_snapshots(settings, jobs):
        if (jobs[each.job_id].deployment_id or 0) >= desired.deployment_id:
            own.append(each.uri)
        elif not any(_excludes(exclusion, each, jobs) for exclusion in excluded):
            earlier.append(each.uri)
    chosen = [desired.restore_from] if desired.restore_from else []
    points = list(dict.fromkeys([*own, *chosen, *earlier]))
    if points:
        return list(points)
    if not desired.excludes_since and _has_run(settings):
        raise CtrError(
            f"{JOB_NAME} has run before (quality.ledger knows), but {settings.flink_checkpoint_dir} holds no "
            "complete checkpoint or savepoint of a job in quality.submitted_jobs: materialize "
            f"{JOB_NAME} with restore_from: URI of one, or with from_nothing: true to start from nothing on "
            "purpose"
        )
    return [None]


def _complete_snapshots(settings: Settings, jobs: Mapping[str, SubmittedJob]) -> list[Snapshot]:
    folders = (settings.flink_checkpoint_dir, snapshot_folder(settings))
    # A copy of a snapshot is the same one: the own folder's is taken.
    found = {
        _position(each.job_id, each.checkpoint_id, jobs): each
        for folder in folders
        for each in snapshots_of(jobs, folder)
    }
    return [found[position] for position in sorted(found, reverse=True)]


def _position(job_id: str, checkpoint_id: int, jobs: Mapping[str, SubmittedJob]) -> tuple[int, int]:
    """Where a snapshot stands in the order of all: jobs as submitted, a job's checkpoints by their ids."""
    return jobs[job_id].number, checkpoint_id


def _excludes(exclusion: Exclusion, snapshot: Snapshot, jobs: Mapping[str, SubmittedJob]) -> bool:
    """Whether a snapshot of an earlier deployment came after the one that the excluding one began with."""
    if (jobs[snapshot.job_id].deployment_id or 0) >= exclusion.deployment_id:
        return False
    if exclusion.job_id is None or exclusion.job_id not in jobs:
        return True
    if exclusion.checkpoint_id is None:
        return jobs[snapshot.job_id].number > jobs[exclusion.job_id].number
    begin = _position(exclusion.job_id, exclusion.checkpoint_id, jobs)
    return _position(snapshot.job_id, snapshot.checkpoint_id, jobs) > begin


def _has_run(settings: Settings) -> bool:
    warehouse = Warehouse(settings.postgres_url)
    try:
        return bool(warehouse.ledger_totals(settings.raw_topic))
    finally:
        warehouse.close()
