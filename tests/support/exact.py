"""What the contract promises of windows, against an independent count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.pipeline import closed

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline


def check_exact(job: Pipeline, until_ms: int) -> None:
    """Everything that the contract promises of windows that end by `until_ms` (from the day's start)."""
    expected = job.expected()
    until = job.base_ms + until_ms
    wanted = {minutes: closed(expected.windows(minutes), until, minutes) for minutes in (1, 5)}
    assert wanted[1]
    assert wanted[5]
    job.eventually(lambda: all(closed(job.rows(m), until, m) == wanted[m] for m in wanted), "the windows")
    refused = {**expected.dead, **dict.fromkeys(expected.late, "late")}
    job.eventually(lambda: len(job.dead_letters()) >= len(refused), "the dead-letter messages")
    assert job.dead_letters() == refused
    job.eventually(lambda: job.read() == expected.records, "the ledger")
    assert job.ledger() == {
        "records_read": expected.records,
        "counted": sum(expected.counted.values()),
        "late": len(expected.late),
        **{
            reason: sum(each == reason for each in expected.dead.values())
            for reason in ("malformed", "unknown_schema", "invalid")
        },
    }
    assert set(job.dropped_late().values()) == {0}
