"""Connections to the warehouse."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from psycopg2.errors import InsufficientPrivilege, UndefinedTable
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from contract.errors import WarehouseUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT_TIMEOUT_S: Final = 2
"""A Postgres that is there answers in milliseconds; libpq takes no less than 2 s seriously."""

STATEMENT_TIMEOUT_MS: Final = 3000
"""Every read is bounded to a few thousand rows; one that takes this long is in trouble."""

SILENCE_TIMEOUT_MS: Final = 5000
"""A peer that stopped acknowledging is given up after this, so that no reader hangs on a dead host."""

POOL_SIZE: Final = 4
"""Readers of one process are short and few."""

POOL_TIMEOUT_S: Final = 3
"""Waiting longer for a free connection than a statement may take means that they are stuck."""

IN_UTC: Final = "SET LOCAL TIME ZONE 'UTC'"

_FAULTS: Final = {UndefinedTable: "is not migrated yet", InsufficientPrivilege: "refuses"}


def reading_engine(url: URL) -> Engine:
    """Pool of read-only connections with short timeouts; connects on first use."""
    engine = create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=True,
        connect_args=_connect_args("ctr-read"),
    )
    limit = f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}"
    return _each_transaction(engine, IN_UTC, limit, "SET TRANSACTION READ ONLY")


def migrating_engine(url: URL) -> Engine:
    """One connection at a time, without a limit on a statement: a migration may have to rewrite a table."""
    return writing_engine(url, "ctr-migrate")


def _each_transaction(engine: Engine, *statements: str) -> Engine:
    """Let every transaction begin with these.

    A pooler such as PgBouncer refuses them as options of a connection, and lends a session with what has been
    set in it to somebody else after each transaction.
    """
    text = "; ".join(statements)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(text)

    return engine


def _connect_args(name: str) -> dict[str, object]:
    return {
        "application_name": name,
        "connect_timeout": CONNECT_TIMEOUT_S,
        "tcp_user_timeout": SILENCE_TIMEOUT_MS,
    }


@contextmanager
def warehouse_errors(url: URL) -> Iterator[None]:
    """Say in one line what keeps Postgres from answering.

    Raises:
        WarehouseUnavailable: in place of the driver's error.
    """
    try:
        yield
    except (DBAPIError, PoolTimeoutError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        reason = str(cause).strip().splitlines()[0]
        fault = next((words for kind, words in _FAULTS.items() if isinstance(cause, kind)), "does not answer")
        raise WarehouseUnavailable(
            f"Postgres at {url.host}:{url.port}/{url.database} {fault}: {reason}"
        ) from error


def writing_engine(url: URL, name: str) -> Engine:
    """One connection at a time for a program that works for minutes; `name` is what Postgres shows of it."""
    engine = create_engine(url, poolclass=NullPool, connect_args=_connect_args(name))
    return _each_transaction(engine, IN_UTC)
