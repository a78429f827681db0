"""The ingest stage's tests in Java, compiled, and a JVM that runs a program of them."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ctr_platform.artifacts.fetch import fetch
from ctr_platform.artifacts.java import (
    build_ingest,
    build_jar,
    compile_java,
    ingest_classpath,
    ingest_sources,
)
from ctr_platform.artifacts.wheels import java
from flink.job import ingest_settings
from tests.flink.configs import CONFIG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.mutants import Mutant

SOURCES: Final = Path(__file__).parents[2] / "flink" / "ingest" / "src" / "test" / "java"
TIMEOUT_S: Final = 300
"""The whole of them takes half a minute on two busy cores."""


def jar_of_tests() -> Path:
    """Return the jar of the tests, compiled now or by an earlier call."""
    return build_jar("ctr-ingest-tests", SOURCES, _libraries())


def run(
    folder: Path,
    program: Sequence[str],
    text: str = "",
    *,
    first: Path | None = None,
    timeout_s: float = TIMEOUT_S,
    options: Sequence[str] = (),
    within: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a main class, with its arguments, and this on its standard input.

    Args:
        folder: for the settings that the tests read.
        program: name of the class, and its arguments.
        text: what it reads.
        first: classes that take the place of the stage's own.
        timeout_s: after this it is ended, with an error.
        options: more of the JVM's.
        within: a command that runs another.
    """
    (folder / "settings.json").write_text(ingest_settings(CONFIG), encoding="utf-8")
    classpath = ":".join(map(str, [*([first] if first else []), *_libraries(), jar_of_tests()]))
    known = [
        "-XX:+UseSerialGC",
        "-Xmx384m",
        f"-Dctr.ingest.settings={folder}/settings.json",
        f"-Dctr.python.executable={sys.executable}",
        f"-Dctr.python.path={sysconfig.get_path('purelib')}",
    ]
    return subprocess.run(
        [*within, str(java()), *known, *options, "-cp", classpath, *program],
        input=text,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def build_mutant(mutant: Mutant, folder: Path) -> Path:
    """Plant a bug in one class of the stage; returns a folder with that class, to be the `first` of `run`."""
    sources, classes = folder / "sources", folder / "classes"
    classes.mkdir()
    file = sources / mutant.file
    file.parent.mkdir(parents=True)
    file.write_text(mutant.text(ingest_sources()), encoding="utf-8")
    compile_java(sources, [build_ingest(), *ingest_classpath()], classes, strict=False)
    return classes


def _libraries() -> list[Path]:
    return [build_ingest(), *ingest_classpath(), *fetch(["test"])["test"]]
