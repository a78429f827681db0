"""Java and Python sum up a window alike: the job's documents and those of revised windows agree."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from flink.documents import MAX_ENTRIES, Summary, add_segments, document, summarize, to_json
from tests.support.java_tests import run
from tests.support.tables import DIMENSIONS

if TYPE_CHECKING:
    from pathlib import Path

    from flink.documents import Counts

CHARACTERS = 'ab"\\ é뉴\U0001f600\uffee\x01'
"""Quotes and controls, and both sides of where UTF-16's order is not that of the code points."""


@pytest.mark.parametrize("further", [0, 2])
@pytest.mark.parametrize("segments", [1, 40, 3 * MAX_ENTRIES])
def test_they_agree(tmp_path: Path, segments: int, further: int) -> None:
    """Of windows of so many segments and further measures."""
    chosen = random.Random(segments)
    categories = ["".join(chosen.choices(CHARACTERS, k=chosen.randint(1, 9))) for _ in range(segments)]
    rows: list[list[Any]] = [
        [
            *(chosen.choice(categories), chosen.randint(-3, 3)),
            *(chosen.randint(1, 4), chosen.randint(0, 1)),
            *(chosen.randint(-(10**12), 10**12) for _ in range(further)),
        ]
        for _ in range(3 * segments)
    ]
    counts: Counts = {}
    add_segments(counts, rows, len(DIMENSIONS))
    text = "".join(
        f"{base64.b64encode(category.encode()).decode()} {' '.join(map(str, numbers))}\n"
        for category, *numbers in rows
    )
    java = run(tmp_path, ["ctr.ingest.Summarize"], text)
    assert java.returncode == 0, java.stderr
    assert json.loads(java.stdout) == asdict(summarize(counts, len(DIMENSIONS)))


def test_a_document_of_a_summary_is_that_of_its_counts() -> None:
    counts: Counts = {("news", 1): [3, 1], ("news", 0): [2, 2]}
    summary = Summary(**json.loads(json.dumps(asdict(summarize(counts, 2)))))
    built = document("1min", 0, summary, DIMENSIONS, final=True, written_ms=7)
    assert built["category_ctr"] == {"news": 60.0}
    assert built["device_ctr"] == {"0": 100.0, "1": 33.33}
    assert built["segments"] == [["news", 1, 3, 1], ["news", 0, 2, 2]]
    assert json.loads(to_json(built)) == built


@pytest.mark.parametrize("earlier", [1, 2 * MAX_ENTRIES])
def test_counts_of_an_earlier_release_are_added(earlier: int) -> None:
    """The windows that were open when a savepoint of version 0.1 was taken."""
    before: Counts = {(f"c{number}", 1): [2, 1] for number in range(earlier)}
    since: Counts = {("c0", 1): [5, 0], ("new", 0): [1, 1]}
    both: Counts = {}
    add_segments(both, [[*segment, *sums] for part in (before, since) for segment, sums in part.items()], 2)
    assert summarize(since, 2).plus(before, 2) == summarize(both, 2)
