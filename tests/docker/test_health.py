"""Every health check of what the platform needs, against the real service and against none."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.support.containers import healthy
from tests.support.stores import silent_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.stack import RunningStack

PORTS = {
    "postgres": "5432",
    "redis": "6379",
    "kafka": "9092",
    "registry": "8080",
    "jobmanager": "8081",
    "taskmanager": "8081",
}
"""Each one's port in its container; a TaskManager asks the JobManager."""

PROGRAMS = {"postgres": "pg_isready", "redis": "redis-cli"}


def _port(stack: RunningStack, service: str) -> int:
    settings = stack.settings
    ports = {
        "postgres": settings.postgres_port,
        "redis": settings.redis_port,
        "kafka": int(settings.kafka_bootstrap_servers.rsplit(":", 1)[1]),
        "registry": urlsplit(settings.schema_registry_url).port,
    }
    return ports.get(service) or urlsplit(settings.flink_rest_url).port or 0


@pytest.mark.parametrize("service", PORTS)
def test_a_health_check_tells_a_living_service_from_none(
    service: str, stack: RunningStack, tmp_path: Path
) -> None:
    if (program := PROGRAMS.get(service)) and shutil.which(program) is None:
        pytest.skip(f"the client {program} is not installed here")

    def check(port: int, name: str = "taskmanager-1") -> bool:
        changes = {"jobmanager:": "127.0.0.1:", PORTS[service]: str(port)}
        return healthy(service, changes, tmp_path / "bin", {"HOSTNAME": name, "POSTGRES_USER": "postgres"})

    assert check(_port(stack, service))
    with silent_port() as port:
        assert not check(port)
    if service == "taskmanager":
        assert not check(_port(stack, service), "taskmanager-9")
