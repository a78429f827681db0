"""How supervisord is configured and started."""

from __future__ import annotations

import configparser
import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from contract.errors import CtrError
from ctr_platform.devstack.probes import wait_until
from ctr_platform.devstack.processes import MARK
from ctr_platform.devstack.supervise import Supervisor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ctr_platform.devstack.paths import StackPaths
    from ctr_platform.devstack.service import Service

LOG_BYTES: Final = "20MB"
LOG_BACKUPS: Final = 2
RETRIES: Final = 1_000_000
"""Failed starts are repeated for ever, with a pause that grows by a second each time."""
LAUNCH_WITHIN_S: Final = 30
"""Half a second as a rule."""


def launch(paths: StackPaths, services: Sequence[Service], environment: Mapping[str, str]) -> None:
    """Start supervisord with these services, none of them started yet.

    Raises:
        CtrError: it does not come up.
    """
    config = paths.conf / "supervisord.conf"
    config.touch(mode=0o600)
    with config.open("w", encoding="utf-8") as file:
        _config(paths, services).write(file)
    # It leaves this session, so that Ctrl-C reaches `ctr up` alone, which then stops it in order.
    launched = subprocess.run(
        [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)],
        env={**os.environ, **environment, MARK: str(paths.home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=paths.home,
        timeout=LAUNCH_WITHIN_S,
        check=False,
    )
    if launched.returncode != 0:
        raise CtrError(f"supervisord did not start: {launched.stderr.strip().splitlines()[-1:]}")
    wait_until(Supervisor(paths).running, LAUNCH_WITHIN_S, f"supervisord (log: {paths.log('supervisord')})")


def _config(paths: StackPaths, services: Sequence[Service]) -> configparser.RawConfigParser:
    config = configparser.RawConfigParser()
    config["supervisord"] = {
        "logfile": str(paths.log("supervisord")),
        "logfile_maxbytes": LOG_BYTES,
        "logfile_backups": str(LOG_BACKUPS),
        "pidfile": str(paths.pid_file),
        "directory": str(paths.home),
        "identifier": "ctr",
        **({"user": "root"} if os.geteuid() == 0 else {}),
    }
    config["unix_http_server"] = {"file": str(paths.socket), "chmod": "0700"}
    config["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    for position, service in enumerate(services):
        config[f"program:{service.name}"] = _program(paths, service, position)
    return config


def _program(paths: StackPaths, service: Service, position: int) -> dict[str, str]:
    return {
        "command": _escaped(shlex.join(service.command)),
        "environment": _escaped(",".join(f'{k}="{v}"' for k, v in service.environment.items())),
        "directory": _escaped(str(service.directory or paths.home)),
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
        "stdout_logfile": _escaped(str(paths.log(service.name))),
        "stdout_logfile_maxbytes": LOG_BYTES,
        "stdout_logfile_backups": str(LOG_BACKUPS),
        **({"user": service.user} if service.user else {}),
    }


def _escaped(text: str) -> str:
    """Supervisord expands `%`."""
    return text.replace("%", "%%")
