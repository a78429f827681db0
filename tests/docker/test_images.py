"""The Dockerfile by its linter, and the locks that the images are made from."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.support.containers import DOCKER
from tests.support.pipeline import PROJECT

LOCKS = PROJECT / "requirements"


def _locked(name: str) -> dict[str, str]:
    """What a lock says of each package: version, conditions and hashes."""
    text = (LOCKS / f"{name}.txt").read_text(encoding="utf-8")
    blocks = re.findall(r"^(\S+?)(?:\[.*?\])?(==(?:.*\\\n)*.*)$", text, re.MULTILINE)
    assert len(blocks) == len(re.findall(r"^\S", text, re.MULTILINE))
    return dict(blocks)


def _wanted() -> set[str]:
    """Names of the packages that the project itself asks for."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {re.split(r"[^\w-]", each, maxsplit=1)[0] for each in project["dependencies"]}


def test_the_linter_has_nothing_to_say() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [linter, "--no-color", DOCKER / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_images_packages_are_those_that_the_tests_run_with() -> None:
    tested = _locked("dev")
    for lock in ("platform", "taskmanager", "build"):
        chosen = _locked(lock)
        assert chosen
        assert chosen.items() <= tested.items()
        assert all("--hash=sha256:" in each for each in chosen.values())
    assert {each.lower() for each in _wanted()} <= {each.lower() for each in _locked("platform")}
    # The platform plans the job that a TaskManager runs.
    assert _locked("taskmanager").items() <= _locked("platform").items()


def test_a_taskmanager_has_every_package_that_the_job_imports() -> None:
    distributions = packages_distributions()
    locked = {name.lower() for name in _locked("taskmanager")}
    imported = (
        {
            match[1]
            for file in (PROJECT / "flink").glob("*.py")
            for match in re.finditer(
                r"^(?:from|import) (\w+)", file.read_text(encoding="utf-8"), re.MULTILINE
            )
        }
        - sys.stdlib_module_names
        - {"flink"}
    )
    assert "pyflink" in imported
    assert all(any(each.lower() in locked for each in distributions[name]) for name in imported)
