"""A million schedules of the time logic break no rule, and the simulator finds every planted bug."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import pytest

from tests.flink.planted_bugs import PLANTED, SIMULATION_S, seeds_until_found
from tests.support.java_tests import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.drill, pytest.mark.timeout(2 * SIMULATION_S)]

SCHEDULES: Final = 1_000_000
SCHEDULES_IN_HARNESS: Final = 1_000
PROCESSES: Final = 2
MOST: Final = 3_000
"""A planted bug must be found within so many schedules."""


def test_a_million_schedules_break_no_rule(tmp_path: Path) -> None:
    step = SCHEDULES // PROCESSES

    def part(number: int) -> str:
        folder = tmp_path / str(number)
        folder.mkdir()
        program = ["ctr.ingest.Simulation", str(number * step), str((number + 1) * step)]
        return run(folder, program, timeout_s=SIMULATION_S).stdout.strip()

    with ThreadPoolExecutor(PROCESSES) as threads:
        assert list(threads.map(part, range(PROCESSES))) == ["all right"] * PROCESSES


def test_a_thousand_schedules_break_no_rule_of_the_operator(tmp_path: Path) -> None:
    program = ["ctr.ingest.Simulation", "0", str(SCHEDULES_IN_HARNESS), "harness"]
    assert run(tmp_path, program, timeout_s=SIMULATION_S).stdout.strip() == "all right"


def test_every_planted_bug_is_found(tmp_path: Path) -> None:
    print("\n| planted bug | the rule that it breaks | found at schedule |\n|---|---|--:|")
    missed = []
    for number, bug in enumerate(PLANTED):
        folder = tmp_path / str(number)
        folder.mkdir()
        seeds = seeds_until_found(bug, folder, most=MOST)
        print(f"| {bug.name} | {bug.rule} | {seeds or 'not found'} |", flush=True)
        missed += [] if seeds else [bug.name]
    assert not missed
