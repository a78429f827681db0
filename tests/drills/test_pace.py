"""Arithmetic of what drills measure, and the page that they write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.drills.pace import Sample, longest_slow_s, rate
from tests.drills.page import replace_section, write_section

if TYPE_CHECKING:
    from pathlib import Path


def _samples(counts: list[int]) -> list[Sample]:
    """One a second, of so many good events more each."""
    total, samples = 0, []
    for at_s, count in enumerate(counts):
        total += count
        samples.append(Sample(float(at_s), total, None))
    return samples


def test_a_steady_pace_is_never_slow() -> None:
    samples = _samples([100] * 30)
    assert rate(samples) == 100
    assert longest_slow_s(samples, before=100) == 0
    assert longest_slow_s(_samples([90, 110] * 15), before=100) == 0


def test_a_stop_is_slow_for_as_long_as_it_lasts_and_a_long_one_counts_once() -> None:
    stopped = [100] * 10 + [0] * 12 + [1_300] + [100] * 10
    assert 10 <= longest_slow_s(_samples(stopped), before=100) <= 13
    twice = [100] * 10 + [0] * 3 + [400] + [100] * 10 + [0] * 3 + [400] + [100] * 10
    assert longest_slow_s(_samples(twice), before=100) <= 4
    assert longest_slow_s(_samples([100] * 10 + [70] * 20), before=100) >= 15


def test_a_drill_replaces_its_own_section_alone(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    write_section(file, "Faults", ["First."])
    write_section(file, "Attack list", ["Second."])
    write_section(file, "Faults", ["Third."])
    page = file.read_text()
    assert page.startswith("# Drill report\n")
    assert (
        page.index("## Faults") < page.index("Third.") < page.index("## Attack list") < page.index("Second.")
    )
    assert "First." not in page
    assert replace_section("# A\n", "B", ["c"]) == "# A\n\n## B\n\nc\n"
