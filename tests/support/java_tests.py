"""The ingest stage's tests in Java, compiled, and a JVM that runs a program of them."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ctr_platform.artifacts.fetch import fetch
from ctr_platform.artifacts.java import build_ingest, build_jar, ingest_classpath
from ctr_platform.artifacts.wheels import java
from flink.job import ingest_settings
from tests.flink.configs import CONFIG

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCES: Final = Path(__file__).parents[2] / "flink" / "ingest" / "src" / "test" / "java"
TIMEOUT_S: Final = 300
"""The whole of them takes half a minute on two busy cores."""


def jar_of_tests() -> Path:
    """Return the jar of the tests, compiled now or by an earlier call."""
    return build_jar("ctr-ingest-tests", SOURCES, _libraries())


def run(folder: Path, program: Sequence[str], text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a main class, with its arguments, and this on its standard input.

    Args:
        folder: for the settings that the tests read.
        program: name of the class, and its arguments.
        text: what it reads.
    """
    (folder / "settings.json").write_text(ingest_settings(CONFIG), encoding="utf-8")
    classpath = ":".join(map(str, [*_libraries(), jar_of_tests()]))
    options = [
        "-XX:+UseSerialGC",
        "-Xmx384m",
        f"-Dctr.ingest.settings={folder}/settings.json",
        f"-Dctr.python.executable={sys.executable}",
        f"-Dctr.python.path={sysconfig.get_path('purelib')}",
    ]
    return subprocess.run(
        [str(java()), *options, "-cp", classpath, *program],
        input=text,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def _libraries() -> list[Path]:
    return [build_ingest(), *ingest_classpath(), *fetch(["test"])["test"]]
