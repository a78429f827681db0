"""Bring the job `ctr_windows` up: once, as ordered, from the right state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ctr_platform.artifacts.java import build_jar, front_classpath
from ctr_platform.errors import CtrError
from ctr_platform.flink_cluster.orders import GivenOrder, Order, barred_times, give, newest_order
from ctr_platform.flink_cluster.releases import find_release, make_release
from ctr_platform.flink_cluster.rest import FlinkCluster
from ctr_platform.flink_cluster.snapshots import complete_snapshots
from ctr_platform.flink_cluster.submission import (
    RestoreFailed,
    end_jobs,
    job_config,
    submit,
    wait_running,
)
from ctr_platform.settings import RAW_TOPIC
from flink.config import JOB_NAME
from warehouse.reads import Warehouse

if TYPE_CHECKING:
    from collections.abc import Collection

    from ctr_platform.flink_cluster.releases import Release
    from ctr_platform.settings import Settings
    from flink.config import JobConfig

MAX_SNAPSHOTS: Final = 5
"""So many are tried, newest first: the job keeps three checkpoints, and there may be savepoints."""

BEFORE_ALL: Final = datetime.fromtimestamp(0, tz=UTC)


@dataclass(frozen=True, kw_only=True)
class Submission:
    """How the job came to run."""

    job_id: str
    already_running: bool
    parallelism: int
    restored_from: str | None
    """URI of the snapshot; None: it started at the topic's beginning."""

    passed_over: dict[str, str]
    """Newer snapshots that it could not be restored from, and why."""

    release: str
    """Name of the code."""

    url: str
    """The job's page in the Flink UI."""


def start(
    settings: Settings, *, from_nothing: bool = False, replace_jobs: Collection[str] = (), why: str = ""
) -> Submission:
    """Want the job to run, and bring it up.

    A job that has been stopped on purpose goes on where it stopped, as it was.

    Args:
        settings: where everything is.
        from_nothing: start at the topic's beginning although the job has run before.
        replace_jobs: see `bring_up`.
        why: for the record.

    Raises:
        CtrError: see `bring_up`.
    """
    order = newest_order(settings)
    if from_nothing:
        release = make_release(settings).name
        order = give(
            settings, Order(operation="start from nothing", why=why, release=release, barred_from=BEFORE_ALL)
        )
    elif order is None:
        order = give(settings, Order(operation="start", why=why, release=make_release(settings).name))
    elif not order.running:
        order = give(settings, followed_by(order, "start", why=why, running=True))
    return bring_up(settings, order, replace_jobs=replace_jobs)


def followed_by(order: GivenOrder, operation: str, *, why: str, running: bool) -> Order:
    """An order for the same job, with the same code and from the same state."""
    return Order(
        operation=operation,
        why=why,
        running=running,
        release=order.release,
        parallelism=order.parallelism,
        restore_from=order.restore_from,
        bounds=order.bounds,
    )


def bring_up(
    settings: Settings, order: GivenOrder, *, replace_jobs: Collection[str] = (), newest_only: bool = False
) -> Submission:
    """See to it that exactly one `ctr_windows` runs, restored from the newest snapshot that the order allows.

    A job that is there already is left alone, but waited for, unless its id is in `replace_jobs`: such a one
    is cancelled first. Its retained checkpoints stay. A snapshot that the job cannot be restored from is
    passed over for the next older one: it only has more to read again.

    Args:
        settings: where everything is.
        order: what the job is to be.
        replace_jobs: ids of jobs to end before; one that has ended since is no matter.
        newest_only: pass no snapshot over.

    Raises:
        CtrError: Flink, Kafka's front or Postgres is away; the job does not come up; or it has run before
            and there is nothing to restore it from.
    """
    with FlinkCluster(settings.flink_rest_url) as cluster:
        end_jobs(cluster, replace_jobs)
        alive = cluster.alive(JOB_NAME)
        passed_over: dict[str, str] = {}
        if alive:
            job = wait_running(cluster, alive[0].id)
            restored = cluster.checkpoints(job.id).restored_from
        else:
            release = find_release(settings, order.release)
            config = config_of(settings, order, release)
            for restored in restore_points(settings, order)[: 1 if newest_only else MAX_SNAPSHOTS]:
                try:
                    job_id = submit(replace(config, restore_from=restored), release.folder)
                    job = wait_running(cluster, job_id)
                    break
                except RestoreFailed as failed:
                    end_jobs(cluster, [each.id for each in cluster.alive(JOB_NAME)])
                    passed_over[str(restored)] = str(failed)
            else:
                reasons = "; ".join(f"{uri}: {reason}" for uri, reason in passed_over.items())
                raise CtrError(f"{JOB_NAME} can be restored from none of the newest snapshots: {reasons}")
    ui = (settings.flink_ui_url or settings.flink_rest_url).rstrip("/")
    return Submission(
        job_id=job.id,
        already_running=bool(alive),
        parallelism=job.parallelism,
        restored_from=restored,
        passed_over=passed_over,
        release=order.release,
        url=f"{ui}/#/job/running/{job.id}/overview",
    )


def config_of(settings: Settings, order: Order, release: Release) -> JobConfig:
    """What a job of this order and code is told.

    Raises:
        CtrError: the release's front does not compile.
    """
    front = build_jar("ctr-front", release.front_sources, front_classpath())
    return replace(
        job_config(settings, front),
        parallelism=order.parallelism or settings.flink_parallelism,
        bounds=order.bounds,
    )


def restore_points(settings: Settings, order: GivenOrder) -> list[str | None]:
    """The snapshots to try: of this order's jobs, the one it begins with, older ones; each newest first.

    None of a time that any order has barred, but for the one that this order begins with. `[None]` for a job
    that starts at the topic's beginning.

    Raises:
        CtrError: there is none, and the job has run before.
        WarehouseUnavailable: Postgres is away.
    """
    barred = barred_times(settings)
    given_s = order.given_at.timestamp()
    snapshots = [
        each
        for each in complete_snapshots(settings.flink_checkpoint_dir)
        if not any(begin.timestamp() < each.completed_s <= end.timestamp() for begin, end in barred)
    ]
    since = [each.uri for each in snapshots if each.completed_s > given_s]
    before = [each.uri for each in snapshots if each.completed_s <= given_s]
    chosen = [order.restore_from] if order.restore_from else []
    points = list(dict.fromkeys([*since, *chosen, *before]))
    if points:
        return list(points)
    if order.barred_from is None and _has_run(settings):
        raise CtrError(
            f"{JOB_NAME} has run before (quality.ledger knows), but {settings.flink_checkpoint_dir} holds no "
            "complete checkpoint or savepoint: put one there, or start from nothing "
            f"on purpose by materializing {JOB_NAME} with from_nothing: true"
        )
    return [None]


def _has_run(settings: Settings) -> bool:
    warehouse = Warehouse(settings.postgres_url)
    try:
        return bool(warehouse.ledger_totals(RAW_TOPIC))
    finally:
        warehouse.close()
