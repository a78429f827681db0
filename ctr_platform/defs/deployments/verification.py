"""Prove that a job counts right: its checkpoints complete, and the recount agrees with what it has closed."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import case, func, select

from ctr_platform.defs.flink_job.liveness import check_liveness
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.reconciliation.run import recount
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.views import WINDOW_ACCURACY
from warehouse.windows import WINDOW_MINUTES

if TYPE_CHECKING:
    from contract.settings import Settings

LOG: Final = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class DeploymentVerification:
    """What is known of a job's work since a moment."""

    problem: str | None
    """Why it is not right; None: it is."""

    checkpoints: int
    windows: int
    """Verified, of those that ended since."""

    inexact: int
    lost: int
    """Impressions that these windows lack."""

    doubled: int
    """Impressions that they have too many."""

    seconds: float


def verify_deployment(
    settings: Settings, since: datetime, *, within_s: float, until: datetime | None = None
) -> DeploymentVerification:
    """Wait until there is something to say of the windows that end after `since`.

    That is: a checkpoint of the running job has completed, and every 1 min window that ends by `until` has
    been verified. Where no traffic comes in, no window closes, and the checkpoint is all there is.

    Args:
        settings: where everything is.
        since: windows that end after this are looked at.
        within_s: patience; what cannot be verified in this time is a problem.
        until: by default the end of the minute that holds `since`, which the job has closed itself.

    Raises:
        CtrError: a service is unavailable.
    """
    began = time.monotonic()
    until = until or since.replace(second=0, microsecond=0) + timedelta(minutes=1)
    LOG.info(
        "verify for up to %.0f s: a checkpoint, and every window until %s", within_s, f"{until:%H:%M} UTC"
    )
    records = 0
    while True:
        done = recount(settings)
        records += done.reading.records
        checkpoints, sick = _health(settings)
        windows, inexact, lost, doubled = _verified(settings, since, done.closed_until or since)
        unbalanced = [each.partition for each in done.balances if not each.balanced]
        passed_s = time.monotonic() - began
        late = passed_s > within_s
        verified = done.closed_until is not None and done.closed_until >= until
        problem = sick
        if inexact:
            problem = (
                f"{inexact} of {windows} windows are inexact: {lost} impressions lost, {doubled} doubled"
            )
        elif late and unbalanced:
            problem = f"the ledger and the recount disagree on partitions {unbalanced}"
        elif late and not checkpoints:
            problem = f"no checkpoint has completed within {within_s:.0f} s"
        elif late and not verified and records:
            problem = f"no window has closed within {within_s:.0f} s although records came in"
        if problem or late or (checkpoints and verified and not unbalanced):
            LOG.info(
                "%s: %d checkpoints, %d windows verified, %d of them inexact, in %.0f s",
                problem or "nothing was lost or counted twice",
                checkpoints,
                windows,
                inexact,
                passed_s,
            )
            return DeploymentVerification(
                problem=problem,
                checkpoints=checkpoints,
                windows=windows,
                inexact=inexact,
                lost=lost,
                doubled=doubled,
                seconds=round(passed_s, 1),
            )
        time.sleep(LOOK_EVERY_S)


def _health(settings: Settings) -> tuple[int, str | None]:
    """Completed checkpoints of the running job, and what is wrong with it."""
    with FlinkCluster(settings.flink_rest_url) as cluster:
        health = check_liveness(cluster, settings)
        if health.problem or health.job_id is None:
            return 0, f"{health.problem}: {health.detail}"
        return cluster.checkpoints(health.job_id).completed, None


def _verified(settings: Settings, since: datetime, closed_until: datetime) -> tuple[int, int, int, int]:
    """Windows, inexact ones, impressions lost and doubled, of the verified ones that end after a moment.

    What a job that was given up has closed, and the present one has not yet, says nothing of this one.
    """
    accuracy = WINDOW_ACCURACY.c
    length = case(
        *(
            (accuracy.window_type == name, timedelta(minutes=minutes))
            for name, minutes in WINDOW_MINUTES.items()
        )
    )
    missing = accuracy.expected_impressions - accuracy.actual_impressions
    query = select(
        func.count(),
        func.count().filter(accuracy.accuracy < 100),  # noqa: PLR2004 - percent
        func.coalesce(func.sum(func.greatest(missing, 0)), 0),
        func.coalesce(func.sum(func.greatest(-missing, 0)), 0),
    ).where(
        accuracy.window_start + length > since,
        accuracy.window_start + length <= closed_until,
        accuracy.window_start > since - timedelta(minutes=5),
    )
    engine = writing_engine(settings.postgres_url, "ctr-verify")
    with warehouse_errors(settings.postgres_url), engine.connect() as connection:
        windows, inexact, lost, doubled = connection.execute(query).one()
    return windows, inexact, int(lost), int(doubled)
