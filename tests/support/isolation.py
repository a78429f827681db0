"""What a test has for itself on services that all tests share: settings that name nobody else's things."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal

import psycopg2
import redis
from confluent_kafka.admin import AdminClient
from psycopg2 import sql

from ctr_platform.defs.kafka.client import ADMIN_TIMEOUT_S
from ctr_platform.devstack.ports import is_free
from ctr_platform.devstack.probes import wait_until
from tests.support.stack import variables
from warehouse.migrate import migrate
from warehouse.roles import ensure_reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from contract.settings import Settings
    from tests.support.stack import RunningStack

TEMPLATE: Final = "migrated"
"""Database that the databases of tests are copied from: a tenth of a second instead of all migrations."""

ANSWERS_WITHIN_S: Final = 60
"""A service that a test has killed comes back in seconds."""

_numbers = itertools.count(1)


@contextmanager
def own(
    stack: RunningStack, *, database: Literal["migrated", "empty"] | None = "migrated"
) -> Iterator[RunningStack]:
    """The same services by settings of one's own: database, prefixes of topics and keys, folders.

    Args:
        stack: the services.
        database: whether it has the warehouse's tables; None: no database is needed.
    """
    name = f"t{next(_numbers)}"
    mine = stack.with_settings(
        kafka_topic_prefix=f"{name}.",
        redis_key_prefix=f"{name}:",
        postgres_db=name,
        flink_checkpoint_dir=f"{stack.settings.flink_checkpoint_dir}/{name}",
        release_dir=stack.settings.release_dir / name,
        quality_dir=stack.settings.quality_dir / name,
    )
    if database is not None:
        _create_database(stack.settings, name, migrated=database == "migrated")
    try:
        yield mine
    finally:
        if database is not None:
            _execute(stack.settings, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        _delete_topics(mine.settings)


def use_settings(monkeypatch: pytest.MonkeyPatch, stack: RunningStack) -> Settings:
    """Tell this process the stack's settings, as the environment of a service does; returns them."""
    for name, value in variables(stack.settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CTR_HOME", str(stack.home))
    return stack.settings


def empty_cache(settings: Settings) -> None:
    """Remove every document."""
    with redis.Redis(host=settings.redis_host, port=settings.redis_port) as client:
        if keys := list(client.scan_iter(f"{settings.redis_key_prefix}*")):
            client.delete(*keys)


def _create_database(settings: Settings, name: str, *, migrated: bool) -> None:
    known = {row for (row,) in _execute(settings, sql.SQL("SELECT datname FROM pg_database"))}
    if migrated and TEMPLATE not in known:
        _create_database(settings, TEMPLATE, migrated=False)
        migrate(settings.postgres_url.set(database=TEMPLATE))
    template = sql.Identifier(TEMPLATE if migrated else "template1")
    _execute(settings, sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), template))
    if not migrated:
        # As the stack does with its own, before there is anything to read.
        password = settings.postgres_reader_password.get_secret_value()
        ensure_reader(settings.postgres_url.set(database=name), settings.postgres_reader_user, password)


def _execute(settings: Settings, statement: sql.Composable) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []

    def done() -> bool:
        connection = psycopg2.connect(
            host=settings.postgres_host,
            port=settings.postgres_port,
            dbname="postgres",
            user=settings.postgres_user,
            password=settings.postgres_password.get_secret_value(),
        )
        connection.autocommit = True  # databases are made outside of transactions
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                found.extend(cursor.fetchall() if cursor.description else [])
        finally:
            connection.close()
        return True

    wait_until(done, ANSWERS_WITHIN_S, "Postgres")
    return found


def _delete_topics(settings: Settings) -> None:
    """Relieve the broker, if there is one."""
    if is_free(int(settings.kafka_bootstrap_servers.rsplit(":", 1)[1])):
        return
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers, "log_level": 0})
    topics = admin.list_topics(timeout=ADMIN_TIMEOUT_S).topics
    if mine := [name for name in topics if name.startswith(settings.kafka_topic_prefix)]:
        for deleted in admin.delete_topics(mine).values():
            deleted.result(ADMIN_TIMEOUT_S)
