"""The login that only reads, on the real Postgres."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError, OperationalError

from contract.errors import WarehouseUnavailable
from tests.support.stores import silent_port, writing_engine
from warehouse.migrate import migrate
from warehouse.quality_reads import QualityRecords
from warehouse.reads import Warehouse
from warehouse.roles import ensure_reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack

ODD: Final = 'it\'s "100%" \\ :a {b} né; --'

PLAIN: Final = "plain"
"""Passwords."""


@contextmanager
def database(administrator: URL, *roles: str) -> Iterator[URL]:
    """An empty database, dropped at the end together with the roles."""
    name = f"roles_{uuid.uuid4().hex}"
    with (
        writing_engine(administrator).execution_options(isolation_level="AUTOCOMMIT").connect() as connection
    ):
        connection.execute(text(f"CREATE DATABASE {name}"))
        try:
            yield administrator.set(database=name)
        finally:
            connection.execute(text(f"DROP DATABASE {name}"))
            for role in roles:
                connection.execution_options(no_parameters=True).exec_driver_sql(f'DROP ROLE "{role}"')


def relations(url: URL) -> set[str]:
    """Every table and view of both schemas."""
    query = "SELECT table_schema || '.' || table_name FROM information_schema.tables"
    with writing_engine(url).connect() as connection:
        found = connection.scalars(text(f"{query} WHERE table_schema IN ('realtime', 'quality')"))
        return set(found)


def check_reads_alone(owner: URL, reader: URL) -> None:
    """Read every relation as the reader; whatever else it tries is refused."""
    found = relations(owner)
    assert {"realtime.segments_1min", "quality.vital_signs", "quality.ledger_current"} <= found
    with writing_engine(reader).connect() as connection:
        for relation in found:
            connection.execute(text(f"SELECT * FROM {relation}"))
    for attempt in (
        "INSERT INTO quality.heartbeats VALUES ('x', now(), '')",
        "UPDATE quality.ledger SET late = 0",
        "DELETE FROM realtime.counts_1min",
        "TRUNCATE realtime.late_events",
        "DROP TABLE quality.alerts",
        "CREATE TABLE realtime.mine (a int)",
        "CREATE TABLE quality.mine (a int)",
        "CREATE TABLE public.mine (a int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "SELECT * FROM public.alembic_version",
    ):
        with (
            writing_engine(reader).connect() as connection,
            pytest.raises(DBAPIError, match=r"permission denied|must be owner"),
        ):
            connection.execute(text(attempt))


def test_the_stacks_reader_reads_and_does_no_more(stores: RunningStack, url: URL) -> None:
    settings = stores.settings
    assert settings.postgres_reader_user
    assert settings.postgres_reader_password != settings.postgres_password
    # Made before the migrations, which `stores` has run since.
    check_reads_alone(url, settings.postgres_reader_url)
    for reader in (Warehouse(settings.postgres_reader_url), QualityRecords(settings.postgres_reader_url)):
        reader.close()


@pytest.mark.parametrize("first", ["login", "migrations"])
def test_any_name_and_password_will_do_before_and_after_migrations(stores: RunningStack, first: str) -> None:
    odd = f'odd "%(name)s; -- {uuid.uuid4().hex[:8]}'
    with database(stores.settings.postgres_url, odd.replace('"', '""')) as url:
        if first == "migrations":
            migrate(url)
        ensure_reader(url, odd, ODD)
        migrate(url)
        reader = url.set(username=odd, password=ODD)
        check_reads_alone(url, reader)
        with writing_engine(url).begin() as connection:
            connection.execute(text("CREATE TABLE realtime.later (a int)"))
            connection.execute(text("CREATE VIEW quality.later AS SELECT 1"))
        check_reads_alone(url, reader)

        # Again: nothing changes, but for another password.
        secret = text("SELECT rolpassword FROM pg_authid WHERE rolname = :name")
        with writing_engine(url).connect() as connection:
            before = connection.scalar(secret, {"name": odd})
            ensure_reader(url, odd, ODD)
            assert connection.scalar(secret, {"name": odd}) == before
        ensure_reader(url, odd, PLAIN)
        check_reads_alone(url, reader.set(password=PLAIN))
        with pytest.raises(OperationalError, match="password authentication failed"):
            writing_engine(reader).connect()


def test_who_may_not_make_roles_is_told_what_to_run(stores: RunningStack) -> None:
    owner, reader = (f"{name}_{uuid.uuid4().hex[:8]}" for name in ("owner", "reader"))
    with database(stores.settings.postgres_url, reader, owner) as administrator:
        url = administrator.set(username=owner, password=PLAIN)
        with writing_engine(administrator).begin() as connection:
            connection.execute(text(f"CREATE ROLE {owner} LOGIN PASSWORD '{PLAIN}'"))
            connection.execute(text(f"ALTER DATABASE {administrator.database} OWNER TO {owner}"))
        migrate(url)
        with pytest.raises(
            WarehouseUnavailable,
            match=rf'run CREATE ROLE "{reader}" LOGIN PASSWORD .* POSTGRES_READER_PASSWORD',
        ):
            ensure_reader(url, reader, PLAIN)
        with writing_engine(administrator).begin() as connection:
            connection.execute(text(f"CREATE ROLE {reader} LOGIN PASSWORD 'wrong'"))
        with pytest.raises(WarehouseUnavailable, match=rf'run ALTER ROLE "{reader}" LOGIN PASSWORD'):
            ensure_reader(url, reader, PLAIN)
        with writing_engine(administrator).begin() as connection:
            connection.execute(text(f"ALTER ROLE {reader} PASSWORD '{PLAIN}'"))
        ensure_reader(url, reader, PLAIN)
        check_reads_alone(url, url.set(username=reader, password=PLAIN))
        with pytest.raises(WarehouseUnavailable, match="may write: choose another name"):
            ensure_reader(url, owner, PLAIN)
        # Roles go only when nothing depends on them any more.
        with writing_engine(administrator).begin() as connection:
            connection.execute(text(f"DROP OWNED BY {reader}, {owner} CASCADE"))
            connection.execute(text(f"ALTER DATABASE {administrator.database} OWNER TO postgres"))


def test_a_login_without_a_password_is_refused(url: URL) -> None:
    with pytest.raises(WarehouseUnavailable, match="set POSTGRES_READER_PASSWORD"):
        ensure_reader(url, "somebody", "")


def test_an_absent_postgres_is_named_in_one_line() -> None:
    with silent_port() as port:
        absent = URL.create("postgresql+psycopg2", "someone", host="127.0.0.1", port=port, database="nothing")
        with pytest.raises(WarehouseUnavailable, match=r"^Postgres at 127\.0\.0\.1:\d+/nothing .*refused"):
            ensure_reader(absent, "reader", "secret")


def test_a_reader_without_rights_is_told_so(stores: RunningStack) -> None:
    stranger = f"stranger_{uuid.uuid4().hex[:8]}"
    with database(stores.settings.postgres_url, stranger) as url:
        migrate(url)
        with writing_engine(url).begin() as connection:
            connection.execute(text(f"CREATE ROLE {stranger} LOGIN PASSWORD '{PLAIN}'"))
        warehouse = Warehouse(url.set(username=stranger, password=PLAIN))
        with pytest.raises(WarehouseUnavailable, match=r"refuses: permission denied for schema"):
            warehouse.latest_windows("1min", 1)
        warehouse.close()
