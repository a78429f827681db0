"""Upgrade the job to other code, prove that it counts right, and go back to the old code if it does not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ctr_platform.errors import CtrError
from ctr_platform.flink_cluster.bring_up import config_of, followed_by
from ctr_platform.flink_cluster.releases import INSTALLED, make_release
from ctr_platform.flink_cluster.rest import FlinkCluster
from ctr_platform.flink_cluster.submission import check, end_jobs
from ctr_platform.operations.moves import go_on, running_order, stop_job
from ctr_platform.operations.proof import prove
from flink.config import JOB_NAME
from warehouse.errors import WarehouseUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from ctr_platform.flink_cluster.orders import GivenOrder, Order
    from ctr_platform.flink_cluster.releases import Release
    from ctr_platform.operations.moves import Move, Stopped
    from ctr_platform.operations.proof import Proof
    from ctr_platform.settings import Settings

PROVE_WITHIN_S: Final = 300.0
"""A minute has to end, to close 10 s later, to be in a checkpoint, and to be recounted."""


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """What has become of an upgrade, or with `dry_run` would."""

    steps: list[str]
    from_release: str
    to_release: str
    move: Move | None = None
    proof: Proof | None = None
    """Of the new code; None where it did not come up."""

    rolled_back: str | None = None
    """Why the old code runs again; None: the new code does."""

    way_back: Move | None = None


def upgrade(
    settings: Settings,
    code: Path = INSTALLED,
    *,
    dry_run: bool = False,
    prove_within_s: float = PROVE_WITHIN_S,
) -> Upgrade:
    """Put other code in the place of the running one, from a savepoint.

    The new job is planned before the old one is touched, so that code that does not compile costs nothing. It
    is healthy when its checkpoints complete and the recount agrees with the first window that it closes;
    else the old code goes on from the same savepoint, and writes the windows since then again.

    Args:
        settings: where everything is.
        code: folder that holds the package `flink`; by default what is installed here.
        dry_run: plan the new job, and change nothing.
        prove_within_s: patience with the proof.

    Raises:
        CtrError: the code cannot be planned, the job does not run, or the old code does not come up again.
    """
    order = running_order(settings)
    release = make_release(settings, code)
    if release.name == order.release:
        raise CtrError(f"{JOB_NAME} runs release {release.name}, which is the code in {code}: nothing to do")
    wanted = replace(
        followed_by(order, "upgrade", why=f"{order.release} to {release.name}", running=True),
        release=release.name,
    )
    plan(settings, wanted, release)
    steps = [
        f"the code in {code} has been planned as release {release.name}",
        f"stop {JOB_NAME} (release {order.release}) with a savepoint, and submit the new release from there",
        f"prove within {prove_within_s:.0f} s that checkpoints complete and windows are exact, or go back",
    ]
    planned = Upgrade(steps=steps, from_release=order.release, to_release=release.name)
    if dry_run:
        return planned
    stopped = stop_job(settings)
    move: Move | None = None
    proof: Proof | None = None
    try:
        move = go_on(settings, stopped, replace(wanted, restore_from=stopped.savepoint), newest_only=True)
        proof = prove(settings, stopped.ended_at, within_s=prove_within_s)
        problem = proof.problem
    except (CtrError, WarehouseUnavailable) as error:
        problem = str(error)
    way_back = go_back(settings, order, stopped, problem) if problem else None
    return replace(planned, move=move, proof=proof, rolled_back=problem, way_back=way_back)


def plan(settings: Settings, order: Order, release: Release) -> None:
    """Plan a job and send nothing.

    Raises:
        CtrError: its front does not compile, or its SQL cannot be planned.
    """
    check(config_of(settings, order, release), release.folder)


def go_back(settings: Settings, order: GivenOrder, stopped: Stopped, why: str) -> Move:
    """End whatever runs, and go on with the old order from the savepoint.

    Raises:
        CtrError: that does not come up either.
    """
    with FlinkCluster(settings.flink_rest_url) as cluster:
        end_jobs(cluster, [job.id for job in cluster.alive(JOB_NAME)])
    old = replace(
        followed_by(order, "roll back", why=why, running=True),
        restore_from=stopped.savepoint,
        barred_from=stopped.ended_at,
    )
    # The way back took from the moment at which the new code was given up.
    return go_on(settings, replace(stopped, asked_at=datetime.now(tz=UTC)), old)
