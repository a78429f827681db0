"""Windows that stop closing are an error, and nothing else is; tests/integration has a real job's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from contract.settings import Settings
from ctr_platform.defs.flink_job.windows_close import (
    WINDOWS_CLOSE,
    WatermarkStand,
    watermark_stand,
    windows_close,
)
from tests.ctr_platform.defs.flink_job.test_health import WELL

if TYPE_CHECKING:
    from ctr_platform.defs.flink_job.health import JobMetrics

SETTINGS = Settings()


def _windows_close(samples: list[JobMetrics]) -> list[bool]:
    """What the check says at each sample of a job."""
    stand: WatermarkStand | None = None
    said = []
    for sample in samples:
        stand = watermark_stand(sample, stand)
        check = windows_close(SETTINGS, sample, stand)
        assert (check.name, check.error) == (WINDOWS_CLOSE, not check.good)
        said.append(check.good)
    return said


def _sample(at_s: float, counted: int | None, watermark_ms: int | None, job_id: str = "a") -> JobMetrics:
    outcomes = None if counted is None else {**(WELL.outcomes or {}), "counted": counted}
    return replace(WELL, at_s=at_s, outcomes=outcomes, watermark_ms=watermark_ms, job_id=job_id)


def test_windows_that_do_not_close_although_records_are_counted_are_an_error() -> None:
    stands = [_sample(60.0 * minute, 100 * minute, 5_000) for minute in range(9)]
    assert _windows_close(stands) == [True] * 8 + [False]
    moves = _sample(540.0, 900, 6_000)
    assert _windows_close([*stands, moves])[-1] is True
    never = [_sample(60.0 * minute, 100 * minute, None) for minute in range(9)]
    assert _windows_close(never)[-1] is False


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param([_sample(60.0 * m, 100, 5_000) for m in range(30)], id="no traffic"),
        pytest.param([_sample(60.0 * m, 100 * m, 5_000 + m) for m in range(30)], id="it moves slowly"),
        pytest.param(
            [_sample(60.0 * m, 100 if m < 25 else 200, 5_000 if m < 24 else 65_000) for m in range(30)],
            id="traffic after a lull, whose watermark moved with it",
        ),
        pytest.param(
            [*(_sample(60.0 * m, 100, None) for m in range(20)), _sample(1_200.0, 200, 5_000)],
            id="traffic has just begun",
        ),
        pytest.param(
            [_sample(60.0 * m, 100 * (m % 7), 5_000) for m in range(30)], id="it is restored again and again"
        ),
        pytest.param(
            [_sample(60.0 * m, 100 * m, 5_000, job_id=str(m // 7)) for m in range(30)], id="other jobs"
        ),
        pytest.param(
            [_sample(60.0 * m, None if m % 2 else 100, 5_000) for m in range(30)], id="metrics are missing"
        ),
    ],
)
def test_windows_that_have_no_reason_to_close_are_none(samples: list[JobMetrics]) -> None:
    assert all(_windows_close(samples))


def test_a_straggler_may_hold_the_watermark_for_its_time() -> None:
    assert SETTINGS.windows_close_alarm > SETTINGS.straggler_after + SETTINGS.partition_idle
