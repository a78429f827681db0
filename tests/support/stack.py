"""A real stack for tests: on free ports, in a folder of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import tempfile
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil
from dotenv import dotenv_values
from pydantic import SecretStr

from contract.settings import Settings
from ctr_platform.devstack.lifecycle import launch_supervisor, start, start_services, stop
from ctr_platform.devstack.paths import StackPaths
from ctr_platform.devstack.probes import http_ok, wait_until
from ctr_platform.devstack.service import with_dependencies
from ctr_platform.devstack.supervise import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ctr_platform.artifacts.fetch import Transfer
    from ctr_platform.devstack.service import Service

POOLED_CONNECTIONS: Final = 20
"""Of the registry, at the most."""

RUN: Final = "CTR_TEST_RUN"
"""Variable that names a run of the tests, in all of its processes."""

REPLACED_WITHIN_S: Final = 30
"""Until supervisord has a new process in a killed one's place."""


@dataclass
class Recorder:
    """Remembers what a start reports."""

    notes: list[str] = field(default_factory=list)
    ready_names: list[str] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)

    def transfer(self, transfer: Transfer) -> None:
        self.transfers.append(transfer)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def starting(self, names: Sequence[str]) -> None:
        del names

    def ready(self, service: Service, seconds: float) -> None:
        del seconds
        self.ready_names.append(service.name)


@dataclass(frozen=True)
class RunningStack:
    """A stack that is up, and the ways to hurt it."""

    home: Path
    settings: Settings
    services: dict[str, Service]

    @property
    def paths(self) -> StackPaths:
        return StackPaths(self.home)

    @property
    def supervisor(self) -> Supervisor:
        return Supervisor(self.paths)

    @property
    def environment(self) -> dict[str, str]:
        """For a subprocess that is to find this stack, and no other by the caller's variables."""
        return {**os.environ, **variables(self.settings), "CTR_HOME": str(self.home)}

    def with_settings(self, **changes: object) -> RunningStack:
        """The same services, used by other settings."""
        return replace(self, settings=self.settings.model_copy(update=changes))

    def pid(self, name: str) -> int:
        """Pid of a service's main process; 0 while there is none."""
        return self.supervisor.states()[name].pid

    def kill(self, name: str, by: signal.Signals = signal.SIGKILL) -> None:
        """End a service by a signal, and return when supervisord has put another process in its place.

        That one may not answer yet: see `wait_ready`.
        """
        before = self.pid(name)
        os.kill(before, by)
        wait_until(lambda: self.pid(name) not in (0, before), REPLACED_WITHIN_S, f"another {name}")

    def stop(self, name: str) -> None:
        """Stop in an orderly way; it stays down."""
        self.supervisor.stop(name)

    def start(self, name: str) -> None:
        """Start again and wait until it answers."""
        self.supervisor.start(name)
        self.wait_ready(name)

    def wait_ready(self, name: str) -> None:
        """Return when the service answers."""
        service = self.services[name]
        wait_until(service.probe, service.ready_within_s, name)
        if name == "postgres" and self.supervisor.states()["registry"].pid:
            # It keeps its schemas there, and finds out connection by connection that they are gone.
            subjects = f"{self.settings.schema_registry_url}/subjects"
            wait_until(
                lambda: all(http_ok(subjects) for _ in range(POOLED_CONNECTIONS)),
                REPLACED_WITHIN_S,
                "registry",
            )


def settings_of(home: Path) -> Settings:
    """Settings of the stack in `home`, whatever the caller's environment holds."""
    values = {name.lower(): value for name, value in dotenv_values(StackPaths(home).stack_env).items()}
    return Settings.model_validate(values)


def variables(settings: Settings) -> dict[str, str]:
    """Settings as a process is told them."""
    values = {name.upper(): getattr(settings, name) for name in Settings.model_fields}
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
    }


@contextmanager
def fresh_home() -> Iterator[Path]:
    """An empty `CTR_HOME` that Postgres' account can enter too; removed with what is in it."""
    home = Path(tempfile.mkdtemp(prefix=_prefix()))
    home.chmod(0o755)
    try:
        yield home
    finally:
        _remove(home)


def name_this_run() -> None:
    """Let the homes of this process, and of the test processes that it starts, have a name in common."""
    os.environ[RUN] = secrets.token_hex(3)


def remove_what_this_run_left() -> None:
    """Stop stacks and end processes that test processes left: they are killed soon after an interrupt."""
    for home in Path(tempfile.gettempdir()).glob(f"{_prefix()}*"):
        _remove(home)
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(RUN) == os.environ[RUN]:
                process.kill()


def _prefix() -> str:
    return f"ctr-test-{os.environ.get(RUN, '')}-"


def _remove(home: Path) -> None:
    stop(home)
    shutil.rmtree(home)


def running_stack_of_all() -> AbstractContextManager[RunningStack]:
    """Start every service, as `ctr up` does, on free ports; stop and remove everything after."""
    return running_stack(None)


@contextmanager
def running_stack(names: Sequence[str] | None) -> Iterator[RunningStack]:
    """Start these services, and what they need, on free ports; stop and remove everything after."""
    with fresh_home() as home:
        services = start(home, names=names, free_ports=True, report=Recorder())
        yield RunningStack(home, settings_of(home), {service.name: service for service in services})


class SharedStack:
    """The one stack of a test process; its services start when a test first needs them."""

    def __init__(self, home: Path) -> None:
        self._layout = StackPaths(home)
        self._services: dict[str, Service] = {}
        self._started: set[str] = set()

    def need(self, *names: str) -> RunningStack:
        """Return the stack when these services, and what they need, answer."""
        if not self._services:
            self._layout.create()
            known = launch_supervisor(self._layout, names=None, free_ports=True, report=Recorder())
            self._services = {service.name: service for service in known}
        wanted = with_dependencies(list(self._services.values()), names)
        start_services(self._layout, [each for each in wanted if each.name not in self._started], Recorder())
        self._started.update(each.name for each in wanted)
        return RunningStack(self._layout.home, settings_of(self._layout.home), self._services)

    def stop(self, name: str) -> None:
        """Stop a service that no other test needs soon."""
        Supervisor(self._layout).stop(name)
        self._started.discard(name)
