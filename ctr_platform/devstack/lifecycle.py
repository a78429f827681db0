"""Start and stop a whole stack."""

from __future__ import annotations

import fcntl
import json
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from contract.errors import CtrError, Unavailable
from ctr_platform.artifacts.fetch import Transfer, fetch
from ctr_platform.devstack.environment import stack_environment, write_stack_env
from ctr_platform.devstack.launch import launch
from ctr_platform.devstack.paths import StackPaths
from ctr_platform.devstack.ports import load_ports, require_free
from ctr_platform.devstack.preflight import require_disk, require_programs
from ctr_platform.devstack.probes import POLL_S, answers
from ctr_platform.devstack.processes import end_leftovers
from ctr_platform.devstack.service import Context, Service, with_dependencies
from ctr_platform.devstack.service_list import ARTIFACTS, catalog
from ctr_platform.devstack.supervise import ProcessState, Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

STOP_WITHIN_S: Final = 120
"""All services one after the other: 8 s as a rule; a TaskManager that must be killed adds 20 s."""
MAX_EXCERPT: Final = 300
"""Characters of a log line that are repeated in a message."""
ENDS_BORNE: Final = 1
"""A JVM on a machine without a free core may give up on itself, and come up when it is started again."""


class Reporter(Protocol):
    """Told how far a start is."""

    def transfer(self, transfer: Transfer) -> None:
        """Something was downloaded. May come from another thread."""

    def note(self, text: str) -> None:
        """Something worth a line happened."""

    def starting(self, names: Sequence[str]) -> None:
        """These are being started or waited for; called again and again."""

    def ready(self, service: Service, seconds: float) -> None:
        """It answers, after so many seconds."""


def start(
    home: Path,
    *,
    names: Sequence[str] | None = None,
    free_ports: bool = False,
    variables: Mapping[str, str] = MappingProxyType({}),
    report: Reporter,
) -> list[Service]:
    """Start the stack in `home` and return its services once every one of them answers.

    Args:
        home: `CTR_HOME`.
        names: only these services and what they need; all of them by default.
        free_ports: replace taken port numbers by free ones.
        variables: in place of the stack's own, such as the addresses of proxies before the services.
        report: told about the progress.

    Raises:
        CtrError: it cannot start; nothing is left running then.
    """
    paths = StackPaths(home)
    paths.create()
    with _starting_alone(paths):
        services = launch_supervisor(
            paths, names=names, free_ports=free_ports, variables=variables, report=report
        )
        try:
            start_services(paths, services, report)
        except BaseException:
            stop(home)
            raise
        return services


def launch_supervisor(
    paths: StackPaths,
    *,
    names: Sequence[str] | None,
    free_ports: bool,
    variables: Mapping[str, str] = MappingProxyType({}),
    report: Reporter,
) -> list[Service]:
    """Start supervisord and return the services that it knows, none of them started yet.

    Raises:
        CtrError: it runs already, or cannot.
    """
    if Supervisor(paths).running():
        raise CtrError(f"the stack in {paths.home} is up already: see `ctr status`, or stop it by `ctr down`")
    _clear_remains(paths, report)
    require_disk(paths.home)
    artifacts = fetch(ARTIFACTS, on_transfer=report.transfer)
    ports = load_ports(paths.ports_file, free=free_ports)
    password = paths.password()
    environment = {**stack_environment(paths, ports, password), **variables}
    services = catalog(Context(paths, ports, password, artifacts, environment))
    if names is not None:
        services = with_dependencies(services, names)
    require_programs(program for service in services for program in service.programs)
    require_free(ports, (name for service in services for name in service.ports))
    launch(paths, services, {**environment, "CTR_HOME": str(paths.home)})
    paths.addresses.write_text(json.dumps({s.name: s.address for s in services}), encoding="utf-8")
    write_stack_env(paths, environment)
    return services


def stop(home: Path) -> bool:
    """Stop the stack in `home`; harmless when it does not run. Returns whether anything ran."""
    paths = StackPaths(home)
    supervisor = Supervisor(paths)
    was_running = supervisor.running()
    if was_running:
        supervisor.shutdown(STOP_WITHIN_S)
    leftovers = end_leftovers(home)
    for file in (paths.stack_env, paths.addresses, paths.socket, paths.pid_file):
        file.unlink(missing_ok=True)
    return was_running or bool(leftovers)


@contextmanager
def _starting_alone(paths: StackPaths) -> Iterator[None]:
    """Let one process at a time start this stack. The system frees the lock with its holder."""
    with (paths.run / "starting.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CtrError(f"another `ctr up` is just starting the stack in {paths.home}") from None
        yield


def _clear_remains(paths: StackPaths, report: Reporter) -> None:
    """Remove what a killed supervisord left behind: its services, its socket, temporary files."""
    if names := end_leftovers(paths.home):
        report.note(f"ended {len(names)} processes left by a stack that was killed")
    for file in (paths.socket, paths.pid_file):
        file.unlink(missing_ok=True)
    shutil.rmtree(paths.tmp, ignore_errors=True)
    paths.tmp.mkdir(exist_ok=True)


@dataclass
class _Start:
    """One service's start, as it goes on."""

    since: float
    """By the monotonic clock."""
    log_offset: int
    """Size of the log file before it."""
    pid: int = 0
    ends: int = 0
    """How often it has ended, and was started again."""


def start_services(paths: StackPaths, services: Sequence[Service], report: Reporter) -> None:
    """Start each service as soon as all that it needs answers; wait for them all.

    What a service needs and is not among them runs already.

    Raises:
        CtrError: one ends or takes too long.
    """
    supervisor = Supervisor(paths)
    starts: dict[str, _Start] = {}
    ready: set[str] = set()
    names = {service.name for service in services}
    while len(ready) < len(services):
        for service in services:
            if service.name not in starts and ready.issuperset(names.intersection(service.after)):
                service.prepare()
                log = paths.log(service.name)
                offset = log.stat().st_size if log.exists() else 0
                supervisor.start(service.name)
                starts[service.name] = _Start(time.monotonic(), offset)
        report.starting([name for name in starts if name not in ready])
        states = supervisor.states()
        if not states:
            raise CtrError("the stack was stopped while it started")
        for service in services:
            if service.name in starts and service.name not in ready:
                start_ = starts[service.name]
                if answers(service.probe):
                    service.post_start()
                    ready.add(service.name)
                    report.ready(service, time.monotonic() - start_.since)
                else:
                    _check(service, start_, states[service.name], paths.log(service.name))
        time.sleep(POLL_S)


def _check(service: Service, start_: _Start, state: ProcessState, log: Path) -> None:
    """Fail when a service that does not answer yet died or took too long."""
    if start_.pid and state.pid and state.pid != start_.pid:
        start_.ends += 1
    if state.state == "FATAL" or start_.ends > ENDS_BORNE:
        raise CtrError(
            f"{service.name} ended while it started: {_error_excerpt(log, start_.log_offset)}; log: {log}"
        )
    if time.monotonic() - start_.since > service.ready_within_s:
        raise Unavailable(f"{service.name} did not answer within {service.ready_within_s:.0f} s; log: {log}")
    start_.pid = state.pid or start_.pid


def _error_excerpt(log: Path, offset: int) -> str:
    """The line of the log, after `offset` bytes, that most likely says why a service ended."""
    try:
        written = log.read_bytes()[offset:].decode(errors="replace")
    except OSError:
        written = ""
    lines = [line.strip() for line in written.splitlines() if line.strip()]
    for health_check in ("Caused by:", "FATAL", "ERROR"):
        if found := [line for line in lines if health_check in line]:
            return found[-1][:MAX_EXCERPT]
    return lines[-1][:MAX_EXCERPT] if lines else "it wrote nothing"
