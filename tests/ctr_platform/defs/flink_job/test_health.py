"""What is to be thought of a job's metrics; `bring_up/test_cold_start` reads those of a real one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.settings import Settings
from ctr_platform.defs.flink_job.health import (
    CHECKPOINTS,
    FEW_RECORDS,
    GIVEN_UP_SHOWN_S,
    HEALTH_CHECKS,
    HEAP,
    KEEPS_UP,
    MIN_SAMPLES,
    REDIS,
    REFUSED,
    SMALL_STATE_BYTES,
    STATE,
    UNHINDERED,
    HealthCheck,
    JobMetrics,
    documents_given_up,
    evaluate_health,
)

SETTINGS = Settings(flink_checkpoint_interval=10)
COUNTED = {"counted": 10_000, "late": 0, "malformed": 0, "unknown_schema": 0, "invalid": 0}
WELL = JobMetrics(
    at_s=1_000.0,
    job_id="a",
    checkpoint_age_s=5.0,
    checkpoint_duration_ms=80,
    checkpoint_bytes=1 << 20,
    checkpoints_completed=9,
    checkpoints_failed=0,
    checkpoint_failure=None,
    alignment_ms=1.0,
    records_waiting=0,
    watermark_ms=989_500,
    watermark_lag_s=10.5,
    outcomes=COUNTED,
    busy_percent=20.0,
    backpressured_percent=0.0,
    heap_percent=50.0,
    redis_refuses=False,
    documents_skipped=0,
    documents_given_up=0,
)
UNMEASURED = replace(
    WELL,
    checkpoint_duration_ms=None,
    checkpoint_bytes=None,
    alignment_ms=None,
    records_waiting=None,
    watermark_lag_s=None,
    outcomes=None,
    busy_percent=None,
    backpressured_percent=None,
    heap_percent=None,
    redis_refuses=None,
    documents_skipped=None,
    documents_given_up=None,
)


def _bad(
    now: JobMetrics, before: JobMetrics | None = None, sizes: list[int] | None = None
) -> dict[str, HealthCheck]:
    health_checks = evaluate_health(SETTINGS, now, before, sizes or [])
    assert [health_check.name for health_check in health_checks] == list(HEALTH_CHECKS)
    return {health_check.name: health_check for health_check in health_checks if not health_check.good}


def test_a_healthy_job_and_one_without_metrics_are_well() -> None:
    assert _bad(WELL) == {}
    assert _bad(UNMEASURED) == {}


@pytest.mark.parametrize(
    ("now", "name"),
    [
        (replace(WELL, checkpoint_age_s=30.1), CHECKPOINTS),
        (replace(WELL, records_waiting=1_000_001), KEEPS_UP),
        (replace(WELL, records_waiting=1, watermark_lag_s=60.1), KEEPS_UP),
        (replace(WELL, backpressured_percent=80.1), UNHINDERED),
        (replace(WELL, heap_percent=95.1), HEAP),
        (replace(WELL, redis_refuses=True), REDIS),
        (replace(WELL, outcomes={**COUNTED, "late": 600}), REFUSED),
        (replace(WELL, outcomes={**COUNTED, "malformed": 300, "invalid": 300}), REFUSED),
    ],
)
def test_what_is_beyond_its_threshold_is_a_sign_of_its_own(now: JobMetrics, name: str) -> None:
    assert list(_bad(now)) == [name]


def test_a_silent_topic_may_have_an_old_watermark() -> None:
    assert _bad(replace(WELL, records_waiting=0, watermark_lag_s=9_000.0)) == {}


def test_a_checkpoint_that_fails_tells_before_its_age_does() -> None:
    failed = replace(WELL, checkpoints_failed=1, checkpoint_failure="No space left on device")
    assert "No space left" in _bad(failed, WELL)[CHECKPOINTS].message
    assert _bad(replace(failed, checkpoints_completed=10), WELL) == {}
    assert _bad(failed, failed) == {}  # it failed before the last look
    assert _bad(failed, replace(WELL, job_id="b")) == {}


def test_state_that_grows_is_told_once_it_is_large_and_what_is_usual_is_known() -> None:
    usual = [SMALL_STATE_BYTES] * MIN_SAMPLES
    assert STATE in _bad(replace(WELL, checkpoint_bytes=3 * SMALL_STATE_BYTES + 1), sizes=usual)
    assert _bad(replace(WELL, checkpoint_bytes=3 * SMALL_STATE_BYTES), sizes=usual) == {}
    assert _bad(replace(WELL, checkpoint_bytes=1 << 40), sizes=usual[1:]) == {}
    assert _bad(replace(WELL, checkpoint_bytes=SMALL_STATE_BYTES), sizes=[1] * MIN_SAMPLES) == {}


def test_refused_records_are_counted_from_the_last_look_on() -> None:
    now = replace(WELL, outcomes={**COUNTED, "counted": 10_900, "late": 100})
    assert _bad(now, WELL)[REFUSED].figures["late_percent"] == 10.0
    assert _bad(now, replace(WELL, job_id="b")) == {}  # 100 of 11,000
    began_anew = replace(WELL, outcomes={**COUNTED, "counted": 900, "late": 100})
    assert _bad(began_anew, WELL)[REFUSED].figures["records"] == 1_000


@given(st.dictionaries(st.sampled_from(sorted(COUNTED)), st.integers(0, FEW_RECORDS // 5 - 1)))
def test_of_few_records_no_share_is_told(came: dict[str, int]) -> None:
    outcomes = {outcome: count + came.get(outcome, 0) for outcome, count in COUNTED.items()}
    assert _bad(replace(WELL, outcomes=outcomes), WELL) == {}


def test_a_redis_that_refuses_is_a_warning_and_documents_given_up_are_an_error_for_a_while() -> None:
    assert not _bad(replace(WELL, redis_refuses=True))[REDIS].error
    [lost] = [
        check
        for check in evaluate_health(SETTINGS, WELL, given_up_at_s=WELL.at_s - GIVEN_UP_SHOWN_S + 1)
        if not check.good
    ]
    assert (lost.name, lost.error) == (REDIS, True)
    over = evaluate_health(SETTINGS, WELL, given_up_at_s=WELL.at_s - GIVEN_UP_SHOWN_S)
    assert all(check.good for check in over)


def test_documents_given_up_are_counted_from_the_last_look_on() -> None:
    now = replace(WELL, documents_given_up=5)
    assert documents_given_up(now, replace(WELL, documents_given_up=3)) == 2
    assert documents_given_up(now, now) == 0
    assert documents_given_up(now, replace(WELL, documents_given_up=9)) == 5  # Flink restarted the job
    assert documents_given_up(now, replace(WELL, documents_given_up=5, job_id="b")) == 5
    assert documents_given_up(UNMEASURED, now) == 0
