"""Postgres and Redis alone, for tests that empty them, fill them and take them away."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Engine, NullPool, create_engine, text

from tests.support.stack import running_stack
from warehouse.migrate import migrate
from warehouse.models.base import Base
from warehouse.models.stream import StreamRow
from warehouse.streams import tables_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

    from tests.support.stack import RunningStack


@contextmanager
def running_stores() -> Iterator[RunningStack]:
    """A stack of the two stores, the warehouse migrated and empty."""
    with running_stack(("postgres", "redis")) as running:
        migrate(running.settings.postgres_url)
        yield running


@contextmanager
def silent_port() -> Iterator[int]:
    """A port of the loopback address that refuses connections, and that nobody else can take."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def writing_engine(url: URL) -> Engine:
    """Engine of a test that plays the job; keeps no connection."""
    return create_engine(url, poolclass=NullPool)


def empty(url: URL) -> None:
    """Remove every row of the warehouse, but for what it counts."""
    with writing_engine(url).begin() as connection:
        tables = {*Base.metadata.sorted_tables, *tables_of(connection).all_tables} - {StreamRow.__table__}
        connection.execute(text(f"TRUNCATE {', '.join(map(str, tables))}"))
