"""The stack of the tests really runs, survives kills, and is what its settings say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import httpx
import psycopg2
import pytest
import redis
from confluent_kafka.admin import AdminClient

if TYPE_CHECKING:
    from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack


def test_every_service_answers_at_its_address(stack: RunningStack) -> None:
    settings = stack.settings
    with psycopg2.connect(
        host=settings.postgres_host,
        port=settings.postgres_port,
        user=settings.postgres_user,
        password=settings.postgres_password.get_secret_value(),
        dbname=settings.postgres_db,
    ) as connection:
        assert connection.server_version >= 180000
    connection.close()
    with redis.Redis(host=settings.redis_host, port=settings.redis_port) as client:
        assert client.ping()
    brokers = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers}).list_topics(timeout=10)
    assert len(brokers.brokers) == 1
    assert httpx.get(f"{settings.schema_registry_url}/subjects").status_code == 200
    overview = httpx.get(f"{settings.flink_rest_url}/overview").json()
    assert (overview["taskmanagers"], overview["slots-total"]) == (2, 8)


@pytest.mark.parametrize("name", ["redis", "postgres", "taskmanager-2"])
def test_a_killed_service_comes_back(stack: RunningStack, name: str) -> None:
    before = stack.pid(name)
    stack.kill(name)
    stack.wait_ready(name)
    assert stack.pid(name) != before
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


def test_a_stopped_service_stays_down_until_started(stack: RunningStack) -> None:
    stack.stop("redis")
    assert stack.pid("redis") == 0
    stack.start("redis")
    assert stack.pid("redis") > 0


def test_nothing_listens_beyond_loopback(stack: RunningStack) -> None:
    from tests.support.listeners import listening_addresses  # noqa: PLC0415

    addresses = listening_addresses(stack.home)
    assert addresses, "the stack listens somewhere"
    assert {host for host, _ in addresses} <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
