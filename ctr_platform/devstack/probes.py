"""Does it answer? One bounded question per kind of service; `False` or an error means not yet."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

import httpx
import psycopg2
import redis
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from contract.errors import Unavailable
from ctr_platform.devstack.ports import HOST, is_free

if TYPE_CHECKING:
    from collections.abc import Callable

PROBE_TIMEOUT_S: Final = 2
"""A service that needs longer for one question on loopback is not ready."""
POLL_S: Final = 0.2
"""Between two questions: short against every start, long against a question's cost."""

NOT_YET: Final = (OSError, httpx.HTTPError, psycopg2.Error, redis.RedisError, KafkaException)
"""What the clients raise while a service does not answer."""


def answers(probe: Callable[[], bool]) -> bool:
    """Ask once."""
    try:
        return probe()
    except NOT_YET:
        return False


def wait_until(probe: Callable[[], bool], within_s: float, what: str) -> None:
    """Ask until it answers.

    Raises:
        Unavailable: it did not within `within_s`; the message begins with `what`.
    """
    deadline = time.monotonic() + within_s
    while not answers(probe):
        if time.monotonic() > deadline:
            raise Unavailable(f"{what} did not answer within {within_s:.0f} s")
        time.sleep(POLL_S)


def http_ok(url: str) -> bool:
    """GET gives 200."""
    return httpx.get(url, timeout=PROBE_TIMEOUT_S).status_code == httpx.codes.OK


def taskmanager_registered(rest_url: str, resource_id: str) -> bool:
    """The JobManager counts this TaskManager among its own, and it is no dead one's entry."""
    reply = httpx.get(f"{rest_url}/taskmanagers", timeout=PROBE_TIMEOUT_S).raise_for_status()
    paths = [manager["path"] for manager in reply.json()["taskmanagers"] if manager["id"] == resource_id]
    # Such as pekko.tcp://flink@127.0.0.1:41023/user/rpc/taskmanager_0; every process has a port of its own.
    ports = [int(match[1]) for path in paths if (match := re.search(r":(\d+)/user", path))]
    return any(not is_free(port) for port in ports)


def postgres_answers(port: int, password: str) -> bool:
    """SELECT 1."""
    connection = psycopg2.connect(
        host=HOST,
        port=port,
        user="postgres",
        password=password,
        dbname="postgres",
        connect_timeout=PROBE_TIMEOUT_S,
    )
    connection.close()
    return True


def redis_answers(port: int) -> bool:
    """PING; while the append-only file loads it answers with an error."""
    with redis.Redis(host=HOST, port=port, socket_timeout=PROBE_TIMEOUT_S) as client:
        return bool(client.ping())


def kafka_answers(port: int) -> bool:
    """Metadata with a broker in it."""
    if is_free(port):
        return False  # else librdkafka would log every refused connection
    client = AdminClient({"bootstrap.servers": f"{HOST}:{port}", "log_level": 0})
    return bool(client.list_topics(timeout=PROBE_TIMEOUT_S).brokers)
