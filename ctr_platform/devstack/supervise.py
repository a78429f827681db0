"""Supervision by supervisord: restarts, log files with rotation, an orderly stop.

Supervisord knows no dependencies, so its programs start by hand: `lifecycle` asks for each one over
XML-RPC on a unix socket, when what it needs is ready.
"""

from __future__ import annotations

import configparser
import http.client
import os
import shlex
import subprocess
import sys
import xmlrpc.client
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ctr_platform.errors import CtrError
from ctr_platform.stack.probes import wait_until
from ctr_platform.stack.processes import MARK, wait_ended

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ctr_platform.stack.layout import Layout
    from ctr_platform.stack.service import Service

LOG_BYTES: Final = "20MB"
LOG_BACKUPS: Final = 2
RETRIES: Final = 1_000_000
"""Failed starts are repeated for ever, with a pause that grows by a second each time."""
LAUNCH_WITHIN_S: Final = 30
"""Half a second as a rule."""
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

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

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


def launch(layout: Layout, services: Sequence[Service], environment: Mapping[str, str]) -> None:
    """Start supervisord with these services, none of them started yet.

    Raises:
        CtrError: it does not come up.
    """
    config = layout.conf / "supervisord.conf"
    config.touch(mode=0o600)
    with config.open("w", encoding="utf-8") as file:
        _config(layout, services).write(file)
    # It leaves this session, so that Ctrl-C reaches `ctr up` alone, which then stops it in order.
    launched = subprocess.run(
        [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)],
        env={**os.environ, **environment, MARK: str(layout.home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=layout.home,
        timeout=LAUNCH_WITHIN_S,
        check=False,
    )
    if launched.returncode != 0:
        raise CtrError(f"supervisord did not start: {launched.stderr.strip().splitlines()[-1:]}")
    wait_until(Supervisor(layout).running, LAUNCH_WITHIN_S, f"supervisord (log: {layout.log('supervisord')})")


def _config(layout: Layout, services: Sequence[Service]) -> configparser.RawConfigParser:
    config = configparser.RawConfigParser()
    config["supervisord"] = {
        "logfile": str(layout.log("supervisord")),
        "logfile_maxbytes": LOG_BYTES,
        "logfile_backups": str(LOG_BACKUPS),
        "pidfile": str(layout.pid_file),
        "directory": str(layout.home),
        "identifier": "ctr",
        **({"user": "root"} if os.geteuid() == 0 else {}),
    }
    config["unix_http_server"] = {"file": str(layout.socket), "chmod": "0700"}
    config["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    for position, service in enumerate(services):
        config[f"program:{service.name}"] = _program(layout, service, position)
    return config


def _program(layout: Layout, service: Service, position: int) -> dict[str, str]:
    return {
        "command": _escaped(shlex.join(service.command)),
        "environment": _escaped(",".join(f'{k}="{v}"' for k, v in service.environment.items())),
        "directory": _escaped(str(service.directory or layout.home)),
        # Supervisord stops the highest priority first.
        "priority": str(position + 1),
        "autostart": "false",
        "autorestart": "true",
        "startsecs": str(service.settles_after_s),
        "startretries": str(RETRIES),
        "stopsignal": service.stop_signal,
        "stopwaitsecs": str(service.stop_within_s),
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": _escaped(str(layout.log(service.name))),
        "stdout_logfile_maxbytes": LOG_BYTES,
        "stdout_logfile_backups": str(LOG_BACKUPS),
        **({"user": service.user} if service.user else {}),
    }


def _escaped(text: str) -> str:
    """Supervisord expands `%`."""
    return text.replace("%", "%%")
