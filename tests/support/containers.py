"""What the folder docker/ says, as data: without an engine, and without the client."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from tests.support.pipeline import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCKER: Final = PROJECT / "docker"
OWN: Final = sorted((DOCKER / "own").glob("*.yaml"))
"""The overrides for parts that somebody else runs."""

COMMAND_WITHIN_S: Final = 60
"""A health check has seconds; a machine under test has other work."""


@cache
def compose(file: Path = DOCKER / "compose.yaml") -> dict[str, Any]:
    """A compose file, its merges resolved and its variables as they are written; to be read only."""
    content: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return content


def services() -> dict[str, dict[str, Any]]:
    """Services of the main file, by name."""
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def platform_services() -> dict[str, dict[str, Any]]:
    """Those that run the platform's own image."""
    return {name: each for name, each in services().items() if each["image"].startswith("ctr-platform:")}


def compose_client() -> list[str]:
    """The command `docker compose`; where there is none, the test is skipped."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) is None:
            continue
        asked = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, check=False)
        if asked.returncode == 0 and asked.stdout.lstrip("v").startswith(("2.", "3.", "4.", "5.")):
            return command
    pytest.skip("needs Docker Compose 2 (no engine): `docker compose version` fails here")


def here(words: list[str], changes: Mapping[str, str], folder: Path) -> list[str]:
    """A command of a container, for this machine.

    Args:
        words: as the compose file has them.
        changes: texts to put in others' places, such as a container's address.
        folder: gets links for programs that have another name here.
    """
    folder.mkdir(exist_ok=True)
    links = {
        "ctr-health": DOCKER / "health.py",
        "python3": Path(sys.executable),
        "valkey-cli": Path(shutil.which("valkey-cli") or shutil.which("redis-cli") or ""),
    }
    for name, program in links.items():
        if program.name and not (folder / name).exists():
            (folder / name).symlink_to(program)
    result = []
    for word in words:
        changed = word
        for before, after in changes.items():
            changed = changed.replace(before, after)
        result.append(changed)
    return result


def path_with(folder: Path) -> str:
    """`PATH` for such a command."""
    return os.pathsep.join((str(folder), str(Path(sys.executable).parent), os.environ["PATH"]))


def healthy(
    service: str, changes: Mapping[str, str], folder: Path, environment: Mapping[str, str] | None = None
) -> bool:
    """Whether a service's health check, carried out here, says so."""
    kind, *words = services()[service]["healthcheck"]["test"]
    # Compose reads `$$` as one.
    words = here([word.replace("$$", "$") for word in words], changes, folder)
    command = words if kind == "CMD" else ["/bin/sh", "-c", *words]
    values = {**os.environ, **(environment or {}), "PATH": path_with(folder)}
    program = shutil.which(command[0], path=values["PATH"])
    assert program, f"no {command[0]} here"
    done = subprocess.run(
        [program, *command[1:]],
        env=values,
        timeout=COMMAND_WITHIN_S,
        check=False,
        capture_output=True,
        cwd=PROJECT,
    )
    return done.returncode == 0
