"""Hand the windows over to code of another shape (a dimension, a measure) at a five-minute boundary.

State of another shape cannot be restored, so the windows change hands where none is open:

1. The old job stops with a savepoint. The boundary lies so far ahead that no event beyond it can have been
   read.
2. The old code goes on from there and counts the windows before the boundary. It is the *finisher*.
3. When the finisher has closed them all it stops, and the tables get their new shape.
4. The new code starts from the first savepoint, of which it takes the front's state alone: offsets and
   partition clocks. It counts the windows from the boundary on, and tells the fates of the records that the
   finisher has not told.

What came between savepoint and stop is read twice and counted once, by the job whose window it belongs to.
Until the tables change, whatever fails leads back to the old code, with nothing lost.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import tenacity
from sqlalchemy import func, select

from ctr_platform.errors import CtrError
from ctr_platform.flink_cluster.bring_up import followed_by
from ctr_platform.flink_cluster.releases import INSTALLED, make_release
from ctr_platform.flink_cluster.rest import FlinkCluster
from ctr_platform.operations.moves import go_on, running_order, stop_job, the_job
from ctr_platform.operations.proof import prove
from ctr_platform.operations.upgrade import PROVE_WITHIN_S, go_back, plan
from ctr_platform.recount.fates import DISORDER_MS, MAX_AHEAD_MS
from ctr_platform.settings import RAW_TOPIC
from flink.config import JOB_NAME, Bounds
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.errors import WarehouseUnavailable
from warehouse.migrate import migrate
from warehouse.models import LedgerRow

if TYPE_CHECKING:
    from pathlib import Path

    from ctr_platform.operations.moves import Move
    from ctr_platform.operations.proof import Proof
    from ctr_platform.settings import Settings

SLOT: Final = timedelta(minutes=5)
"""The longest window: at its ends none of another length is open either."""

CLOSED_WITHIN_S: Final = 180.0
"""After the boundary: 10 s of disorder, or a minute of a silent topic, and a checkpoint."""

POLL_S: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class HandOver:
    """What a hand-over has done, or with `dry_run` would do."""

    steps: list[str]
    from_release: str
    to_release: str
    boundary: datetime
    """The old code has counted the windows before, the new code those after."""

    to_finisher: Move | None = None
    to_new: Move | None = None
    """Its gap is that of the windows from the boundary on: they fill up when the new code has caught up."""

    proof: Proof | None = None
    """Of the windows on both sides of the boundary."""

    rolled_back: str | None = None
    """Why the old code runs again; None: the new code does."""

    way_back: Move | None = None


def hand_over(
    settings: Settings,
    code: Path = INSTALLED,
    *,
    dry_run: bool = False,
    prove_within_s: float = PROVE_WITHIN_S,
) -> HandOver:
    """Put code of another shape in the place of the running one; takes up to eight minutes.

    Args:
        settings: where everything is.
        code: folder that holds the package `flink`, and `warehouse/migrations`, of which the pending ones
            give the tables their new shape; by default what is installed here.
        dry_run: plan the new job, and change nothing.
        prove_within_s: patience with the proof.

    Raises:
        CtrError: the code cannot be planned, the job does not run, the old code does not come up again, or,
            after the tables have changed, the new code does not: the supervisor goes on trying.
    """
    order = running_order(settings)
    migrations = code / "warehouse" / "migrations"
    if not migrations.is_dir():
        raise CtrError(f"{code} holds no warehouse/migrations: name the folder of a checkout", exit_status=2)
    release = make_release(settings, code)
    boundary = boundary_after(datetime.now(tz=UTC))
    wanted = replace(
        followed_by(order, "hand over", why=f"{order.release} to {release.name}", running=True),
        release=release.name,
        bounds=Bounds(count_from_ms=_ms(boundary)),
    )
    plan(settings, wanted, release)
    planned = HandOver(
        steps=[
            f"the code in {code} has been planned as release {release.name}",
            f"restart release {order.release} from a savepoint, for the windows before {boundary:%H:%M} UTC",
            "stop it when it has closed them; give the tables their new shape",
            f"start release {release.name} from that savepoint, for the windows after",
            f"prove within {prove_within_s:.0f} s that both sides are exact",
        ],
        from_release=order.release,
        to_release=release.name,
        boundary=boundary,
    )
    if dry_run:
        return planned
    first = stop_job(settings)
    # Planning took its time: only from here on is it known what can have been read.
    boundary = boundary_after(first.ended_at)
    planned = replace(planned, boundary=boundary)
    finisher = replace(
        followed_by(order, "finish", why=f"until {boundary:%H:%M} UTC", running=True),
        restore_from=first.savepoint,
        barred_from=first.ended_at,
        bounds=replace(order.bounds or Bounds(), count_until_ms=_ms(boundary)),
    )
    try:
        to_finisher = go_on(settings, first, finisher)
        _wait_closed(settings, boundary)
        last = stop_job(settings)
        migrate(settings.postgres_url, reshape=True, migrations=migrations)
    except (CtrError, WarehouseUnavailable) as error:
        way_back = go_back(settings, order, first, str(error))
        return replace(planned, rolled_back=str(error), way_back=way_back)
    wanted = replace(
        wanted,
        restore_from=first.savepoint,
        barred_from=first.ended_at,
        bounds=Bounds(count_from_ms=_ms(boundary), ledger_from=_told_until(settings)),
    )
    to_new = go_on(settings, last, wanted, newest_only=True)
    proof = prove(settings, first.asked_at, within_s=prove_within_s, until=boundary + timedelta(minutes=1))
    return replace(planned, to_finisher=to_finisher, to_new=to_new, proof=proof)


def boundary_after(now: datetime) -> datetime:
    """The first end of a five-minute window beyond which no valid event can have been read yet."""
    ahead_s = (now + timedelta(milliseconds=MAX_AHEAD_MS)).timestamp()
    slot_s = SLOT.total_seconds()
    return datetime.fromtimestamp((ahead_s // slot_s + 1) * slot_s, tz=UTC)


def _wait_closed(settings: Settings, boundary: datetime) -> None:
    """Return when the job has closed every window before the boundary."""
    with FlinkCluster(settings.flink_rest_url) as cluster:
        job = the_job(cluster)
        deadline = boundary + timedelta(seconds=CLOSED_WITHIN_S)

        def closed() -> bool:
            intake = cluster.metrics(job.id).intake()
            return intake is not None and (intake.watermark_ms or 0) >= _ms(boundary)

        wait_s = max(0.0, (boundary + timedelta(milliseconds=DISORDER_MS)).timestamp() - time.time())
        time.sleep(wait_s)
        try:
            tenacity.Retrying(
                retry=tenacity.retry_if_result(lambda done: not done),
                wait=tenacity.wait_fixed(POLL_S),
                stop=tenacity.stop_after_delay(max(0.0, deadline.timestamp() - time.time())),
            )(closed)
        except tenacity.RetryError:
            raise CtrError(
                f"{JOB_NAME} has not closed the windows before {boundary:%H:%M} UTC within "
                f"{CLOSED_WITHIN_S:.0f} s of it"
            ) from None


def _told_until(settings: Settings) -> dict[int, int]:
    """Of each partition, the first offset whose fate the ledger does not tell yet."""
    query = (
        select(LedgerRow.partition, func.max(LedgerRow.last_offset) + 1)
        .where(LedgerRow.topic == RAW_TOPIC)
        .group_by(LedgerRow.partition)
    )
    engine = writing_engine(settings.postgres_url, "ctr-hand-over")
    with warehouse_errors(settings.postgres_url), engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
