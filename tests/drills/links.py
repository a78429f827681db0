"""Slow and cut links: Toxiproxy between the platform and its services.

Toxiproxy is one Go binary. It is taken from `PATH`, or built once into the cache by the Go client; where
there is neither, links stay whole.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from ctr_platform.artifacts.fetch import cache_home
from ctr_platform.devstack.environment import stack_environment
from ctr_platform.devstack.ports import HOST, load_ports
from ctr_platform.devstack.probes import http_ok, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ctr_platform.devstack.paths import StackPaths

VERSION: Final = "v2.5.0"
MODULE: Final = "github.com/Shopify/toxiproxy/v2/cmd/server"
BUILT_WITHIN_S: Final = 600
STARTED_WITHIN_S: Final = 30

_VARIABLES: Final = {
    "kafka": ("kafka", "KAFKA_BOOTSTRAP_SERVERS"),
    "postgres": ("postgres", "POSTGRES_PORT"),
    "redis": ("redis", "REDIS_PORT"),
    "registry": ("registry", "SCHEMA_REGISTRY_URL"),
    "flink": ("jobmanager", "FLINK_REST_URL"),
}
"""Link -> the service's port, and the variable by which the platform finds it."""
LINKS: Final = tuple(_VARIABLES)


def toxiproxy_server() -> Path | str | None:
    """The program, built if need be; None: there is none here, and no Go client to build it."""
    if found := shutil.which("toxiproxy-server"):
        return found
    folder = cache_home() / f"toxiproxy-{VERSION}"
    program = folder / "server"
    if not program.exists() and (go := shutil.which("go")):
        folder.mkdir(parents=True, exist_ok=True)
        command = ["env", f"GOBIN={folder}", go, "install", f"{MODULE}@{VERSION}"]
        subprocess.run(command, capture_output=True, check=False, timeout=BUILT_WITHIN_S)
    return program if program.exists() else None


@dataclass(frozen=True)
class Links:
    """The links, whole until told otherwise."""

    api: str
    variables: Mapping[str, str]
    """What leads the platform through the proxies."""

    def slow(self, link: str, latency_ms: int) -> None:
        """Let every answer take so much longer."""
        self._toxic(
            link, {"type": "latency", "attributes": {"latency": latency_ms, "jitter": latency_ms // 4}}
        )

    def hush(self, link: str) -> None:
        """Let nothing through in either direction, and keep connections open."""
        for stream in ("upstream", "downstream"):
            toxic = {"name": stream, "stream": stream, "type": "timeout", "attributes": {"timeout": 0}}
            self._toxic(link, toxic)

    def cut(self, link: str) -> None:
        """End all connections and refuse new ones."""
        httpx.post(f"{self.api}/proxies/{link}", json={"enabled": False}).raise_for_status()

    def mend(self) -> None:
        """Make all links whole."""
        httpx.post(f"{self.api}/reset").raise_for_status()

    def _toxic(self, link: str, toxic: Mapping[str, Any]) -> None:
        httpx.post(f"{self.api}/proxies/{link}/toxics", json=toxic).raise_for_status()


@contextmanager
def proxied(paths: StackPaths) -> Iterator[Links | None]:
    """Proxies before the services of a stack that is not started yet; None where there is no Toxiproxy."""
    program = toxiproxy_server()
    if program is None:
        yield None
        return
    ports = load_ports(paths.ports_file, free=True)
    own = stack_environment(paths, ports, paths.password())
    with _server(program, paths) as api:
        variables = {}
        for link, (service, variable) in _VARIABLES.items():
            upstream = f"{HOST}:{ports[service]}"
            # Port 0: the proxy chooses one, and says which.
            proxy = {"name": link, "listen": f"{HOST}:0", "upstream": upstream, "enabled": True}
            made = httpx.post(f"{api}/proxies", json=proxy).raise_for_status().json()
            port = made["listen"].rpartition(":")[2]
            variables[variable] = own[variable].replace(str(ports[service]), port)
        yield Links(api, variables)


@contextmanager
def _server(program: Path | str, paths: StackPaths) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    log = paths.home / "toxiproxy.log"
    with log.open("wb") as out:
        server = subprocess.Popen([str(program), "-host", HOST, "-port", str(port)], stdout=out, stderr=out)
        try:
            api = f"http://{HOST}:{port}"
            wait_until(lambda: http_ok(f"{api}/version"), STARTED_WITHIN_S, "Toxiproxy")
            yield api
        finally:
            server.kill()
            server.wait()
