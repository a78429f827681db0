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
from warehouse.engine import migrating_engine, warehouse_errors
from warehouse.models import Base

if TYPE_CHECKING:
    from typing import TextIO

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


def migrate(url: URL, *, reshape: bool = False, migrations: Path = MIGRATIONS) -> MigrationResult:
    """Apply every migration that is missing, in one transaction: all or none.

    Safe to call at any time, from several processes at once: they take turns. A migration whose module says
    `reshapes = True` changes the tables that the running job writes, so that it could write them no more: of
    a database in use, it and the ones after it wait for a cutover, which asks for `reshape`.

    Args:
        url: of the database.
        reshape: apply these as well.
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
            command.upgrade(config, "head" if reshape or before is None else _before_reshape(config, before))
        except (CommandError, ResolutionError) as error:
            raise WarehouseUnavailable(
                f"the warehouse is at revision {before}, unknown to this version: upgrade ctr-platform"
            ) from error
        after = current_revision(connection)
    if after is None:
        raise WarehouseUnavailable("the warehouse has no migrations: the installation is incomplete")
    return MigrationResult(from_revision=before, to_revision=after)


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
    """`schema.table.column` of every column of the models that the database lacks.

    Raises:
        WarehouseUnavailable: Postgres does not answer.
    """
    with warehouse_errors(url), migrating_engine(url).connect() as connection:
        inspector = inspect(connection)
        found = {
            f"{table.fullname}.{column['name']}"
            for table in Base.metadata.tables.values()
            if inspector.has_table(table.name, table.schema)
            for column in inspector.get_columns(table.name, table.schema)
        }
    wanted = {
        f"{table.fullname}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
    }
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
