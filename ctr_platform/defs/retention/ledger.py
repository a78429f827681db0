"""Rolls the ledger up by day, so that nothing which reads it costs more as history grows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ARRAY, BigInteger, delete, func, insert, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from warehouse.models.accounting import LedgerRow
from warehouse.models.recount import RecountProgress
from warehouse.views import LEDGER_CURRENT

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from contract.settings import Settings

LAST: Final = ("checkpoint_id", "job_id", "run_started_at", "written_at", "job_watermark")
SUMS: Final = ("records_read", "counted", "late", "malformed", "unknown_schema", "invalid")


def roll_up(connection: Connection, settings: Settings) -> int:
    """Replace the rows of each old day and partition by one; returns how many rows fewer there are.

    What was superseded goes. The row of a day bears its last run and checkpoint, so that the order of rows by
    these stays; a job that goes back is restored from a snapshot much younger than that.
    """
    kept = datetime.now(tz=UTC) - timedelta(seconds=settings.ledger_retention)
    until = kept.replace(hour=0, minute=0, second=0, microsecond=0)
    current = LEDGER_CURRENT.c
    day = func.date_trunc("day", current.written_at, "UTC")
    # Where the recount began anew, behind a gap, a row has to end: it compares none that it knows a part of.
    begun = RecountProgress.__table__.c
    recounted = current.first_offset >= (
        select(begun.first_offset)
        .where(begun.topic == current.topic, begun.partition == current.partition)
        .scalar_subquery()
    )
    days = connection.execute(
        select(
            current.topic,
            current.partition,
            func.min(current.first_offset).label("first_offset"),
            func.max(current.last_offset).label("last_offset"),
            *(func.sum(current[name]).cast(BigInteger).label(name) for name in SUMS),
            *(_last(name).label(name) for name in LAST),
        )
        .where(current.written_at < until)
        .group_by(current.topic, current.partition, day, recounted)
    ).mappings()
    rows = [dict(row) for row in days]
    removed = connection.execute(delete(LedgerRow).where(LedgerRow.written_at < until)).rowcount
    if rows:
        connection.execute(insert(LedgerRow), rows)
    return removed - len(rows)


def _last(name: str) -> ColumnElement[Any]:
    """The value of a group's last row, by run and checkpoint."""
    current = LEDGER_CURRENT.c
    order = current.run_started_at.desc(), current.checkpoint_id.desc()
    ordered: ColumnElement[Any] = func.array_agg(
        aggregate_order_by(current[name], *order), type_=ARRAY(current[name].type)
    )
    return ordered[1]
