"""What the rules judge: one frame of rows per suite, bounded in time, of one moment of Postgres."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from sqlalchemy import exists, select, text

from contract.errors import CtrError
from ctr_platform.defs.data_quality.documents import STORES, compared, final_documents
from ctr_platform.defs.data_quality.rules import (
    ACCURACY,
    CARDINALITY,
    DRIFT,
    FRESHNESS,
    RECORDS,
    WINDOWS,
)
from ctr_platform.defs.kafka.offset_ranges import consumer, first_written_ms, partitions
from ctr_platform.defs.reconciliation.awaited_letters import missing_letters
from ctr_platform.defs.reconciliation.balance import balance
from ctr_platform.defs.reconciliation.state import progress
from ctr_platform.defs.reconciliation.verify import hour_of, statement_of
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.recount import InexactWindow
from warehouse.streams import tables_of
from warehouse.views import CONSERVATION, WINDOW_ACCURACY
from warehouse.windows import WINDOW_MINUTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from sqlalchemy import Connection, Result, Select

    from contract.settings import Settings

    Found = TypeVar("Found")

SQL: Final = Path(__file__).with_name("sql")

STATEMENT_TIMEOUT_S: Final = 60
"""A day of windows takes a second or two; what takes this long is in trouble."""

DRIFT_CLICKS: Final = 100
"""Chance moves the rate of so many clicks by some 10 %."""


@dataclass(frozen=True)
class Unjudged:
    """A suite has no rows, since a store is unavailable."""

    reason: str


Evidence = dict[str, pd.DataFrame | Unjudged]
"""By suite."""


def gather(settings: Settings) -> Evidence:
    """Read everything; documents and topics first, so that Postgres is the newer side.

    Raises:
        WarehouseUnavailable: nothing can be judged without Postgres.
    """
    since = hour_of(datetime.now(tz=UTC)) - timedelta(hours=settings.recount_hours - 1)
    engine = writing_engine(settings.postgres_url, "ctr-quality")
    with warehouse_errors(settings.postgres_url), engine.connect() as connection:
        tables = tables_of(connection)
    documents = {store: _or_unjudged(partial(final_documents, settings, tables, store)) for store in STORES}
    with (
        warehouse_errors(settings.postgres_url),
        engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
    ):
        connection.execute(
            text(f"SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT_S}s'")
        )
        windows = _windows(connection, since, settings.max_segments)
        evidence: Evidence = {
            ACCURACY.name: _frame(connection.execute(_accuracy(since))),
            WINDOWS.name: windows,
            CARDINALITY.name: windows,
            RECORDS.name: _records(connection, settings.raw_topic),
            DRIFT.name: _frame(connection.execute(_statement("drift"), {"clicks": DRIFT_CLICKS})),
        }
        for store, found in documents.items():
            evidence[store] = found if isinstance(found, Unjudged) else compared(connection, store, found)
        reached = _reached(connection, settings.raw_topic)
    evidence[FRESHNESS.name] = _or_unjudged(lambda: _freshness(settings, reached))
    return evidence


def _or_unjudged(read: Callable[[], Found]) -> Found | Unjudged:
    try:
        return read()
    except CtrError as error:
        return Unjudged(str(error))


def _accuracy(since: datetime) -> Select[Any]:
    """The latest verification of each window, but for those that a person has accepted as they are."""
    accuracy, inexact = WINDOW_ACCURACY.c, InexactWindow.__table__.c
    accepted = exists().where(
        inexact.window_type == accuracy.window_type,
        inexact.window_start == accuracy.window_start,
        inexact.acknowledged_at.is_not(None),
    )
    columns = (each for each in accuracy if each.name != "checked_at")
    return (
        select(*columns)
        .where(accuracy.window_start >= since, ~accepted)
        .order_by(accuracy.window_type, accuracy.window_start)
    )


def _windows(connection: Connection, since: datetime, max_segments: int) -> pd.DataFrame:
    """Closed windows of both types, each beside what must agree with it."""
    statements = (statement_of(connection, SQL / "windows.sql", each) for each in WINDOW_MINUTES)
    values = {"since": since, "max_segments": max_segments}
    return pd.concat([_frame(connection.execute(each, values)) for each in statements])


def _records(connection: Connection, topic: str) -> pd.DataFrame:
    """The ledger's sums by partition; how many records have another outcome, or no dead letter."""
    frame = _frame(connection.execute(select(CONSERVATION).where(CONSERVATION.c.topic == topic)))
    # A partition is left out of the balance while a job that went back reads again.
    differs = {each.partition: each.records_elsewhere for each in balance(connection, topic)}
    missing = {each.partition: each.records for each in missing_letters(connection, topic)}
    return frame.assign(
        recount_differs=[differs.get(partition, 0) for partition in frame["partition"]],
        dead_letters_missing=[missing.get(partition, 0) for partition in frame["partition"]],
    )


@dataclass(frozen=True, kw_only=True)
class _Reached:
    """First offset of a partition that the ledger, or the recount, does not know."""

    job: int = 0
    recount: int = 0


def _reached(connection: Connection, topic: str) -> dict[int, _Reached]:
    job = {
        row.partition: row.last_offset + 1
        for row in connection.execute(select(CONSERVATION).where(CONSERVATION.c.topic == topic))
    }
    recount = {partition: each.next_offset for partition, each in progress(connection, topic).items()}
    return {
        partition: _Reached(job=job.get(partition, 0), recount=recount.get(partition, 0))
        for partition in job.keys() | recount.keys()
    }


def _freshness(settings: Settings, reached: dict[int, _Reached]) -> pd.DataFrame:
    """By partition, how old the oldest record without a known fate is; 0: there is none."""
    topic = settings.raw_topic
    with consumer(settings, "ctr-quality") as reader:

        def behind_s(partition: int, offset: int) -> float:
            written_ms = first_written_ms(reader, settings, topic, partition, since=offset)
            if written_ms is None:
                return 0.0
            return max(0.0, datetime.now(tz=UTC).timestamp() - written_ms / 1000)

        rows = [
            (partition, behind_s(partition, at.job), behind_s(partition, at.recount))
            for partition in partitions(reader, settings, topic)
            for at in [reached.get(partition, _Reached())]
        ]
    return pd.DataFrame(rows, columns=["partition", "job_behind_s", "recount_behind_s"])


def _statement(name: str) -> Any:
    return text((SQL / f"{name}.sql").read_text(encoding="utf-8"))


def _frame(result: Result[Any]) -> pd.DataFrame:
    """Rows as a frame: decimals of two places as floats, times as text that a person can read."""
    rows: Iterable[list[Any]] = ([_plain(value) for value in row] for row in result)
    return pd.DataFrame(rows, columns=list(result.keys()))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return f"{value:%Y-%m-%d %H:%M}Z" if isinstance(value, datetime) else value
