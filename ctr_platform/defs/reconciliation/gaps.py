"""Offsets that retention has deleted before a reader had read them: an error until acknowledged."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from contract.errors import UsageError
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.accounting import OffsetGap
from warehouse.views import LEDGER_CURRENT

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from contract.settings import Settings

JOB: Final = "job"
RECOUNT: Final = "recount"
MERGE: Final = "merge"

MAX_NAMED: Final = 20
"""As many are named; more say no more."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Offsets `[first_offset, end_offset)` of a partition that nobody can read any more."""

    topic: str
    partition: int
    reader: str
    """`job`, `recount`, or `merge`: of late events."""

    first_offset: int
    end_offset: int


def note_gap(connection: Connection, gap: Gap) -> None:
    """Put a gap on record; one that has grown since is open again."""
    adding = insert(OffsetGap).values(**{each.name: getattr(gap, each.name) for each in fields(gap)})
    connection.execute(
        adding.on_conflict_do_update(
            index_elements=["topic", "partition", "reader", "first_offset"],
            set_={"end_offset": adding.excluded.end_offset, "acknowledged_at": None, "why": None},
            where=OffsetGap.end_offset < adding.excluded.end_offset,
        )
    )


def forget_disproved(connection: Connection) -> None:
    """Drop gaps of the job whose first offset it had read: its ledger lags behind it by a checkpoint."""
    ledger = LEDGER_CURRENT.c
    connection.execute(
        delete(OffsetGap).where(
            OffsetGap.reader == JOB,
            exists().where(
                ledger.topic == OffsetGap.topic,
                ledger.partition == OffsetGap.partition,
                ledger.first_offset == OffsetGap.first_offset,
            ),
        )
    )


def open_gaps(connection: Connection, settings: Settings, limit: int | None = MAX_NAMED) -> list[Gap]:
    """The gaps that nobody has acknowledged, the newest first.

    One of the job counts when two checkpoints have had the time to disprove it.
    """
    table = OffsetGap.__table__.c
    certain = datetime.now(tz=UTC) - timedelta(seconds=2 * settings.flink_checkpoint_interval)
    rows = connection.execute(
        select(*(table[each.name] for each in fields(Gap)))
        .where(
            table.acknowledged_at.is_(None),
            (table.reader != JOB) | (table.found_at <= certain),
        )
        .order_by(table.found_at.desc(), table.topic, table.partition, table.reader)
        .limit(limit)
    ).mappings()
    return [Gap(**row) for row in rows]


def acknowledge_gaps(settings: Settings, *, why: str, dry_run: bool) -> list[Gap]:
    """Accept that the open gaps cannot be closed: the check passes without them.

    Args:
        settings: where the warehouse is.
        why: for those who look at these offsets later.
        dry_run: change nothing.

    Returns:
        The gaps.

    Raises:
        UsageError: there is none, or no reason.
        WarehouseUnavailable: Postgres does not answer.
    """
    if not why.strip():
        raise UsageError("say why these gaps may stay as they are")
    engine = writing_engine(settings.postgres_url, "ctr-acknowledge")
    with warehouse_errors(settings.postgres_url), engine.begin() as connection:
        gaps = open_gaps(connection, settings, limit=None)
        if not gaps:
            raise UsageError("no gap is open")
        for gap in [] if dry_run else gaps:
            connection.execute(
                update(OffsetGap)
                .where(
                    and_(*(getattr(OffsetGap, each.name) == getattr(gap, each.name) for each in fields(gap)))
                )
                .values(acknowledged_at=func.now(), why=why.strip())
            )
    return gaps
