"""A session cluster serves many submissions of the job: none leaves anything behind in its processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.support.restarts import WARM_CYCLES, leaks, restart, table

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline

CYCLES: Final = WARM_CYCLES + 2
"""A connection that stays shows at once; the drill has many more, and asks for classes, too."""


def test_a_stopped_job_leaves_no_connection_file_or_thread_in_the_cluster(job: Pipeline) -> None:
    history = list(restart(job, CYCLES))
    assert leaks(history) == [], table(history)
