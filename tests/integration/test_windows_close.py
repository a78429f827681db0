"""Windows that stop closing while records are counted are found by the sensor that samples the job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dagster as dg

from ctr_platform.defs.flink_job.metrics_sensor import observe_job
from ctr_platform.defs.flink_job.windows_close import WINDOWS_CLOSE
from ctr_platform.devstack.probes import wait_until
from ctr_platform.resources import Platform
from tests.oracle import MINUTE_MS
from tests.support.isolation import use_settings
from tests.support.pipeline import EVENTUALLY_WITHIN_S

if TYPE_CHECKING:
    import pytest

    from tests.support.pipeline import Pipeline

HELD: Final = 3
"""A partition with a record that nobody can read: its transaction is open, so it is not idle."""


def test_an_open_transaction_that_holds_the_windows_is_an_error_until_it_ends(
    job: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Flink's metrics are 10 s apart: with traffic that moves the watermark, it stands for less than this.
    job.use(windows_close_alarm=13.0)
    use_settings(monkeypatch, job.stack)
    job.submit()
    cursor: str | None = None
    said: list[tuple[bool, str]] = []
    minute = 0

    def look() -> bool:
        """Send a minute's events to the others, sample the job, and return what the check says."""
        nonlocal cursor, minute
        for partition in range(HELD):
            job.event(partition, minute * MINUTE_MS)
        minute += 1
        job.flush()
        with dg.build_sensor_context(cursor=cursor) as context:
            result = observe_job(context, platform=Platform())
        assert isinstance(result, dg.SensorResult)
        cursor = result.cursor
        said.extend(
            (bool(each.passed), each.description or "")
            for each in result.asset_events
            if isinstance(each, dg.AssetCheckEvaluation) and each.check_name == WINDOWS_CLOSE
        )
        return bool(said) and said[-1][0]

    with job.transaction() as send:
        send(HELD, job.encode(0))
        wait_until(lambda: not look() and len(said) > 1, EVENTUALLY_WITHIN_S, "the error")
        assert "no window has closed yet" in said[-1][1]
        assert job.rows(1) == {}
    wait_until(look, EVENTUALLY_WITHIN_S, "windows that close")
    assert [passed for passed, _ in said][-3:] == [True, False, True]
