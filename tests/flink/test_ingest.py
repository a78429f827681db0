"""The ingest stage's own tests: JUnit, compiled and run on the JRE of the wheel, one pytest test each."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import pytest

from ctr_platform.artifacts.fetch import fetch
from ctr_platform.artifacts.java import build_ingest, build_jar, ingest_classpath
from ctr_platform.artifacts.wheels import java
from flink.job import ingest_settings
from tests.flink.configs import CONFIG

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCES: Final = Path(__file__).parents[2] / "flink" / "ingest" / "src" / "test" / "java"
JUNIT_TEST: Final = re.compile(r"@Test\s+(?:public )?void (\w+)\(")
TIMEOUT_S: Final = 300
"""They take half a minute on two busy cores."""


def declared() -> list[str]:
    """`Class.method` of every JUnit test in the sources."""
    return [
        f"{file.stem}.{method}"
        for file in sorted(SOURCES.rglob("*Test.java"))
        for method in JUNIT_TEST.findall(file.read_text(encoding="utf-8"))
    ]


@dataclass(frozen=True)
class Results:
    """Holds what the launcher reported."""

    problems: Mapping[str, str]
    """By `Class.method` of every test that ran; empty if it passed."""
    output: str


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("ingest")
    (folder / "settings.json").write_text(ingest_settings(CONFIG), encoding="utf-8")
    libraries = [build_ingest(), *ingest_classpath(), *fetch(["test"])["test"]]
    tests = build_jar("ctr-ingest-tests", SOURCES, libraries)
    classpath = ":".join(map(str, [*libraries, tests]))
    options = ["-XX:+UseSerialGC", "-Xmx384m", f"-Dctr.ingest.settings={folder}/settings.json"]
    options += [
        f"-Dctr.python.executable={sys.executable}",
        f"-Dctr.python.path={sysconfig.get_path('purelib')}",
    ]
    launcher = ["-cp", classpath, "org.junit.platform.console.ConsoleLauncher", "execute", "--disable-banner"]
    asked = [f"--scan-class-path={tests}", f"--reports-dir={folder}", "--details=none"]
    run = subprocess.run(
        [str(java()), *options, *launcher, *asked],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    report = folder / "TEST-junit-jupiter.xml"
    assert report.is_file(), f"the launcher did not run:\n{run.stdout}{run.stderr}"
    problems = {}
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - written by the launcher just now
        name = f"{case.get('classname', '').rpartition('.')[2]}.{case.get('name', '').removesuffix('()')}"
        problems[name] = "".join(
            each.text or each.tag for each in case if each.tag in ("failure", "error", "skipped")
        )
    return Results(problems, run.stdout + run.stderr)


@pytest.mark.parametrize("name", declared())
def test_junit(results: Results, name: str) -> None:
    assert name in results.problems, f"{name} did not run:\n{results.output}"
    if problem := results.problems[name]:
        pytest.fail(problem, pytrace=False)


def test_every_junit_test_is_reported_here(results: Results) -> None:
    assert set(results.problems) == set(declared())
