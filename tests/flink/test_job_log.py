"""The lines that the job's Python logs have the form of the ingest stage's."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from flink.job_log import TaskManagerHandler, attach, line, log_to_taskmanager

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """The job's, as it was afterwards."""
    found = logging.getLogger("flink")
    before = (list(found.handlers), found.level, found.propagate)
    yield found
    found.handlers, found.level, found.propagate = before


def test_an_event_is_a_line_of_names_and_values() -> None:
    fields = {"job": "0af3", "run": "", "redis": "127.0.0.1:6379", "message": 'no "answer"\nat all'}
    assert line("redis_unavailable", fields) == (
        'event=redis_unavailable job=0af3 run="" redis=127.0.0.1:6379 message="no \\"answer\\"\\nat all"'
    )


@pytest.mark.usefixtures("logger")
def test_a_later_job_of_the_process_logs_as_itself_alone() -> None:
    lines: list[tuple[bool, str]] = []
    for job in ("1", "2"):
        attach(TaskManagerHandler(lambda *told: lines.append(told), {"job": job, "run": "2f1c"}))
    log = logging.getLogger("flink.document_store")
    log.info("to %s", "Redis", extra={"event": "started"})
    log.warning("Redis is away")
    assert lines == [
        (False, 'event=started job=2 run=2f1c message="to Redis"'),
        (True, 'event=test_job_log job=2 run=2f1c message="Redis is away"'),
    ]


def test_outside_of_a_taskmanager_nothing_changes(logger: logging.Logger) -> None:
    before = list(logger.handlers)
    log_to_taskmanager("2f1c")
    assert logger.handlers == before
