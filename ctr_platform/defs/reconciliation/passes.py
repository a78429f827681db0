"""Passes on record: what each has read and verified, for the sensor that reports them to Dagster."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from warehouse.models.recount import ReconciliationPass, WindowVerification

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from ctr_platform.defs.reconciliation.balance import Balance
    from ctr_platform.defs.reconciliation.gaps import Gap
    from ctr_platform.defs.reconciliation.inexact import OpenWindows
    from ctr_platform.defs.reconciliation.reading import Reading
    from ctr_platform.defs.reconciliation.verify import VerificationSummary


@dataclass(frozen=True, kw_only=True)
class Recount:
    """What a pass has done."""

    reading: Reading
    verification: VerificationSummary
    balances: list[Balance]
    """By partition, of those that can be compared now."""

    inexact: OpenWindows
    """The windows that are an error now, however old."""

    gaps: list[Gap]
    """Offsets that were deleted unread, the newest ones that nobody has acknowledged."""

    closed_until: datetime | None
    """Every window that ends by this has been verified, if its hour was looked at."""

    verifiable_from: datetime | None
    """Windows that start earlier cannot be verified: the topic no longer holds all their events."""


def record_pass(connection: Connection, topic: str, done: Recount, looked_back_to: datetime) -> None:
    """Put a pass on record, in the transaction that has verified its windows.

    Args:
        connection: in that transaction: what it has written bears the transaction's time.
        topic: the raw topic.
        done: the pass.
        looked_back_to: start of the earliest window that it may have verified.
    """
    reading, verification = done.reading, done.verification
    connection.execute(
        insert(ReconciliationPass).values(
            topic=topic,
            reading_s=reading.seconds,
            records_read=reading.records,
            dead_letters_read=reading.letters.messages,
            late_after_idleness=reading.letters.after_idleness,
            late_not_believed=reading.letters.not_believed,
            outcomes={name: count for name, count in reading.outcomes.items() if name != "records_read"},
            partitions_behind=len(reading.unread_since),
            closed_until=done.closed_until,
            verifiable_from=done.verifiable_from,
            windows=verification.windows,
            inexact=done.inexact.number,
            lowest_accuracy=done.inexact.lowest_accuracy,
            impressions=verification.impressions,
            changed_results=verification.changed_results,
            changed_hours=_changed_hours(connection, looked_back_to) if verification.changed_results else [],
            least_accurate=[
                {name: str(value) for name, value in asdict(each).items()}
                for each in done.inexact.least_accurate
            ],
            partitions_compared=len(done.balances),
            unbalanced=[asdict(each) for each in done.balances if not each.balanced],
            gaps=[asdict(each) for each in done.gaps],
        )
    )


def passes_after(engine: Engine, topic: str, pass_id: int, limit: int) -> Sequence[ReconciliationPass]:
    """Read the passes that follow one, oldest first, the newest `limit` of them."""
    table = ReconciliationPass.__table__
    query = (
        select(*table.columns)
        .where(table.c.topic == topic, table.c.pass_id > pass_id)
        .order_by(table.c.pass_id.desc())
        .limit(limit)
    )
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    return [ReconciliationPass(**row) for row in reversed(rows)]


def _changed_hours(connection: Connection, looked_back_to: datetime) -> list[str]:
    """Hours of the results that this transaction has written."""
    hour = func.date_trunc("hour", WindowVerification.window_start)
    query = (
        select(hour)
        .where(WindowVerification.window_start >= looked_back_to, WindowVerification.checked_at == func.now())
        .distinct()
        .order_by(hour)
    )
    return [start.isoformat() for start in connection.scalars(query)]
