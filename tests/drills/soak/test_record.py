"""The record of a soak says what failed, and keeps the seed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.drills.soak.report import FAILING_SEEDS, Record
from tests.drills.soak.verdict import Verdict, healers

if TYPE_CHECKING:
    from pathlib import Path

GOOD = Verdict(
    fault="`kill -9` kafka",
    began="2026-01-02T03:04:05+00:00",
    healthy_s=4.2,
    current_s=20.4,
    windows=3,
    healed_by="supervisord: kafka",
)


@pytest.mark.parametrize(
    ("verdict", "passed"),
    [
        (GOOD, True),
        (replace(GOOD, inexact=1, lost=5), False),
        (replace(GOOD, windows=0), False),
        (replace(GOOD, problem="no checkpoint has completed within 240 s"), False),
    ],
)
def test_a_verdict_passes_only_where_windows_were_verified_and_exact(
    verdict: Verdict, *, passed: bool
) -> None:
    assert verdict.passed is passed


def test_healers_are_named_in_the_order_of_what_they_heal() -> None:
    named = healers(replaced=["jobmanager"], why=["missing"], restarted_by_flink=True)
    assert named == ["supervisord: jobmanager", "Flink's restart", "supervisor: missing"]
    assert healers(replaced=[], why=[], restarted_by_flink=False) == []


def test_lines_are_written_as_the_soak_goes_and_a_failing_seed_is_kept(tmp_path: Path) -> None:
    record = Record(tmp_path, 7, "All of it.")
    assert not record.passed
    record.add(GOOD)
    assert record.passed
    assert not (tmp_path / FAILING_SEEDS).exists()
    record.add(replace(GOOD, lost=5, inexact=1, alerts=("windows are inexact",)))
    assert not record.passed
    for seed in (7, 8):
        Record(tmp_path, seed, "All of it.").add(replace(GOOD, windows=0))
    assert (tmp_path / FAILING_SEEDS).read_text().split() == ["7", "8"]
    lines = (tmp_path / "soak-7.jsonl").read_text().splitlines()
    assert [json.loads(line)["passed"] for line in lines] == [True, False, False]
    page = record.page()
    assert "1 of 2 faults left every window exact and the platform healthy." in page
    assert "| `kill -9` kafka | 4 | 20 | 3 | 0 | 0 | supervisord: kafka | 0 |" in page
    assert "| **failed:** `kill -9` kafka | 4 | 20 | 3 | 5 | 0 | supervisord: kafka | 1 |" in page
    assert "- 2026-01-02T03:04:05+00:00, `kill -9` kafka: windows are inexact" in page
