"""The simulator of the time logic finds bugs that are planted in it; `SimulationTest` runs it without any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flink.planted_bugs import PLANTED, seeds_until_found

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mutants import Mutant

SOON = [
    bug for bug in PLANTED if bug.name in {"restored by maximum", "a row of the ledger goes on in the next"}
]


@pytest.mark.parametrize("bug", SOON, ids=lambda bug: bug.name)
def test_the_simulator_finds_a_planted_bug(bug: Mutant, tmp_path: Path) -> None:
    assert seeds_until_found(bug, tmp_path, most=1_000) is not None
