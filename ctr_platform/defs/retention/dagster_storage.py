"""Retention of Dagster's own storage: runs with their logs, events without a run, evaluations of checks.

Runs go by the instance's public `delete_run`. Events that belong to no run, and the history of checks, have
no public way to be deleted: they go by SQL on Dagster's tables, here alone. `test_dagster_storage` runs it on
the real schema and fails when that changes. Ticks go by Dagster's own `retention` in `dagster.yaml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import dagster as dg

# No public name for what has no public way; see above.
from dagster._core.storage.event_log import SqlEventLogStorage
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    SqlEventLogStorageTable,
)
from sqlalchemy import and_, delete, func, select

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement

    from contract.settings import Settings

RUNLESS: Final = ""
"""`run_id` of events that a sensor has reported."""

RUNS_AT_ONCE: Final = 100
"""Runs are read in batches, oldest first: a month's backlog is some ten thousand."""

SUCCEEDED: Final = (dg.DagsterRunStatus.SUCCESS,)
FAILED: Final = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


@dataclass(frozen=True, kw_only=True)
class Purged:
    """What has been deleted of Dagster's storage, or in a dry run would be."""

    runs: int = 0
    events: int = 0
    """Events that belong to no run."""

    evaluations: int = 0
    """Rows of the history of asset checks."""


def purge(instance: dg.DagsterInstance, settings: Settings, *, dry_run: bool) -> Purged:
    """Delete what is older than the settings keep it.

    Kept, however old: a run that is not over, the newest run of each job, a run that made an asset's newest
    materialization; the newest event of each kind of an asset's partition; the newest evaluation of a check.
    """
    now = datetime.now(tz=UTC)
    runs = list(_old_runs(instance, settings, now))
    if not dry_run:
        for run_id in runs:
            instance.delete_run(run_id)
            instance.compute_log_manager.delete_logs(prefix=[run_id])
    events, evaluations = _delete_rows(
        instance, now - timedelta(seconds=settings.dagster_event_retention), dry_run=dry_run
    )
    return Purged(runs=len(runs), events=events, evaluations=evaluations)


def _old_runs(instance: dg.DagsterInstance, settings: Settings, now: datetime) -> Iterator[str]:
    kept = set(_newest_materializations(instance)) | set(_newest_of_jobs(instance))
    for statuses, kept_s in (
        (SUCCEEDED, settings.dagster_run_retention),
        (FAILED, settings.dagster_failed_run_retention),
    ):
        old = dg.RunsFilter(statuses=list(statuses), created_before=now - timedelta(seconds=kept_s))
        cursor: str | None = None
        while batch := instance.get_runs(old, cursor=cursor, limit=RUNS_AT_ONCE, ascending=True):
            yield from (run.run_id for run in batch if run.run_id not in kept)
            cursor = batch[-1].run_id


def _newest_materializations(instance: dg.DagsterInstance) -> Iterator[str]:
    """Runs that made the newest materialization of an asset: its page, and its code version, are theirs."""
    for key in instance.get_asset_keys():
        newest = instance.get_latest_materialization_event(key)
        if newest is not None:
            yield newest.run_id


def _newest_of_jobs(instance: dg.DagsterInstance) -> Iterator[str]:
    """Newest run of each job: whether its last one failed is an alert's matter."""
    for name in {run.job_name for run in instance.get_runs()}:
        yield from (run.run_id for run in instance.get_runs(dg.RunsFilter(job_name=name), limit=1))


def _delete_rows(instance: dg.DagsterInstance, before: datetime, *, dry_run: bool) -> tuple[int, int]:
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return 0, 0
    old = {SqlEventLogStorageTable: _old_events(before), AssetCheckExecutionsTable: _old_evaluations(before)}
    # Every statement is a transaction of its own: Dagster's connections are.
    with storage.index_connection() as connection:
        if dry_run:
            counts = [
                connection.scalar(select(func.count()).select_from(table).where(where)) or 0
                for table, where in old.items()
            ]
        else:
            counts = [connection.execute(delete(table).where(where)).rowcount for table, where in old.items()]
            connection.execute(delete(AssetEventTagsTable).where(_tag_without_event()))
    return counts[0], counts[1]


def _old_events(before: datetime) -> ColumnElement[bool]:
    """Select events of no run, but the newest of each kind of each asset's partition."""
    event = SqlEventLogStorageTable.c
    newest = (
        select(func.max(event.id))
        .where(event.asset_key.is_not(None))
        .group_by(event.asset_key, event.dagster_event_type, event.partition)
    )
    return and_(
        event.run_id == RUNLESS, event.timestamp < before.replace(tzinfo=None), event.id.not_in(newest)
    )


def _old_evaluations(before: datetime) -> ColumnElement[bool]:
    """Select evaluations by whomever, but the newest of each check; they hold their own event."""
    row = AssetCheckExecutionsTable.c
    newest = select(func.max(row.id)).group_by(row.asset_key, row.check_name, row.partition)
    return and_(row.create_timestamp < before.replace(tzinfo=None), row.id.not_in(newest))


def _tag_without_event() -> ColumnElement[bool]:
    """Select tags whose event has gone."""
    event = SqlEventLogStorageTable.c
    return ~select(event.id).where(event.id == AssetEventTagsTable.c.event_id).exists()
