"""Two million random events, half of them damaged: the job, the recount and Avro judge them alike."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

import pytest

from tests.flink.test_judgement import judge

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.drill, pytest.mark.timeout(7_200)]

ROUNDS: Final = 60
SCHEMAS: Final = 600
"""Of each round, which is a JVM: it ends within `TIMEOUT_S` on a busy machine."""


def test_job_recount_and_avro_judge_alike(tmp_path: Path) -> None:
    seed = random.randrange(10**9)
    events = valid = unknown = 0
    for number in range(ROUNDS):
        judgements = judge(tmp_path, seed=seed + number, schemas=SCHEMAS)
        assert not judgements.disagreements, "\n".join(judgements.disagreements[:5])
        events += judgements.events
        valid += judgements.valid
        unknown += judgements.unknown_schema
    print(f"\n{events} events, {valid} of them valid and {unknown} of unknown schema; no disagreement")
