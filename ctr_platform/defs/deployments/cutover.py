"""Cut over to code or a declaration whose windows have another shape, at a five-minute boundary.

State of another shape cannot be restored, so the windows change hands where none is open:

1. The old job stops with a savepoint. The cutover time lies so far ahead that no event beyond it can have
   been read.
2. The old code resumes from there and counts the windows before the cutover time: the *draining job*.
3. When it has closed them all it stops, and the tables get their new shape.
4. The new code starts from the first savepoint, of which it takes the ingest stage's state alone: offsets and
   the partitions' progress. It counts the windows from the cutover time on, and reports the outcomes of the
   records that the draining job has not reported.

What came between savepoint and stop is read twice and counted once, by the job whose window it belongs to.
Until the tables change, whatever fails leads back to the old code, with nothing lost.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import tenacity
from sqlalchemy import func, select

from contract.errors import CtrError, UsageError
from contract.stream.changes import change
from ctr_platform.defs.deployments.steps import (
    Stopped,
    require_single_job,
    resume,
    running_desired_state,
    stop_job,
)
from ctr_platform.defs.deployments.upgrade import VERIFY_WITHIN_S, plan, roll_back
from ctr_platform.defs.deployments.verification import verify_deployment
from ctr_platform.defs.flink_job.deploy import followed_by
from ctr_platform.defs.flink_job.releases import INSTALLED, make_release
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.submission import end_jobs
from ctr_platform.defs.reconciliation.state import turn
from ctr_platform.defs.registry.subject import ensure_subject
from flink.config import JOB_NAME, Bounds
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.migrate import migrate
from warehouse.models.accounting import LedgerRow
from warehouse.streams import counted_stream

if TYPE_CHECKING:
    from pathlib import Path

    from contract.settings import Settings
    from contract.stream.load import DeclaredStream
    from contract.time_rules import TimeRules
    from ctr_platform.defs.deployments.steps import DeploymentStep
    from ctr_platform.defs.deployments.verification import DeploymentVerification
    from ctr_platform.defs.flink_job.desired_state import DesiredState, RecordedState
    from warehouse.streams import CountedStream

LOG: Final = logging.getLogger(__name__)

SLOT: Final = timedelta(minutes=5)
"""The longest window: at its ends none of another length is open either."""

CLOSED_WITHIN_S: Final = 180.0
"""After the boundary: 10 s of disorder, or a minute of a silent topic, and a checkpoint."""

POLL_S: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class Cutover:
    """What a cutover has done, or with `dry_run` would do."""

    steps: list[str]
    from_release: str
    to_release: str
    cutover_time: datetime
    """The old code has counted the windows before, the new code those after."""

    to_draining: DeploymentStep | None = None
    to_new: DeploymentStep | None = None
    """Its gap is that of the windows from the boundary on: they fill up when the new code has caught up."""

    verification: DeploymentVerification | None = None
    """It covers windows on both sides of the cutover time."""

    rolled_back: str | None = None
    """Why the old code runs again; None: the new code does."""

    roll_back_step: DeploymentStep | None = None


def cut_over(
    settings: Settings,
    code: Path = INSTALLED,
    *,
    dry_run: bool = False,
    verify_within_s: float = VERIFY_WITHIN_S,
) -> Cutover:
    """Count by other code, or by what `CTR_STREAM` declares now; takes up to eight minutes.

    Args:
        settings: where everything is.
        code: folder that holds the package `flink`, and `warehouse/migrations`, of which the pending ones
            give the tables their new shape; by default what is installed here.
        dry_run: plan the new job, and change nothing.
        verify_within_s: patience with the verification.

    Raises:
        CtrError: the code cannot be planned, the job does not run, the old code does not come up again, or,
            after the tables have changed, the new code does not: the supervisor goes on trying.
    """
    desired = running_desired_state(settings)
    if desired.bounds is not None and desired.bounds.count_until_ms is not None:
        return _resolve_interrupted(
            settings,
            desired,
            make_release(settings, code).name,
            dry_run=dry_run,
            verify_within_s=verify_within_s,
        )
    migrations = code / "warehouse" / "migrations"
    if not migrations.is_dir():
        raise UsageError(f"{code} holds no warehouse/migrations: name the folder of a checkout")
    release = make_release(settings, code)
    stream = settings.declared_stream()
    changes = _changes(settings, stream)
    if not changes and release.name == desired.release:
        raise UsageError(
            f"{JOB_NAME} runs release {release.name}, and counts what is declared: nothing to do"
        )
    cutover_time = cutover_time_after(datetime.now(tz=UTC), settings.time_rules)
    wanted = replace(
        followed_by(desired, "hand over", why=f"{desired.release} to {release.name}", running=True),
        release=release.name,
        bounds=Bounds(count_from_ms=_ms(cutover_time)),
    )
    plan(settings, wanted, release, stream)
    planned = Cutover(
        steps=[
            f"the code in {code} has been planned as release {release.name}",
            *(f"it counts as {settings.ctr_stream} declares: {each}" for each in changes),
            f"go on with release {desired.release}, for windows before {cutover_time:%H:%M} UTC",
            "stop it when it has closed them; give the tables their new shape",
            f"start release {release.name} from that savepoint, for the windows after",
            f"verify within {verify_within_s:.0f} s that both sides are exact",
        ],
        from_release=desired.release,
        to_release=release.name,
        cutover_time=cutover_time,
    )
    if dry_run:
        return planned
    # The first records of a new schema may come before its windows.
    ensure_subject(settings)
    first = stop_job(settings)
    # Planning took its time: only from here on is it known what can have been read.
    cutover_time = cutover_time_after(first.ended_at, settings.time_rules)
    planned = replace(planned, cutover_time=cutover_time)
    finisher = replace(
        followed_by(desired, "finish", why=f"until {cutover_time:%H:%M} UTC", running=True),
        restore_from=first.savepoint,
        excludes_since=True,
        bounds=replace(desired.bounds or Bounds(), count_until_ms=_ms(cutover_time)),
    )
    try:
        LOG.info("go on with release %s, for windows before %s", desired.release, f"{cutover_time:%H:%M} UTC")
        to_draining = resume(settings, first, finisher)
        LOG.info("wait until it has closed them")
        _wait_closed(settings, cutover_time)
        last = stop_job(settings)
        LOG.info("give the tables their new shape")
        with turn(writing_engine(settings.postgres_url, "ctr-cutover")):
            migrate(settings.postgres_url, stream, reshape_from=cutover_time, migrations=migrations)
    except CtrError as error:
        roll_back_step = roll_back(settings, desired, first, str(error))
        return replace(planned, rolled_back=str(error), roll_back_step=roll_back_step)
    wanted = replace(wanted, restore_from=first.savepoint)
    to_new = _begin_new(settings, wanted, last, cutover_time)
    verification = verify_deployment(
        settings, first.asked_at, within_s=verify_within_s, until=cutover_time + timedelta(minutes=1)
    )
    return replace(planned, to_draining=to_draining, to_new=to_new, verification=verification)


def _begin_new(
    settings: Settings, wanted: DesiredState, last: Stopped, cutover_time: datetime
) -> DeploymentStep:
    """Start the new job, for the windows from the cutover time on and the outcomes that are not reported."""
    bounds = Bounds(count_from_ms=_ms(cutover_time), ledger_from=_reported_until(settings))
    return resume(settings, last, replace(wanted, excludes_since=True, bounds=bounds), newest_only=True)


def _resolve_interrupted(
    settings: Settings, desired: RecordedState, release: str, *, dry_run: bool, verify_within_s: float
) -> Cutover:
    """Bring a cutover to an end whose run was killed: by the way back, or on, if the tables have changed."""
    assert desired.bounds is not None  # noqa: S101 - it is draining
    assert desired.bounds.count_until_ms is not None  # noqa: S101
    cutover_time = datetime.fromtimestamp(desired.bounds.count_until_ms / 1000, tz=UTC)
    changed = _counted(settings).counted_from == cutover_time
    found = Cutover(
        steps=[
            f"an earlier cutover at {cutover_time:%H:%M} UTC was interrupted",
            f"the tables have their new shape: start release {release} for the windows from then on"
            if changed
            else f"the tables are as before: go on with release {desired.release} for all windows",
        ],
        from_release=desired.release,
        to_release=release,
        cutover_time=cutover_time,
    )
    if dry_run:
        return found
    now = datetime.now(tz=UTC)
    last = Stopped(job_id="", savepoint=desired.restore_from or "", asked_at=now, ended_at=now)
    if not changed:
        whole = replace(desired.bounds, count_until_ms=None)
        before = replace(desired, bounds=None if whole == Bounds() else whole)
        why = "an earlier cutover was interrupted before the tables had changed; run this one again"
        return replace(found, rolled_back=why, roll_back_step=roll_back(settings, before, last, why))
    with FlinkCluster(settings.flink_rest_url) as cluster:
        end_jobs(cluster, [job.id for job in cluster.alive(JOB_NAME)])
    wanted = replace(
        followed_by(desired, "hand over", why="an earlier cutover was interrupted", running=True),
        release=release,
    )
    to_new = _begin_new(settings, wanted, last, cutover_time)
    verification = verify_deployment(settings, now, within_s=verify_within_s)
    return replace(found, to_new=to_new, verification=verification)


def _counted(settings: Settings) -> CountedStream:
    engine = writing_engine(settings.postgres_url, "ctr-cutover")
    with warehouse_errors(settings.postgres_url), engine.connect() as connection:
        return counted_stream(connection)


def _changes(settings: Settings, stream: DeclaredStream) -> tuple[str, ...]:
    """What is declared and not yet counted so.

    Raises:
        UsageError: the declaration is of another stream.
    """
    found = change(_counted(settings).stream, stream)
    if found.refused:
        raise UsageError(
            f"{settings.ctr_stream} declares another stream than is counted ({'; '.join(found.refused)}): it "
            "takes topics and a database of its own"
        )
    return (*found.counting, *found.labels)


def cutover_time_after(now: datetime, rules: TimeRules) -> datetime:
    """The first end of a five-minute window beyond which no valid event can have been read yet."""
    ahead_s = (now + timedelta(milliseconds=rules.max_ahead_ms)).timestamp()
    slot_s = SLOT.total_seconds()
    return datetime.fromtimestamp((ahead_s // slot_s + 1) * slot_s, tz=UTC)


def _wait_closed(settings: Settings, cutover_time: datetime) -> None:
    """Return when the job has closed every window before the boundary."""
    with FlinkCluster(settings.flink_rest_url) as cluster:
        job = require_single_job(cluster)
        deadline = cutover_time + timedelta(seconds=CLOSED_WITHIN_S)

        def closed() -> bool:
            intake = cluster.metrics(job.id).intake()
            return intake is not None and (intake.watermark_ms or 0) >= _ms(cutover_time)

        disorder = timedelta(milliseconds=settings.time_rules.out_of_orderness_ms)
        time.sleep(max(0.0, (cutover_time + disorder).timestamp() - time.time()))
        try:
            tenacity.Retrying(
                retry=tenacity.retry_if_result(lambda done: not done),
                wait=tenacity.wait_fixed(POLL_S),
                stop=tenacity.stop_after_delay(max(0.0, deadline.timestamp() - time.time())),
            )(closed)
        except tenacity.RetryError:
            raise CtrError(
                f"{JOB_NAME} has not closed the windows before {cutover_time:%H:%M} UTC within "
                f"{CLOSED_WITHIN_S:.0f} s of it"
            ) from None


def _reported_until(settings: Settings) -> dict[int, int]:
    """Return the first offset of each partition whose outcome the ledger does not hold yet."""
    query = (
        select(LedgerRow.partition, func.max(LedgerRow.last_offset) + 1)
        .where(LedgerRow.topic == settings.raw_topic)
        .group_by(LedgerRow.partition)
    )
    engine = writing_engine(settings.postgres_url, "ctr-cutover")
    with warehouse_errors(settings.postgres_url), engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
