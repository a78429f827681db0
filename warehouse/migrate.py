"""Bring a database to the newest revision of the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import URL, Connection, inspect, text

from contract.errors import WarehouseUnavailable
from contract.stream.changes import StreamChange, change
from warehouse.engine import migrating_engine, warehouse_errors
from warehouse.models.base import Base
from warehouse.reshape import is_unused, reshape
from warehouse.stream_tables import StreamTables
from warehouse.streams import counted_stream, record_stream, tables_of

if TYPE_CHECKING:
    from datetime import datetime
    from typing import TextIO

    from contract.stream.load import DeclaredStream

MIGRATIONS: Final = Path(__file__).parent / "migrations"

ADVISORY_LOCK: Final = 0x0C7_4A2E
"""Any fixed number that nobody else locks in this database."""

LOCK_TIMEOUT_S: Final = 60
"""Patience with another migration, or with readers of a table that is about to change."""


@dataclass(frozen=True, kw_only=True)
class MigrationResult:
    """What a migration did; equal revisions: nothing was to do."""

    from_revision: str | None
    """None: the database was empty."""
    to_revision: str
    waiting: StreamChange
    """What is declared, and waits for a cutover or another database."""


def migrate(
    url: URL,
    stream: DeclaredStream | None = None,
    *,
    reshape_from: datetime | None = None,
    migrations: Path = MIGRATIONS,
) -> MigrationResult:
    """Apply every migration that is missing, and the declared stream, in one transaction.

    Safe to call at any time, from several processes at once: they take turns. A migration whose module says
    `reshapes = True` changes the tables that the running job writes, so that it could write them no more: of
    a database in use, it and the ones after it wait for a cutover, and so does a declaration by which the
    stream is counted in another way.

    Args:
        url: of the database.
        stream: the declared one; None: the one that is counted stays, at first the one that ships.
        reshape_from: apply these as well; start of the first window that is counted so.
        migrations: folder of the scripts; another one holds those of another version of this package.

    Raises:
        WarehouseUnavailable: Postgres does not answer, stays locked, or has been migrated by a newer
            version of this package.
    """
    engine = migrating_engine(url)
    with warehouse_errors(url), engine.begin() as connection:
        take_turns(connection)
        before = current_revision(connection)
        try:
            config = alembic_config(connection, migrations=migrations)
            command.upgrade(
                config,
                "head" if reshape_from or before is None else _before_reshape(config, before),
            )
        except (CommandError, ResolutionError) as error:
            raise WarehouseUnavailable(
                f"the warehouse is at revision {before}, unknown to this version: upgrade ctr-platform"
            ) from error
        after = current_revision(connection)
        if after is None:
            raise WarehouseUnavailable("the warehouse has no migrations: the installation is incomplete")
        waiting = StreamChange() if stream is None else _apply(connection, stream, reshape_from)
    return MigrationResult(from_revision=before, to_revision=after, waiting=waiting)


def _apply(connection: Connection, stream: DeclaredStream, reshape_from: datetime | None) -> StreamChange:
    """Count by the declared stream, if that needs no cutover; returns what has to wait for one."""
    counted = counted_stream(connection)
    found = change(counted.stream, stream)
    tables = StreamTables.of(stream)
    if is_unused(connection, counted.tables):
        reshape_from = None
    elif found.refused or (found.counting and reshape_from is None):
        return found
    if counted.tables != tables:
        reshape(connection, counted.tables, tables)
    if (stream.text, stream.event_schema) != (counted.stream.text, counted.stream.event_schema):
        record_stream(connection, stream, reshape_from if found.counting else None)
    return StreamChange()


def take_turns(connection: Connection) -> None:
    """Wait until no other transaction changes the database's structure or rights, and hold off the next."""
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})


def _before_reshape(config: Config, current: str) -> str:
    """The newest revision that the running job can live with."""
    newest = current
    missing = ScriptDirectory.from_config(config).iterate_revisions("head", current)
    for script in reversed(list(missing)):
        if getattr(script.module, "reshapes", False):
            break
        newest = script.revision
    return newest


def newest_revision() -> str:
    """The revision that this version of the package brings a database to."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return str(ScriptDirectory.from_config(config).get_current_head())


def missing_columns(url: URL) -> list[str]:
    """`schema.table.column` of every column of the tables that the database lacks.

    Raises:
        WarehouseUnavailable: Postgres does not answer.
    """
    with warehouse_errors(url), migrating_engine(url).connect() as connection:
        inspector = inspect(connection)
        tables = (*Base.metadata.tables.values(), *tables_of(connection).all_tables)
        found = {
            f"{table.fullname}.{column['name']}"
            for table in tables
            if inspector.has_table(table.name, table.schema)
            for column in inspector.get_columns(table.name, table.schema)
        }
    wanted = {f"{table.fullname}.{column.name}" for table in tables for column in table.columns}
    return sorted(wanted - found)


def current_revision(connection: Connection) -> str | None:
    """Revision of the database; None before the first migration."""
    return MigrationContext.configure(connection).get_current_revision()


def alembic_config(
    connection: Connection, stdout: TextIO | None = None, migrations: Path = MIGRATIONS
) -> Config:
    """Alembic's configuration for its commands on this connection, with what they print going to `stdout`."""
    config = Config() if stdout is None else Config(stdout=stdout)
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
