"""The write side of the cache against a real Redis: which document wins, how long it lives, absence."""

from __future__ import annotations

import json
import shlex
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest
import redis

from ctr_platform.devstack.probes import wait_until
from flink.document_store import DocumentStore
from flink.documents import build, to_json
from tests.support.tables import DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.stack import RunningStack, SharedStack

pytestmark = pytest.mark.stack

START_MS = 1_793_750_700_000  # 2026-11-04 00:05 UTC
NAME = "20261104T0005Z"
Client = Any
"""A `redis.Redis`, whose own annotations say that every answer may have to be awaited."""

BACK_WITHIN_S = 30.0
"""Far beyond the second for which the store leaves an absent Redis alone."""


@pytest.fixture(scope="module")
def server(shared: SharedStack) -> RunningStack:
    return shared.need("redis")


@pytest.fixture
def client(server: RunningStack) -> Iterator[Client]:
    """An empty Redis."""
    host, port = server.settings.redis_host, server.settings.redis_port
    with redis.Redis(host=host, port=port, decode_responses=True) as found:
        found.flushall()
        yield found


@pytest.fixture
def store(server: RunningStack, client: Client) -> Iterator[DocumentStore]:
    del client
    writer = DocumentStore(server.settings.redis_host, server.settings.redis_port)
    yield writer
    writer.close()


def document(*, start_ms: int = START_MS, window_type: str = "1min", **changes: Any) -> Mapping[str, Any]:
    counts = {("news", 1): [4, 1]}
    built = build(window_type, start_ms, counts, DIMENSIONS, final=False, written_ms=start_ms)
    return {**built, **changes}


def stored(client: Client, window_type: str = "1min") -> Any:
    text = client.get(f"metrics:{window_type}:{NAME}")
    return None if text is None else json.loads(text)


@pytest.mark.parametrize(("window_type", "lives_s"), [("1min", 300), ("5min", 1500)])
def test_a_document_is_stored_indexed_and_expires(
    store: DocumentStore, client: Client, window_type: str, lives_s: int
) -> None:
    assert store.write(document(window_type=window_type))
    assert client.get(f"metrics:{window_type}:{NAME}") == to_json(document(window_type=window_type))
    assert client.zrange(f"metrics:{window_type}:index", 0, -1, withscores=True) == [(NAME, START_MS)]
    left_ms = client.pttl(f"metrics:{window_type}:{NAME}")
    assert 1000 * (lives_s - 60) < left_ms <= 1000 * lives_s
    assert len(client.keys("*")) == 2


def test_each_write_renews_its_life(store: DocumentStore, client: Client) -> None:
    store.write(document())
    client.expire(f"metrics:1min:{NAME}", 5)
    store.write(document())
    assert client.ttl(f"metrics:1min:{NAME}") > 200


def test_a_refused_document_renews_nothing(store: DocumentStore, client: Client) -> None:
    store.write(document(final=True))
    client.expire(f"metrics:1min:{NAME}", 100)
    assert store.write(document())
    assert client.ttl(f"metrics:1min:{NAME}") <= 100


@pytest.mark.parametrize(
    ("old", "new", "wins"),
    [
        ({"final": False}, {"final": False}, True),
        ({"final": False}, {"final": True}, True),
        ({"final": True}, {"final": True}, True),
        ({"final": True}, {"final": False}, False),
        ({"final": True, "revision": 1}, {"final": True, "revision": 0}, False),
        ({"final": True, "revision": 1}, {"final": False, "revision": 0}, False),
        ({"final": True, "revision": 1}, {"final": True, "revision": 1}, True),
        ({"final": True, "revision": 1}, {"final": True, "revision": 2}, True),
        ({"final": True, "revision": 9}, {"final": True, "revision": 10}, True),
        ({"final": True, "revision": 10}, {"final": True, "revision": 9}, False),
        ({"final": True, "revision": 0}, {"final": False, "revision": 1}, False),
    ],
)
def test_the_better_document_stays(
    store: DocumentStore, client: Client, old: dict[str, Any], new: dict[str, Any], *, wins: bool
) -> None:
    assert store.write(document(total_clicks=1, **old))
    assert store.write(document(total_clicks=2, **new)), "Redis answered, whatever it holds"
    assert stored(client)["total_clicks"] == (2 if wins else 1)


@pytest.mark.parametrize("foreign", ["no JSON", "7", "null", "[]", "{}"])
def test_what_is_no_document_is_replaced(store: DocumentStore, client: Client, foreign: str) -> None:
    client.set(f"metrics:1min:{NAME}", foreign)
    assert store.write(document())
    assert stored(client) == document()


@pytest.mark.parametrize("name", [NAME, "index"])
def test_what_is_of_another_type_is_replaced(store: DocumentStore, client: Client, name: str) -> None:
    client.hset(f"metrics:1min:{name}", "some", "thing")
    assert store.write(document())
    assert stored(client) == document()
    assert client.zrange("metrics:1min:index", 0, -1) == [NAME]


def test_the_types_and_windows_do_not_meet(store: DocumentStore, client: Client) -> None:
    store.write(document(final=True))
    store.write(document(window_type="5min"))
    store.write(document(start_ms=START_MS + 60_000))
    assert stored(client)["final"] is True
    assert stored(client, "5min")["final"] is False
    assert client.zrange("metrics:1min:index", 0, -1) == [NAME, "20261104T0006Z"]


def test_members_of_expired_documents_leave_the_index(store: DocumentStore, client: Client) -> None:
    for minute in range(30):
        store.write(document(start_ms=START_MS + 60_000 * minute))
    names = client.zrange("metrics:1min:index", 0, -1)
    assert len(names) == 30
    gone = names[:25]
    client.delete(*(f"metrics:1min:{name}" for name in gone))
    for _ in range(4):
        store.write(document(start_ms=START_MS + 60_000 * 30))
    assert client.zrange("metrics:1min:index", 0, -1) == [*names[25:], "20261104T0035Z"]


def test_a_redis_that_forgot_the_script_gets_it_again(store: DocumentStore, client: Client) -> None:
    store.write(document())
    client.script_flush()
    assert store.write(document(final=True))
    assert stored(client)["final"] is True


def test_an_absent_redis_is_left_alone_and_found_again(server: RunningStack, store: DocumentStore) -> None:
    assert store.write(document())
    server.stop("redis")
    try:
        assert not store.write(document(final=True))
    finally:
        server.start("redis")
    wait_until(lambda: store.write(document(final=True)), BACK_WITHIN_S, "the store")
    with redis.Redis(host=server.settings.redis_host, port=server.settings.redis_port) as client:
        assert stored(client)["final"] is True


REFUSALS: Final = {
    "OutOfMemoryError": (["CONFIG SET maxmemory 1"], ["CONFIG SET maxmemory 0"]),
    "ReadOnlyError": (["REPLICAOF 127.0.0.1 1"], ["REPLICAOF NO ONE"]),
    "NOREPLICAS": (["CONFIG SET min-replicas-to-write 1"], ["CONFIG SET min-replicas-to-write 0"]),
    "AuthenticationError": (
        ["CONFIG SET requirepass secret", "CLIENT KILL TYPE normal SKIPME yes"],
        ['CONFIG SET requirepass ""'],
    ),
    "NoPermissionError": (["ACL SETUSER default -evalsha"], ["ACL SETUSER default +@all"]),
}
"""What Redis is told so that it refuses, and to be as before, by what it answers then."""


@contextmanager
def refusing(client: Client, words: str) -> Iterator[None]:
    begin, end = REFUSALS[words]
    try:
        for command in begin:
            client.execute_command(*shlex.split(command))
        yield
    finally:
        for command in end:
            client.execute_command(*shlex.split(command))


@pytest.mark.parametrize("words", REFUSALS)
def test_a_redis_that_refuses_is_logged_once_and_once_more_when_it_is_over(
    store: DocumentStore, client: Client, caplog: pytest.LogCaptureFixture, words: str
) -> None:
    # One client for both: a login is asked of new connections alone.
    with refusing(client, words):
        for _ in range(3):
            store._paused_until = 0.0  # what a second does
            assert not any([store.write(document()), store.write(document(window_type="5min"))])
        assert store.refusal
        assert words in store.refusal
        [begun] = caplog.messages
        assert words in begun
    wait_until(lambda: store.write(document(final=True)), BACK_WITHIN_S, "the store")
    wait_until(lambda: store.write(document(window_type="5min")), BACK_WITHIN_S, "the store")
    assert stored(client)["final"] is True
    assert store.refusal is None
    assert [message.split(",")[0] for message in caplog.messages[1:]] == [
        f"{begun.split(' takes ')[0]} takes documents again"
    ]


def test_after_a_refusal_the_address_is_looked_up_anew(store: DocumentStore, client: Client) -> None:
    """A failover may have made a replica of the Redis that a connection leads to."""
    store.write(document())

    def connection() -> list[str]:
        return [each["id"] for each in client.client_list() if each["name"] == "ctr-job"]

    before = connection()
    with refusing(client, "ReadOnlyError"):
        assert not store.write(document())
    wait_until(lambda: store.write(document()), BACK_WITHIN_S, "the store")
    assert len(connection()) == 1
    assert connection() != before


def test_a_redis_that_does_not_answer_is_not_asked_at_every_write() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)  # noqa: FBT003 - the standard library's signature
        store = DocumentStore("127.0.0.1", silent.getsockname()[1])
        began = time.monotonic()
        answers = [store.write(document()) for _ in range(1000)]
        took_s = time.monotonic() - began
        store.close()
        connections = 0
        try:
            while True:
                silent.accept()[0].close()
                connections += 1
        except BlockingIOError:
            pass
    assert not any(answers)
    # One attempt, and one more for each second that a slow machine took.
    assert 1 <= connections <= 1 + took_s
