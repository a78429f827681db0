"""How a stack is: its services as supervisord and the kernel see them, its jobs as Flink does."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx
from dotenv import dotenv_values

from contract.errors import StackDown, WarehouseUnavailable
from contract.settings import Settings
from ctr_platform.devstack.processes import memory_bytes
from ctr_platform.devstack.supervise import Supervisor
from warehouse.reads import Warehouse

if TYPE_CHECKING:
    from ctr_platform.devstack.paths import StackPaths

REST_TIMEOUT_S: Final = 5
"""A JobManager that is busy restarting a job has been seen to take two."""


@dataclass(frozen=True)
class Status:
    """One service, Flink job or watcher."""

    kind: str
    """`service`, `job` or `heartbeat`."""
    name: str
    state: str
    """Lower case; of a job, Flink's own words; of a watcher, `heartbeats` or `silent`."""
    uptime_s: float | None
    """A watcher has the age of its last heartbeat here."""
    memory_bytes: int | None
    """PSS of the process and its descendants; a job's is the TaskManagers'."""
    address: str
    """A watcher has what it last saw here."""


def stack_status(paths: StackPaths) -> list[Status]:
    """Describe every service, job and watcher of a running stack.

    Raises:
        CtrError: it does not run.
    """
    states = Supervisor(paths).states()
    if not states:
        raise StackDown(f"the stack in {paths.home} is down: start it by `ctr up`")
    addresses: dict[str, str] = json.loads(paths.addresses.read_text(encoding="utf-8"))
    services = [
        Status(
            "service",
            name,
            states[name].state.lower(),
            time.time() - states[name].started if states[name].pid else None,
            memory_bytes(states[name].pid) if states[name].pid else None,
            address,
        )
        for name, address in addresses.items()
    ]
    watchers = _watchers(paths) if "dagster-daemon" in addresses else []
    return services + (_jobs(paths) if "jobmanager" in addresses else []) + watchers


def _watchers(paths: StackPaths) -> list[Status]:
    # Of this stack, whatever the caller's environment names.
    values = dotenv_values(paths.stack_env)
    settings = Settings.model_validate({name.lower(): value for name, value in values.items()})
    warehouse = Warehouse(settings.postgres_url)
    try:
        heartbeats = warehouse.heartbeats()
    except WarehouseUnavailable:
        return []  # Postgres' own state says why
    finally:
        warehouse.close()
    return [
        Status(
            "heartbeat",
            name,
            "beats" if last.age_s <= settings.heartbeat_alarm else "silent",
            last.age_s,
            None,
            last.detail,
        )
        for name, last in heartbeats.items()
    ]


def _jobs(paths: StackPaths) -> list[Status]:
    rest = dotenv_values(paths.stack_env)["FLINK_REST_URL"]
    try:
        reply = httpx.get(f"{rest}/jobs/overview", timeout=REST_TIMEOUT_S).raise_for_status()
    except httpx.HTTPError:
        return []  # the JobManager's own state says why
    jobs = sorted(reply.json()["jobs"], key=lambda job: -job["start-time"])
    return [
        Status(
            "job",
            job["name"],
            job["state"].lower(),
            job["duration"] / 1000,
            None,
            f"{rest}/#/job/{job['jid']}",
        )
        for job in jobs
    ]
