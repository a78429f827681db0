"""The job, deployed as Dagster does it, under traffic."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ctr_platform.defs.flink_job.deploy import start
from ctr_platform.defs.kafka.topics import ensure_topics
from ctr_platform.defs.registry.subject import ensure_subject
from tests.support.isolation import own
from tests.support.pipeline import end_all_jobs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.settings import Settings
    from tests.support.stack import RunningStack


@contextmanager
def deployed(stack: RunningStack, *, events_per_second: int, **changes: object) -> Iterator[Settings]:
    """Start the job, with checkpoints every 2 s, and traffic; both end with the test."""
    with own(stack.with_settings(**{"flink_checkpoint_interval": 2.0, **changes})) as mine:
        ensure_topics(mine.settings)
        ensure_subject(mine.settings)
        start(mine.settings, why="the tests begin")
        producing = subprocess.Popen(
            [sys.executable, "-m", "ctr_platform", "produce", "--rate", str(events_per_second)],
            env=mine.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield mine.settings
            assert producing.poll() is None
        finally:
            producing.kill()
            producing.wait()
            end_all_jobs(mine.settings)
