"""Dagster's code server: one process holds the definitions for web server and daemon, and starts the runs."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ctr_platform.devstack.ports import HOST
from ctr_platform.devstack.probes import PROBE_TIMEOUT_S
from ctr_platform.devstack.service import PROJECT, Context, Service, python_environment

if TYPE_CHECKING:
    from pathlib import Path

LOCATION: Final = "ctr_platform"
"""What Dagster calls the definitions, in `workspace.yaml` too."""

WORKSPACE: Final = """\
load_from:
  - grpc_server:
      host: {host}
      port: {port}
      location_name: {location}
"""


def dagster_code(context: Context) -> Service:
    """Describe the code server. Runs live in it, and end neither with the web server nor with the daemon."""
    port = context.ports["dagster-code"]
    return Service(
        name="dagster-code",
        command=(
            *(sys.executable, "-m", "dagster", "api", "grpc", "--host", HOST, "--port", str(port)),
            *("--module-name", "ctr_platform.definitions", "--location-name", LOCATION),
        ),
        environment=dagster_environment(context, "dagster-code"),
        directory=PROJECT,
        probe=lambda: _serves(port),
        address="-",
        ports=("dagster-code",),
        after=("postgres",),
        prepare=lambda: _prepare(context),
        # It ends the runs that it has started.
        stop_within_s=30,
    )


def workspace_file(context: Context) -> Path:
    """Where web server and daemon are told of the code server."""
    return context.paths.dagster_home / "workspace.yaml"


def dagster_environment(context: Context, name: str) -> dict[str, str]:
    """Variables of every process of Dagster."""
    return python_environment(context, name) | {
        "DAGSTER_HOME": str(context.paths.dagster_home),
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }


def _prepare(context: Context) -> None:
    home = context.paths.dagster_home
    home.mkdir(exist_ok=True)
    shutil.copyfile(PROJECT / "ctr_platform" / "dagster.yaml", home / "dagster.yaml")
    text = WORKSPACE.format(host=HOST, port=context.ports["dagster-code"], location=LOCATION)
    workspace_file(context).write_text(text, encoding="utf-8")


def _serves(port: int) -> bool:
    with grpc.insecure_channel(f"{HOST}:{port}") as channel:
        request = health_pb2.HealthCheckRequest(service="DagsterApi")
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=PROBE_TIMEOUT_S)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
