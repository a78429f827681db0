"""The login of those who only read."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import psycopg2
from psycopg2 import sql
from psycopg2.errors import InsufficientPrivilege
from psycopg2.extensions import encrypt_password
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from contract.errors import WarehouseUnavailable
from warehouse.engine import CONNECT_TIMEOUT_S, migrating_engine, warehouse_errors
from warehouse.migrate import take_turns
from warehouse.models.base import QUALITY, REALTIME

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

SCHEMAS: Final = (REALTIME, QUALITY)


def ensure_reader(url: URL, user: str, password: str) -> None:
    """See to it that `user` can log in and read every table and view of the warehouse, also later ones.

    It gets no other right than these. Safe to call at any time, before the first migration and from several
    processes at once.

    Args:
        url: of the database, as the user that migrates it: later tables are that user's.
        user: name of the login; it is made if it is missing.
        password: its password; another one that it has is replaced.

    Raises:
        WarehouseUnavailable: Postgres does not answer, or the migrating user may not do this; the message
            says what to run.
    """
    if not password:
        raise WarehouseUnavailable(f"the login {user} has no password: set POSTGRES_READER_PASSWORD")
    engine = migrating_engine(url)
    with warehouse_errors(url), engine.begin() as connection:
        take_turns(connection)
        found = connection.execute(
            text("SELECT rolsuper OR rolname = current_user FROM pg_roles WHERE rolname = :name"),
            {"name": user},
        ).scalar_one_or_none()
        if found:
            raise WarehouseUnavailable(f"{user} may write: choose another name for POSTGRES_READER_USER")
        if found is None:
            _set_password(connection, "CREATE", user, password)
        _grant(connection, user)
    if found is not None and not _logs_in(url.set(username=user, password=password)):
        with warehouse_errors(url), engine.begin() as connection:
            _set_password(connection, "ALTER", user, password)


def _set_password(connection: Connection, verb: str, user: str, password: str) -> None:
    driver = _driver(connection)
    # Encrypted here, so that no log of statements ever holds it.
    secret = encrypt_password(password, user, scope=driver, algorithm="scram-sha-256")
    command = sql.SQL(f"{verb} ROLE {{}} LOGIN PASSWORD {{}}").format(
        sql.Identifier(user), sql.Literal(secret)
    )
    try:
        _run(connection, command)
    except DBAPIError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        name = sql.Identifier(user).as_string(driver)
        raise WarehouseUnavailable(
            f"{connection.engine.url.username} may not give the login {user} its password: let an "
            f"administrator run {verb} ROLE {name} LOGIN PASSWORD '...' with POSTGRES_READER_PASSWORD"
        ) from error


def _grant(connection: Connection, user: str) -> None:
    """Let the login read what is there, and what the migrating user makes later."""
    role, database = sql.Identifier(user), str(connection.engine.url.database)
    if not connection.scalar(
        text("SELECT has_database_privilege(:user, current_database(), 'CONNECT')"), {"user": user}
    ):
        _run(connection, sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(database), role))
    for schema in map(sql.Identifier, SCHEMAS):
        for command in (
            "CREATE SCHEMA IF NOT EXISTS {schema}",
            "GRANT USAGE ON SCHEMA {schema} TO {role}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {role}",
        ):
            _run(connection, sql.SQL(command).format(schema=schema, role=role))


def _run(connection: Connection, command: sql.Composed) -> None:
    statement = command.as_string(_driver(connection))
    # Without parameters no `%` of a name means anything.
    connection.execution_options(no_parameters=True).exec_driver_sql(statement)


def _driver(connection: Connection) -> Any:
    """Psycopg2's own connection, by which it knows how to quote."""
    return connection.connection.driver_connection


def _logs_in(url: URL) -> bool:
    try:
        with closing(
            psycopg2.connect(
                host=url.host,
                port=url.port,
                user=url.username,
                password=url.password,
                dbname=url.database,
                connect_timeout=CONNECT_TIMEOUT_S,
            )
        ):
            return True
    except psycopg2.OperationalError:
        return False
