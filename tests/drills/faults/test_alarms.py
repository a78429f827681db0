"""People are told when the platform cannot help itself any more."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.supervisor import MAX_RESTARTS
from tests.drills.environment import seconds_until

if TYPE_CHECKING:
    from tests.drills.environment import DrillEnvironment
    from tests.drills.report import Report

pytestmark = [pytest.mark.drill, pytest.mark.timeout(3600)]

GIVEN_UP_WITHIN_S: Final = 900
"""Five restarts, the pauses of 10 to 160 s after them, and what the machine takes."""
NO_MORE_S: Final = 60
"""Several looks of the supervisor: time for a restart that must not come."""


def test_the_supervisor_gives_up_and_says_so(platform: DrillEnvironment, report: Report) -> None:
    settings = platform.settings
    hidden = settings.release_dir.with_name("hidden")
    job = platform.job()
    assert job is not None
    began = datetime.now(tz=UTC)
    since_s = began.timestamp()
    settings.release_dir.rename(hidden)
    try:
        with FlinkCluster(settings.flink_rest_url) as cluster:
            cluster.cancel(job.id)
        notified = seconds_until(
            lambda: platform.notified("supervised of flink/ctr_windows fails"),
            GIVEN_UP_WITHIN_S,
            "alert",
            since_s,
        )
        runs = platform.runs("bring_up", since_s)
        time.sleep(NO_MORE_S)
        assert len(platform.runs("bring_up", since_s)) == len(runs)
    finally:
        hidden.rename(settings.release_dir)
    # Restarts that helped, after faults of the last half hour, count as well.
    assert 0 < len(runs) <= MAX_RESTARTS
    mended = time.time()
    assert platform.finished(platform.launch("bring_up", {})).success
    over = seconds_until(
        lambda: platform.notified("over: *supervised of flink/ctr_windows fails"), 180, "recovery", mended
    )
    report.message(
        f"Loop guard: with no code to submit, {len(runs)} restarts failed, with growing pauses; an alert "
        f"was at the webhook {notified:.0f} s after the job was cancelled, no restart followed, and "
        f"{over:.0f} s after a person had mended it and asked for the job, the message that it was over."
    )
    report.verify_deployment(
        platform.settings,
        "no restart helps: the supervisor gives up, a person mends it",
        began,
        detected_s=notified,
        running_s=None,
        restored_from=platform.restored_from(),
    )


def test_the_watchdog_notices_that_nobody_watches(platform: DrillEnvironment, report: Report) -> None:
    platform.stack.stop("dagster-daemon")
    began = time.time()
    notified = seconds_until(lambda: platform.notified("nobody watches the Flink job"), 180, "alert", began)
    platform.stack.start("dagster-daemon")
    mended = time.time()
    over = seconds_until(
        lambda: platform.notified("over: *nobody watches the Flink job"), 180, "recovery", mended
    )
    report.message(
        f"Dagster's daemon stopped for good: the watchdog's alert arrived after {notified:.0f} s, and that "
        f"it was over {over:.0f} s after the daemon ran again."
    )
