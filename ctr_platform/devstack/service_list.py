"""All services of the stack, in starting order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from contract.stream.load import load_stream
from ctr_platform.devstack.services.code_server import dagster_code
from ctr_platform.devstack.services.flink import TASKMANAGERS, jobmanager, taskmanager
from ctr_platform.devstack.services.kafka import kafka
from ctr_platform.devstack.services.postgres import postgres
from ctr_platform.devstack.services.redis import redis
from ctr_platform.devstack.services.registry import registry
from ctr_platform.devstack.services.web import (
    dagster_daemon,
    dagster_webserver,
    dashboard,
    follower,
    reports,
    traffic,
    watchdog,
)

if TYPE_CHECKING:
    from ctr_platform.devstack.service import Context, Service

PLATFORM_ARTIFACTS: Final = ("connectors", "build", "report")
"""Groups of the manifest that the platform itself needs, wherever the services are."""

ARTIFACTS: Final = ("kafka", "registry", *PLATFORM_ARTIFACTS)
"""The same, and the services that the embedded stack runs."""

TASKMANAGER_NAMES: Final = tuple(f"taskmanager-{number + 1}" for number in range(TASKMANAGERS))

DATA_SERVICES: Final = ("postgres", "redis", "kafka", "registry", "jobmanager", *TASKMANAGER_NAMES)
"""Everything but the web parts and the traffic: what a test of the job needs."""


def catalog(context: Context) -> list[Service]:
    """Describe them all; no traffic, where the declared stream wants none."""
    declared = load_stream(Path(context.environment["CTR_STREAM"])).declaration
    events_per_second = declared.traffic.demo_per_second
    return [
        postgres(context),
        redis(context),
        kafka(context),
        registry(context),
        jobmanager(context),
        *(taskmanager(context, number + 1) for number in range(TASKMANAGERS)),
        dagster_code(context),
        dagster_webserver(context),
        dagster_daemon(context),
        follower(context),
        dashboard(context),
        reports(context),
        watchdog(context),
        *([traffic(context, events_per_second)] if events_per_second else []),
    ]
