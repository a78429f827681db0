"""When a job stands still. The other problems are shown on a real job in `bring_up/test_supervisor`."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ctr_platform.defs.flink_job.liveness import JobProgress, progress_of
from ctr_platform.defs.flink_job.metrics import Intake

READS = Intake(records_read=100, outcomes={"counted": 100}, records_waiting=7, watermark_ms=5_000)
SEEN = JobProgress(job_id="a", records_read=100, watermark_ms=5_000, since_s=10.0)


def test_a_job_stands_since_it_last_read_while_records_wait() -> None:
    assert progress_of("a", READS, None, 10.0) == SEEN
    assert progress_of("a", READS, SEEN, 99.0) == SEEN


def test_a_job_with_nothing_to_read_does_not_stand() -> None:
    assert progress_of("a", replace(READS, records_waiting=0), SEEN, 99.0) == replace(SEEN, since_s=99.0)


def test_dead_records_alone_are_progress_although_the_watermark_stands() -> None:
    refused = replace(READS, records_read=101)
    assert progress_of("a", refused, SEEN, 99.0) == replace(SEEN, records_read=101, since_s=99.0)


def test_another_job_begins_anew_and_one_without_metrics_is_not_judged() -> None:
    assert progress_of("b", READS, SEEN, 99.0) == replace(SEEN, job_id="b", since_s=99.0)
    assert progress_of("a", None, SEEN, 99.0) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1))
def test_it_stands_exactly_as_long_as_looks_show_no_move_and_a_backlog(looks: list[tuple[int, int]]) -> None:
    """`looks` holds records read and records waiting, by sample."""
    progress: JobProgress | None = None
    stands_since = 0
    for second, (read, waiting) in enumerate(looks):
        moved = second == 0 or read != looks[second - 1][0] or waiting == 0
        if moved:
            stands_since = second
        intake = replace(READS, records_read=read, records_waiting=waiting)
        progress = progress_of("a", intake, progress, float(second))
        assert progress is not None
        assert progress.since_s == stands_since
