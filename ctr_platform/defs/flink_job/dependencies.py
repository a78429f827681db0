"""Whether what the job lives on is there: where it is not, a restart of the job helps nobody."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from contract.settings import Settings

ANSWER_WITHIN_S: Final = 1.0
"""A listening socket on the same network accepts in milliseconds."""


def unavailable(settings: Settings) -> list[str]:
    """Names of the services that accept no connection: none, if all do.

    Redis is not among them: without it the job goes on, and the cache lags.
    """
    addresses = {
        "Kafka": [_host_and_port(each) for each in settings.kafka_bootstrap_servers.split(",")],
        "the Schema Registry": [_host_and_port(urlsplit(settings.schema_registry_url).netloc)],
        "Postgres": [(settings.postgres_host, settings.postgres_port)],
    }
    return [name for name, places in addresses.items() if not any(_accepts(*place) for place in places)]


def _host_and_port(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text.strip()}")
    return parts.hostname or "localhost", parts.port or 80


def _accepts(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=ANSWER_WITHIN_S):
            return True
    except OSError:
        return False
