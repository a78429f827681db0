"""The contract's variables of an embedded stack: what the services get and `stack.env` holds."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from contract.settings import load_settings
from ctr_platform.devstack.ports import HOST
from ctr_platform.devstack.services.postgres import WAREHOUSE
from ctr_platform.devstack.services.registry import CONFLUENT_API

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctr_platform.devstack.paths import StackPaths

READER: Final = "ctr_reader"
"""Login of the dashboard: it may read the warehouse, and nothing else."""


def stack_environment(paths: StackPaths, ports: Mapping[str, int], password: str) -> dict[str, str]:
    """Return the variables by name.

    Raises:
        InvalidStream: `CTR_STREAM` declares no stream.
    """
    settings = load_settings()
    settings.declared_stream()
    flink = f"http://{HOST}:{ports['jobmanager']}"
    return {
        "CTR_STREAM": str(settings.ctr_stream),
        "KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{ports['kafka']}",
        "SCHEMA_REGISTRY_URL": f"http://{HOST}:{ports['registry']}{CONFLUENT_API}",
        "FLINK_REST_URL": flink,
        "FLINK_UI_URL": flink,
        "FLINK_CHECKPOINT_DIR": paths.checkpoints.as_uri(),
        # A demonstration is restarted often: little is read twice. A server's own default is 60 s.
        "FLINK_CHECKPOINT_INTERVAL": "10s",
        "REDIS_HOST": HOST,
        "REDIS_PORT": str(ports["redis"]),
        "POSTGRES_HOST": HOST,
        "POSTGRES_PORT": str(ports["postgres"]),
        "POSTGRES_DB": WAREHOUSE,
        "POSTGRES_USER": "postgres",
        "POSTGRES_PASSWORD": password,
        "POSTGRES_READER_USER": READER,
        "POSTGRES_READER_PASSWORD": paths.password(READER),
        "DAGSTER_UI_URL": f"http://{HOST}:{ports['dagster-webserver']}",
        "RELEASE_DIR": str(paths.releases),
        "QUALITY_DIR": str(paths.quality),
        "QUALITY_URL": f"http://{HOST}:{ports['reports']}",
        "DASHBOARD_URL": f"http://{HOST}:{ports['dashboard']}",
    }


def write_stack_env(paths: StackPaths, environment: Mapping[str, str]) -> None:
    """Write `stack.env`, readable by this user alone, so that every other command finds the stack."""
    paths.stack_env.touch(mode=0o600)
    lines = (f"{name}={shlex.quote(value)}\n" for name, value in environment.items())
    paths.stack_env.write_text("".join(lines), encoding="utf-8")
