"""The ingest stage's own tests: JUnit, compiled and run on the JRE of the wheel, one pytest test each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import pytest

from tests.support.java_tests import SOURCES, jar_of_tests, run

if TYPE_CHECKING:
    from collections.abc import Mapping

JUNIT_TEST: Final = re.compile(r"@Test\s+(?:public )?void (\w+)\(")


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
    launcher = ["org.junit.platform.console.ConsoleLauncher", "execute", "--disable-banner"]
    asked = [f"--scan-class-path={jar_of_tests()}", f"--reports-dir={folder}", "--details=none"]
    done = run(folder, [*launcher, *asked])
    report = folder / "TEST-junit-jupiter.xml"
    assert report.is_file(), f"the launcher did not run:\n{done.stdout}{done.stderr}"
    problems = {}
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - written by the launcher just now
        name = f"{case.get('classname', '').rpartition('.')[2]}.{case.get('name', '').removesuffix('()')}"
        problems[name] = "".join(
            each.text or each.tag for each in case if each.tag in ("failure", "error", "skipped")
        )
    return Results(problems, done.stdout + done.stderr)


@pytest.mark.parametrize("name", declared())
def test_junit(results: Results, name: str) -> None:
    assert name in results.problems, f"{name} did not run:\n{results.output}"
    if problem := results.problems[name]:
        pytest.fail(problem, pytrace=False)


def test_every_junit_test_is_reported_here(results: Results) -> None:
    assert set(results.problems) == set(declared())
