"""Recompute hours beside the live job, and apply them in one transaction."""

from __future__ import annotations

import logging
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import tenacity
from sqlalchemy import delete, insert

from contract.errors import CtrError, FlinkRefused, FlinkUnavailable, UsageError
from ctr_platform.defs.backfill.hours import HourRange, check_retained
from ctr_platform.defs.backfill.replacement import replace_windows
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.submission import job_config, submit
from ctr_platform.defs.reconciliation.run import recount
from flink.config import BACKFILL_JOB_NAME, Staging
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.corrections import BackfillRow
from warehouse.streams import counted_stream, tables_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from contract.settings import Settings

LOG: Final = logging.getLogger(__name__)

DONE_WITHIN_S: Final = 3600
"""A week of a busy topic, at two million events per second on two cores."""

POLL_S: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class BackfillResult:
    """What a repair changed, or with `dry_run` would have changed."""

    repair_id: str
    hour_range: HourRange
    rows_deleted: int
    rows_inserted: int
    rows_changed: int
    """Rows that were missing, too many, or wrong."""

    windows_changed: int
    staging_job: str


def backfill(settings: Settings, hour_range: HourRange, *, dry_run: bool = False) -> BackfillResult:
    """Recompute the windows of some hours from the topic, and put them in the place of the warehouse's.

    The live job goes on beside it. Only rows of `realtime.counts_1min` and `counts_5min` of these windows are
    touched; merged late events stay merged.

    Args:
        settings: where everything is.
        hour_range: whole hours; every window of them must be closed.
        dry_run: recompute and compare, and change nothing.

    Raises:
        UsageError: the hours are open or beyond retention, or the cluster has no free slot.
        CtrError: a service is unavailable, or the job that recomputes fails.
    """
    LOG.info("see whether the hours are closed, and the topic still holds them")
    check_retained(settings, hour_range)
    # What was late after idleness is known by the recount alone.
    known = recount(settings)
    if known.closed_until is None or known.closed_until < hour_range.last:
        until = (
            "none is"
            if known.closed_until is None
            else f"closed are those until {known.closed_until:%H:%M:%S}"
        )
        raise UsageError(
            f"the windows until {hour_range.last:%Y-%m-%d %H:%M} UTC are not all closed: {until}. Try later."
        )
    engine = writing_engine(settings.postgres_url, "ctr-repair")
    repair_id = uuid.uuid4().hex
    with warehouse_errors(settings.postgres_url):
        with engine.begin() as connection:
            connection.execute(
                insert(BackfillRow).values(
                    repair_id=repair_id, window_from=hour_range.first, window_until=hour_range.last
                )
            )
        try:
            job_id = _stage(settings, repair_id, hour_range)
            # Retention may have overtaken the reader.
            check_retained(settings, hour_range)
            return _apply(engine, settings.raw_topic, repair_id, hour_range, job_id=job_id, dry_run=dry_run)
        finally:
            with engine.begin() as connection:
                table = tables_of(connection).repair_counts
                connection.execute(delete(table).where(table.c.repair_id == repair_id))


def _stage(settings: Settings, repair_id: str, hour_range: HourRange) -> str:
    """Run the staging job to its end; returns its id."""
    engine = writing_engine(settings.postgres_url, "ctr-repair")
    with engine.connect() as connection:
        stream = counted_stream(connection).stream
    with FlinkCluster(settings.flink_rest_url) as cluster:
        free = cluster.overview().free_slots
        if free == 0:
            raise UsageError(
                "the Flink cluster has no free slot for the backfill: add a TaskManager, or wait"
            )
        live = job_config(settings, stream)
        config = replace(
            live,
            bounded=True,
            restore_from=None,
            # The rest of the free slots is left to a live job that has to be restarted meanwhile.
            parallelism=min(live.parallelism, max(1, free // 2)),
            consumer_group=f"{settings.kafka_topic_prefix}{BACKFILL_JOB_NAME}-{repair_id[:8]}",
            staging=Staging(
                repair_id=repair_id,
                count_from_ms=int(hour_range.first.timestamp() * 1000),
                count_until_ms=int(hour_range.last.timestamp() * 1000),
                read_from_broker_ms=int(hour_range.read_from(settings.time_rules).timestamp() * 1000),
            ),
        )
        LOG.info("recompute them beside the live job, with a parallelism of %d", config.parallelism)
        job_id = submit(config)
        try:
            job = tenacity.Retrying(
                retry=tenacity.retry_if_result(lambda found: found.alive),
                wait=tenacity.wait_fixed(POLL_S),
                stop=tenacity.stop_after_delay(DONE_WITHIN_S),
            )(cluster.job, job_id)
        except BaseException as error:
            # Whatever ends the wait, an interrupt too: nobody wants its rows any more.
            with suppress(FlinkUnavailable, FlinkRefused):
                cluster.cancel(job_id)
            if isinstance(error, tenacity.RetryError):
                raise CtrError(f"recomputing took more than {DONE_WITHIN_S} s: choose fewer hours") from None
            raise
        if job.state != "FINISHED":
            why = next((failure.cause for failure in cluster.failures(job_id, 1)), "Flink names no failure")
            raise CtrError(f"{BACKFILL_JOB_NAME} is {job.state}: {why}")
    return job_id


def _apply(  # noqa: PLR0913 - what a backfill is made of
    engine: Engine, topic: str, repair_id: str, hour_range: HourRange, *, job_id: str, dry_run: bool
) -> BackfillResult:
    LOG.info("compare them with the warehouse")
    with engine.connect() as connection:
        done = replace_windows(connection, repair_id, topic, hour_range)
        LOG.info("%d rows of %d windows differ", done.changed, done.windows_changed)
        if dry_run:
            connection.rollback()
        else:
            connection.commit()
    return BackfillResult(
        repair_id=repair_id,
        hour_range=hour_range,
        rows_deleted=done.deleted,
        rows_inserted=done.inserted,
        rows_changed=done.changed,
        windows_changed=done.windows_changed,
        staging_job=job_id,
    )
