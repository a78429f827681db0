"""Port numbers of the embedded stack: the usual one plus 20,000, or free ones."""

from __future__ import annotations

import json
import random
import socket
from typing import TYPE_CHECKING, Final

import psutil

from contract.errors import CtrError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

HOST: Final = "127.0.0.1"

DEFAULT_PORTS: Final[Mapping[str, int]] = {
    "postgres": 25432,
    "redis": 26379,
    "kafka": 29092,
    "kafka-controller": 29093,
    "registry": 28081,
    "registry-management": 29000,
    "jobmanager": 28082,
    "jobmanager-rpc": 26123,
    "dagster-code": 24000,
    "dagster-webserver": 23000,
    "dashboard": 28501,
    "reports": 28090,
}
"""Every fixed port, by the name of the service or of what the service uses it for."""

FREE_RANGE: Final = range(20000, 32768)
"""Below the ports that Linux gives to outgoing connections, which could take one before we do."""
FREE_ATTEMPTS: Final = 1000


def load_ports(file: Path, *, free: bool) -> dict[str, int]:
    """Return this stack's ports and keep them in `file`.

    Args:
        file: holds them from the first start on.
        free: replace taken ones by free ones (and at the first start, all of them).
    """
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    ports: dict[str, int] = {}
    for name, default in DEFAULT_PORTS.items():
        number = kept.get(name) or (None if free else default)
        if number is None or (free and not is_free(number)):
            number = _pick({*kept.values(), *ports.values()})
        ports[name] = number
    file.write_text(json.dumps(ports, indent=2) + "\n", encoding="utf-8")
    return ports


def require_free(ports: Mapping[str, int], names: Iterable[str]) -> None:
    """Check that nobody listens on the ports of `names`.

    Raises:
        CtrError: one is taken; the message names the port, the service and, if visible, the process.
    """
    for name in names:
        if not is_free(ports[name]):
            raise CtrError(
                f"port {ports[name]}, which {name} needs, is taken{_holder(ports[name])}: "
                "stop that, or let `ctr up --free-ports` choose another"
            )


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        # As servers do: a connection that a former server closed is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _pick(used: set[int]) -> int:
    for _ in range(FREE_ATTEMPTS):
        port = random.choice(FREE_RANGE)  # noqa: S311 - no secret
        if port not in used and is_free(port):
            return port
    raise CtrError(f"no free port between {FREE_RANGE.start} and {FREE_RANGE.stop - 1}")


def _holder(port: int) -> str:
    """` by NAME (pid N)` of the listener, or nothing where the system does not tell."""
    try:
        for connection in psutil.net_connections("tcp"):
            listening = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
            if listening and connection.pid is not None:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return ""
