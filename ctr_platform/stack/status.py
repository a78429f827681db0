"""How a stack is: its services as supervisord and the kernel see them, its jobs as Flink does."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx
from dotenv import dotenv_values

from ctr_platform.errors import CtrError
from ctr_platform.stack.processes import memory_bytes
from ctr_platform.stack.supervise import Supervisor

if TYPE_CHECKING:
    from ctr_platform.stack.layout import Layout

REST_TIMEOUT_S: Final = 5
"""A JobManager that is busy restarting a job has been seen to take two."""


@dataclass(frozen=True)
class Status:
    """One service or Flink job."""

    kind: str
    """`service` or `job`."""
    name: str
    state: str
    """Lower case; of a job, Flink's own words."""
    uptime_s: float | None
    memory_bytes: int | None
    """PSS of the process and its descendants; a job's is the TaskManagers'."""
    address: str


def stack_status(layout: Layout) -> list[Status]:
    """Describe every service and job of a running stack.

    Raises:
        CtrError: it does not run.
    """
    states = Supervisor(layout).states()
    if not states:
        raise CtrError(f"the stack in {layout.home} is down: start it by `ctr up`", exit_status=3)
    addresses: dict[str, str] = json.loads(layout.addresses.read_text(encoding="utf-8"))
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
    return services + (_jobs(layout) if "jobmanager" in addresses else [])


def _jobs(layout: Layout) -> list[Status]:
    rest = dotenv_values(layout.stack_env)["FLINK_REST_URL"]
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
