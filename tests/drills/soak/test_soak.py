"""A short soak: two faults of a fixed seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.drills.soak.__main__ import soak

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.drill, pytest.mark.timeout(1800)]


def test_a_platform_heals_from_a_stall_and_a_kill(tmp_path: Path) -> None:
    record = soak(seconds=900, seed=1, rate=200, only=["stall", "kill"], folder=tmp_path, faults=2)
    assert record.passed, record.page()
    assert len(record.verdicts) == 2
