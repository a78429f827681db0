"""Rejected records whose dead-letter messages have not been read: in the end there must be none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from sqlalchemy import String, cast, delete, func, insert, literal, select, true, update
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE

from contract.errors import UsageError
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.recount import AwaitedLetters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from sqlalchemy import Cast, Connection
    from sqlalchemy.dialects.postgresql import Range

    from contract.settings import Settings

    Ints = NDArray[np.int64]

_TABLE: Final = AwaitedLetters.__table__.c


def await_letters(connection: Connection, topic: str, partition: int, offsets: Ints) -> None:
    """Note records that the job must have sent dead-letter messages of.

    Args:
        connection: of the transaction that notes how far the partition has been read.
        topic: the records' own, as on record.
        partition: the records' own.
        offsets: ascending; int64[N].
    """
    if len(offsets):
        connection.execute(
            insert(AwaitedLetters).values(
                topic=topic,
                partition=partition,
                first_offset=int(offsets[0]),
                last_offset=int(offsets[-1]),
                offsets=_multirange(offsets),
                missing=False,
            )
        )


def letters_read(connection: Connection, topic: str, partition: int, offsets: Ints) -> None:
    """Cross off records whose dead-letter messages were read; a message may come twice.

    Args:
        connection: any; to cross off twice changes nothing.
        topic: the records' own, as on record.
        partition: the records' own.
        offsets: in any order; int64[N].
    """
    found = np.unique(offsets)
    if not len(found):
        return
    touched = (
        _TABLE.topic == topic,
        _TABLE.partition == partition,
        _TABLE.first_offset <= int(found[-1]),
        _TABLE.last_offset >= int(found[0]),
    )
    connection.execute(
        update(AwaitedLetters).where(*touched).values(offsets=_TABLE.offsets.op("-")(_multirange(found)))
    )
    connection.execute(delete(AwaitedLetters).where(*touched, func.isempty(_TABLE.offsets)))


def note_missing(connection: Connection) -> None:
    """What is still awaited now was not sent: the error topic has been read to its end."""
    connection.execute(update(AwaitedLetters).where(~_TABLE.missing).values(missing=True))


def await_no_more(connection: Connection) -> None:
    """Forget all: retention has deleted unread dead-letter messages, and nobody knows which."""
    connection.execute(delete(AwaitedLetters))


@dataclass(frozen=True, kw_only=True)
class MissingLetters:
    """Rejected records of a partition without a dead-letter message, which nobody has acknowledged."""

    topic: str
    partition: int
    first_offset: int
    last_offset: int
    records: int


def missing_letters(connection: Connection, topic: str) -> list[MissingLetters]:
    """What the job has rejected and not told of, by partition."""
    ranges = func.unnest(_TABLE.offsets).table_valued("each").render_derived()
    low, high = func.lower(ranges.c.each), func.upper(ranges.c.each)
    rows = connection.execute(
        select(
            _TABLE.topic,
            _TABLE.partition,
            func.min(low).label("first_offset"),
            (func.max(high) - 1).label("last_offset"),
            func.sum(high - low).label("records"),
        )
        .select_from(AwaitedLetters)
        .join(ranges, true())
        .where(_TABLE.topic == topic, _TABLE.missing, _TABLE.acknowledged_at.is_(None))
        .group_by(_TABLE.topic, _TABLE.partition)
        .order_by(_TABLE.partition)
    ).mappings()
    return [MissingLetters(**{**row, "records": int(row["records"])}) for row in rows]


def acknowledge_missing(settings: Settings, *, why: str, dry_run: bool) -> list[MissingLetters]:
    """Accept that records were rejected without a dead letter: the checks pass without them.

    Args:
        settings: where the warehouse is.
        why: for those who look at these records later.
        dry_run: change nothing.

    Returns:
        The records.

    Raises:
        UsageError: there are none, or no reason.
        WarehouseUnavailable: Postgres does not answer.
    """
    if not why.strip():
        raise UsageError("say why these records may be without a dead letter")
    engine = writing_engine(settings.postgres_url, "ctr-acknowledge")
    with warehouse_errors(settings.postgres_url), engine.begin() as connection:
        found = missing_letters(connection, settings.raw_topic)
        if not found:
            raise UsageError("no dead letter is missing")
        if not dry_run:
            connection.execute(
                update(AwaitedLetters)
                .where(_TABLE.missing, _TABLE.acknowledged_at.is_(None))
                .values(acknowledged_at=func.now(), why=why.strip())
            )
    return found


def _multirange(offsets: Ints) -> Cast[Sequence[Range[int]]]:
    """Ascending offsets as Postgres reads them: a run of consecutive ones is one range."""
    first = np.flatnonzero(np.diff(offsets, prepend=offsets[0] - 2) != 1)
    last = np.append(first[1:], len(offsets)) - 1
    ranges = zip(offsets[first].tolist(), offsets[last].tolist(), strict=True)
    written = ",".join(f"[{low},{high}]" for low, high in ranges)
    return cast(literal(f"{{{written}}}", String), INT8MULTIRANGE())
