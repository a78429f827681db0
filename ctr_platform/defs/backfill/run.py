"""Recompute hours beside the live job, and apply them in one transaction."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import tenacity
from sqlalchemy import delete, insert, text, update

from ctr_platform.errors import CtrError
from ctr_platform.flink_cluster.rest import FlinkCluster
from ctr_platform.flink_cluster.submission import job_config, submit
from ctr_platform.flink_cluster.transport import FlinkRefused, FlinkUnavailable
from ctr_platform.recount.run import recount
from ctr_platform.repair.span import Span, check_retained
from flink.config import REPAIR_JOB_NAME, JobConfig, Staging
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models import Repair, RepairCounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from ctr_platform.settings import Settings

APPLY: Final = Path(__file__).with_name("sql") / "apply.sql"

DONE_WITHIN_S: Final = 3600
"""A week of a busy topic, at two million events per second on two cores."""

POLL_S: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class RepairResult:
    """What a repair changed, or with `dry_run` would have changed."""

    repair_id: str
    span: Span
    rows_deleted: int
    rows_inserted: int
    rows_changed: int
    """Rows that were missing, too many, or wrong."""

    windows_changed: int
    staging_job: str


def repair(
    settings: Settings, span: Span, *, dry_run: bool = False, config: JobConfig | None = None
) -> RepairResult:
    """Recompute the windows of a span from the topic, and put them in the place of the warehouse's.

    The live job goes on beside it. Only rows of `realtime.counts_1min` and `counts_5min` of these windows are
    touched; merged late events stay merged.

    Args:
        settings: where everything is.
        span: whole hours; every window of them must be closed.
        dry_run: recompute and compare, and change nothing.
        config: of the live job, if its topics have other names than usual.

    Raises:
        CtrError: the hours are open or beyond retention, a service is away, or the cluster has no free slot.
    """
    live = config or job_config(settings)
    check_retained(settings, live.raw_topic, span)
    # What was late after idleness is known by the recount alone.
    known = recount(settings, raw_topic=live.raw_topic, error_topic=live.error_topic)
    if known.closed_until is None or known.closed_until < span.last:
        until = (
            "none is"
            if known.closed_until is None
            else f"closed are those until {known.closed_until:%H:%M:%S}"
        )
        raise CtrError(
            f"the windows until {span.last:%Y-%m-%d %H:%M} UTC are not all closed: {until}. Try later."
        )
    engine = writing_engine(settings.postgres_url, "ctr-repair")
    repair_id = uuid.uuid4().hex
    with warehouse_errors(settings.postgres_url):
        with engine.begin() as connection:
            connection.execute(
                insert(Repair).values(repair_id=repair_id, window_from=span.first, window_until=span.last)
            )
        try:
            job_id = _stage(settings, live, repair_id, span)
            # Retention may have overtaken the reader.
            check_retained(settings, live.raw_topic, span)
            return _apply(engine, live.raw_topic, repair_id, span, job_id=job_id, dry_run=dry_run)
        finally:
            with engine.begin() as connection:
                connection.execute(delete(RepairCounts).where(RepairCounts.repair_id == repair_id))


def _stage(settings: Settings, live: JobConfig, repair_id: str, span: Span) -> str:
    """Run the staging job to its end; returns its id."""
    with FlinkCluster(settings.flink_rest_url) as cluster:
        free = cluster.overview().free_slots
        if free == 0:
            raise CtrError("the Flink cluster has no free slot for the repair: add a TaskManager, or wait")
        config = replace(
            live,
            bounded=True,
            restore_from=None,
            # The rest of the free slots is left to a live job that has to be restarted meanwhile.
            parallelism=min(live.parallelism, max(1, free // 2)),
            consumer_group=f"{REPAIR_JOB_NAME}-{repair_id[:8]}",
            staging=Staging(
                repair_id=repair_id,
                count_from_ms=int(span.first.timestamp() * 1000),
                count_until_ms=int(span.last.timestamp() * 1000),
                read_from_broker_ms=int(span.read_from.timestamp() * 1000),
            ),
        )
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
            raise CtrError(f"{REPAIR_JOB_NAME} is {job.state}: {why}")
    return job_id


def _apply(  # noqa: PLR0913 - what a repair is made of
    engine: Engine, topic: str, repair_id: str, span: Span, *, job_id: str, dry_run: bool
) -> RepairResult:
    values = {"repair_id": repair_id, "topic": topic, "first": span.first, "last": span.last}
    with engine.connect() as connection:
        deleted = inserted = 0
        for statement in _statements():
            done = connection.execute(text(statement), values)
            deleted += done.rowcount if statement.startswith("DELETE FROM realtime") else 0
            inserted += done.rowcount if statement.startswith("INSERT INTO realtime.counts") else 0
        connection.execute(update(Repair).where(Repair.repair_id == repair_id).values(rows_deleted=deleted))
        rows, windows = connection.execute(
            text("SELECT count(*), count(DISTINCT (window_type, window_start)) FROM differing")
        ).one()
        if dry_run:
            connection.rollback()
        else:
            connection.commit()
    return RepairResult(
        repair_id=repair_id,
        span=span,
        rows_deleted=deleted,
        rows_inserted=inserted,
        rows_changed=rows,
        windows_changed=windows,
        staging_job=job_id,
    )


def _statements() -> Iterator[str]:
    lines = APPLY.read_text(encoding="utf-8").splitlines()
    body = "\n".join(line for line in lines if not line.startswith("--"))
    return (statement.strip() for statement in body.split(";") if statement.strip())
