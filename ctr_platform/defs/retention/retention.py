"""What to discard: snapshots, releases, and rows that nobody will ask for again."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, delete, exists, func, select
from sqlalchemy.orm import aliased

from ctr_platform.defs.retention.ledger import roll_up
from ctr_platform.defs.retention.snapshots import delete_snapshot, old_snapshots
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.accounting import LedgerRow, OffsetGap
from warehouse.models.alerts import AlertMute, AlertRow
from warehouse.models.corrections import WindowRevision
from warehouse.models.operation import DeploymentRow, JobMetricsRow
from warehouse.models.recount import InexactWindow, ReconciliationPass, RecountIdlePeriod, WindowVerification
from warehouse.streams import tables_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Connection

    from contract.settings import Settings
    from warehouse.stream_tables import StreamTables

KEPT_RELEASES: Final = 10
"""Those of the newest orders stay: what might be gone back to."""

JOB_METRICS_KEPT: Final = timedelta(days=7)
"""They are for a look at the last days; what lasts longer is in Dagster's plots. 5,760 rows a day."""

PASSES_KEPT: Final = timedelta(days=7)
"""Passes are reported to Dagster within minutes, and then are for a look. 1,440 rows a day."""


IDLE_PERIODS_KEPT: Final = timedelta(days=7)
"""A dead-letter message is as old at the most; the last one before that holds on. 4,000 rows a day and
partition where a producer sends every 20 s."""


@dataclass(frozen=True, kw_only=True)
class Discarded:
    """What has been deleted, or with `dry_run` would be."""

    snapshots: list[str] = field(default_factory=list)
    """Folders of jobs that have ended, and savepoints."""

    snapshot_bytes: int = 0
    releases: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    """By table."""


def discard(settings: Settings, *, dry_run: bool = False) -> Discarded:
    """Delete what is older than the settings' retention.

    Never deleted: snapshots that the job could be restored from next, releases of the newest deployments,
    what the ledger says (its rows are rolled up by day), and the recount's progress.

    Raises:
        CtrError: Flink or Postgres is unavailable, or the checkpoint folder is not one that can be listed.
    """
    folders = old_snapshots(settings)
    releases = _old_releases(settings)
    freed = sum(file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file())
    rows = _old_rows(settings, dry_run=dry_run)
    if not dry_run:
        for folder in folders:
            delete_snapshot(folder)
        for folder in releases:
            shutil.rmtree(folder)
    return Discarded(
        snapshots=[folder.name for folder in folders],
        snapshot_bytes=freed,
        releases=[folder.name for folder in releases],
        rows=rows,
    )


def _old_releases(settings: Settings) -> list[Path]:
    engine = writing_engine(settings.postgres_url, "ctr-retention")
    newest = select(DeploymentRow.release).order_by(DeploymentRow.deployment_id.desc()).limit(KEPT_RELEASES)
    with warehouse_errors(settings.postgres_url), engine.connect() as connection:
        kept = set(connection.scalars(newest))
    if not settings.release_dir.is_dir():
        return []
    return [
        folder
        for folder in sorted(settings.release_dir.iterdir())
        if folder.is_dir() and folder.name not in kept and not folder.name.startswith(".")
    ]


def _old_rows(settings: Settings, *, dry_run: bool) -> dict[str, int]:
    engine = writing_engine(settings.postgres_url, "ctr-retention")
    counts: dict[str, int] = {}
    with warehouse_errors(settings.postgres_url), engine.connect() as connection:
        for table, old in _old(settings, tables_of(connection)):
            done = connection.execute(delete(table).where(old))
            counts[table.fullname] = counts.get(table.fullname, 0) + done.rowcount
        counts[str(LedgerRow.__table__)] = roll_up(connection, settings)
        _end(connection, dry_run=dry_run)
    return counts


def _old(settings: Settings, tables: StreamTables) -> Iterator[tuple[Any, ColumnElement[bool]]]:
    """Which rows of which tables are too old."""
    now = datetime.now(tz=UTC)
    # Whole days: a window of five minutes goes together with its minutes.
    windows = (now - timedelta(seconds=settings.window_retention)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    results = now - timedelta(seconds=settings.result_retention)
    raw = now - timedelta(seconds=settings.raw_events_retention)
    newer = aliased(WindowVerification)
    replaced = exists().where(
        newer.window_type == WindowVerification.window_type,
        newer.window_start == WindowVerification.window_start,
        newer.checked_at > WindowVerification.checked_at,
    )
    yield tables.raw_events, tables.raw_events.c.created_at < raw
    yield JobMetricsRow.__table__, JobMetricsRow.observed_at < now - JOB_METRICS_KEPT
    yield ReconciliationPass.__table__, ReconciliationPass.ended_at < now - PASSES_KEPT
    old = round(1000 * (now - IDLE_PERIODS_KEPT).timestamp())
    later = aliased(RecountIdlePeriod)
    followed = exists().where(
        later.topic == RecountIdlePeriod.topic,
        later.partition == RecountIdlePeriod.partition,
        later.first_offset > RecountIdlePeriod.first_offset,
        later.written_ms < old,
    )
    yield RecountIdlePeriod.__table__, and_(RecountIdlePeriod.written_ms < old, followed)
    yield OffsetGap.__table__, OffsetGap.acknowledged_at < results
    yield AlertRow.__table__, func.coalesce(AlertRow.recovery_told_at, AlertRow.recovered_at) < results
    yield AlertMute.__table__, AlertMute.muted_until < results
    yield WindowVerification.__table__, and_(WindowVerification.checked_at < results, replaced)
    # A window goes from everywhere at once: else its verification would miss a side.
    for table in (*tables.counts.values(), tables.recount_counts, tables.recount_late):
        yield table, table.c.window_start < windows
    yield tables.late_events, tables.late_events.c.event_time < windows
    yield InexactWindow.__table__, InexactWindow.window_start < windows
    yield WindowRevision.__table__, WindowRevision.window_start < windows
    yield WindowVerification.__table__, WindowVerification.window_start < windows


def _end(connection: Connection, *, dry_run: bool) -> None:
    if dry_run:
        connection.rollback()
    else:
        connection.commit()
