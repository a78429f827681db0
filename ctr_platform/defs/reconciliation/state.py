"""What the recount knows, in Postgres: written with the offsets it was found at, in one transaction."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import tenacity
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from contract.errors import CtrError
from ctr_platform.defs.reconciliation.outcomes import segment_columns
from warehouse.models.accounting import LedgerRow
from warehouse.models.operation import DeploymentRow
from warehouse.models.recount import RecountPending, RecountProgress
from warehouse.streams import tables_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Engine

SETTLED_S: Final = 5
"""Windows and dead-letter messages of a ledger row this old have arrived too: their writers wait 0.2 s."""

ADVISORY_LOCK: Final = 0x0C7_4EC0
"""Any fixed number that nobody else locks in this database."""

TURN_WITHIN_S: Final = 60.0
"""Whoever begins with a recount meets the follower's of every minute, which takes seconds."""

TURN_POLL_S: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class PartitionProgress:
    """State of one partition; see `warehouse.models.recount.RecountProgress`."""

    topic: str
    partition: int
    first_offset: int
    next_offset: int
    clear_offset: int | None = None
    highest_time_ms: int | None = None
    last_read_at: datetime | None = None
    last_valid_at: datetime | None = None
    last_timely_ms: int | None = None
    provable_from: datetime | None = None
    records_read: int = 0
    counted: int = 0
    late: int = 0
    malformed: int = 0
    unknown_schema: int = 0
    invalid: int = 0

    @property
    def reached(self) -> int:
        """The first offset that may hold a record which has not been read."""
        return max(self.next_offset, self.clear_offset or 0)

    def plus(self, totals: dict[str, int], **changes: Any) -> PartitionProgress:
        """This progress with more records."""
        return replace(self, **{name: getattr(self, name) + more for name, more in totals.items()}, **changes)


def moment(milliseconds: int) -> datetime:
    """A time in ms since the epoch, as Postgres wants it."""
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)


def progress(connection: Connection, topic: str) -> dict[int, PartitionProgress]:
    """How far each partition has been read."""
    table = RecountProgress.__table__
    rows = connection.execute(select(table).where(table.c.topic == topic)).mappings()
    return {row["partition"]: PartitionProgress(**row) for row in rows}


def ledger_ends(connection: Connection, topic: str) -> dict[int, int]:
    """By partition, the offset up to which the job has accounted for its records, some seconds ago."""
    newest = (
        select(LedgerRow.partition, LedgerRow.last_offset + 1)
        .where(
            LedgerRow.topic == topic,
            LedgerRow.written_at <= func.now() - timedelta(seconds=SETTLED_S),
        )
        .ext(distinct_on(LedgerRow.partition))
        .order_by(LedgerRow.partition, LedgerRow.run_started_at.desc(), LedgerRow.checkpoint_id.desc())
    )
    return {row[0]: row[1] for row in connection.execute(newest)}


def is_draining(connection: Connection) -> bool:
    """Whether the job counts only up to the window of a cutover.

    Then nothing is read: events of later windows are counted by another declaration, from the same records.
    """
    newest = select(DeploymentRow.bounds).order_by(DeploymentRow.deployment_id.desc()).limit(1)
    bounds = connection.scalar(newest)
    return bounds is not None and bounds.get("count_until_ms") is not None


def claimed_closed(connection: Connection, topic: str) -> datetime | None:
    """Up to when the job had closed windows at a checkpoint some seconds ago; None: it does not say."""
    table = LedgerRow.__table__.c
    settled = (table.topic == topic, table.written_at <= func.now() - timedelta(seconds=SETTLED_S))
    newest = (
        select(table.run_started_at, table.checkpoint_id)
        .where(*settled)
        .order_by(table.run_started_at.desc(), table.checkpoint_id.desc())
        .limit(1)
        .subquery()
    )
    claimed: datetime | None = connection.scalar(
        select(func.min(table.job_watermark)).where(
            *settled,
            table.run_started_at == newest.c.run_started_at,
            table.checkpoint_id == newest.c.checkpoint_id,
        )
    )
    return claimed


def save_progress(connection: Connection, states: Sequence[PartitionProgress]) -> None:
    """Write how far these partitions have been read."""
    if not states:
        return
    statement = insert(RecountProgress)
    keys = {"topic", "partition"}
    changed = {name: statement.excluded[name] for name in asdict(states[0]) if name not in keys}
    connection.execute(
        statement.on_conflict_do_update(index_elements=sorted(keys), set_=changed),
        [asdict(state) for state in states],
    )


def add_counts(connection: Connection, counts: pd.DataFrame) -> None:
    """Add partial aggregates: a segment's columns and the stream's figures; their minutes are unverified."""
    if counts.empty:
        return
    tables = tables_of(connection)
    total = (
        counts.groupby(segment_columns(tables.dimensions), sort=True)[list(tables.figures)]
        .sum()
        .reset_index()
    )
    table = tables.recount_counts
    statement = insert(table)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["window_start", *tables.dimensions],
            set_={name: table.c[name] + statement.excluded[name] for name in tables.figures},
        ),
        rows_of(total),
    )
    _note_unverified(connection, total)


def add_late(
    connection: Connection, topic: str, partition: int, late: pd.DataFrame, *, after_idleness: bool
) -> set[int]:
    """Note late records: `offset`, a segment's columns, `click` ...; returns the offsets not known before."""
    if late.empty:
        return set()
    where = {"topic": topic, "partition": partition, "after_idleness": after_idleness}
    table = tables_of(connection).recount_late
    inserted = connection.scalars(
        insert(table).on_conflict_do_nothing().returning(table.c.offset),
        [{**row, **where} for row in rows_of(late)],
    )
    _note_unverified(connection, late)
    return set(inserted)


def lock(connection: Connection) -> bool:
    """Keep every other recount of this database out until the transaction ends; False if one runs.

    A lock of the session would stay with a pooler's connection to Postgres.
    """
    return bool(connection.scalar(select(func.pg_try_advisory_xact_lock(ADVISORY_LOCK))))


def late_offsets(connection: Connection, topic: str, partition: int, offsets: pd.Series[int]) -> set[int]:
    """Which of these offsets are known as late."""
    table = tables_of(connection).recount_late.c
    return set(
        connection.scalars(
            select(table.offset).where(
                table.topic == topic, table.partition == partition, table.offset.in_(offsets.tolist())
            )
        )
    )


@contextmanager
def turn(engine: Engine, wait_s: float = TURN_WITHIN_S) -> Iterator[None]:
    """Be the only one who changes what the recount knows.

    Raises:
        CtrError: a recount that is in progress has not ended within `wait_s`.
    """
    with engine.connect() as guard:
        try:
            tenacity.Retrying(
                retry=tenacity.retry_if_result(lambda locked: not locked),
                wait=tenacity.wait_fixed(TURN_POLL_S),
                stop=tenacity.stop_after_delay(wait_s),
            )(lock, guard)
        except tenacity.RetryError:
            raise CtrError(
                "another recount of this warehouse is in progress: wait until it has ended"
            ) from None
        yield


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a frame as Postgres wants them: Python's own types, and the window's start as a time."""
    starts = pd.to_datetime(frame["window_start_ms"], unit="ms", utc=True)
    columns = frame.drop(columns="window_start_ms").assign(window_start=starts)
    rows: list[dict[str, Any]] = columns.astype(object).to_dict("records")
    return rows


def _note_unverified(connection: Connection, frame: pd.DataFrame) -> None:
    starts = [{"window_start": moment(int(start))} for start in frame["window_start_ms"].unique()]
    connection.execute(insert(RecountPending).on_conflict_do_nothing(), starts)
