"""Which services of the platform answer, and how fast."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx

from contract.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.settings import Settings
    from dashboard.view_models.live import Stores

ANSWERS_WITHIN_S: Final = 2.0
"""What is well answers in some milliseconds; a page must not wait longer to say that something is not."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Whether a service answered."""

    service: str
    address: str
    took_ms: float
    problem: str | None = None
    """Why it did not; None: it did."""


class _NoAnswer(Unavailable):
    """A service did not answer, or not as it should."""


def ask(settings: Settings, stores: Stores) -> list[Answer]:
    """Ask every service at once, each for something cheap.

    Of the web pages the settings hold a browser's addresses, which need not lead anywhere from here; that
    Dagster is alive shows in its heartbeat.
    """
    questions: list[tuple[str, str, Callable[[], object]]] = [
        ("Kafka", settings.kafka_bootstrap_servers, lambda: _connect(settings.kafka_bootstrap_servers)),
        ("Schema Registry", settings.schema_registry_url, _http(f"{settings.schema_registry_url}/subjects")),
        ("Flink", settings.flink_rest_url, _http(f"{settings.flink_rest_url}/overview")),
        ("Redis", f"{settings.redis_host}:{settings.redis_port}", stores.cache.health),
        ("Postgres", f"{settings.postgres_host}:{settings.postgres_port}", stores.warehouse.heartbeats),
    ]
    with ThreadPoolExecutor(len(questions)) as threads:
        return list(threads.map(lambda each: _answer(*each), questions))


def _answer(service: str, address: str, question: Callable[[], object]) -> Answer:
    began = time.perf_counter()
    problem = None
    try:
        question()
    except Unavailable as error:
        problem = str(error)
    return Answer(
        service=service, address=address, took_ms=1000 * (time.perf_counter() - began), problem=problem
    )


def _http(url: str) -> Callable[[], object]:
    def question() -> None:
        try:
            httpx.get(url, timeout=ANSWERS_WITHIN_S, follow_redirects=True).raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _NoAnswer(str(error) or type(error).__name__) from error

    return question


def _connect(servers: str) -> None:
    """Open a connection to one of the bootstrap servers: enough to know that a broker is there."""
    problem = "no server is named"
    for server in servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=ANSWERS_WITHIN_S).close()
        except (OSError, ValueError) as error:
            problem = str(error)
        else:
            return
    raise _NoAnswer(problem)
