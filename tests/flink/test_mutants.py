"""The lists of planted bugs fit the sources that they change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from ctr_platform.artifacts.java import ingest_sources
from tests.drills.job_mutants import FAULTS
from tests.flink.planted_bugs import PLANTED

if TYPE_CHECKING:
    from tests.support.mutants import Mutant

PROJECT: Final = Path(__file__).parents[2]


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_a_planted_bug_of_the_simulator_fits(bug: Mutant) -> None:
    assert bug.text(ingest_sources())


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_of_the_job_fits(fault: Mutant) -> None:
    assert fault.text(PROJECT)


def test_a_list_that_is_out_of_date_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / PLANTED[0].file
    file.parent.mkdir(parents=True)
    file.write_text("class Accounting {}", encoding="utf-8")
    with pytest.raises(ValueError, match="0 times, not once"):
        PLANTED[0].text(tmp_path)
