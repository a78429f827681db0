"""Puts what the job's Python logs into the TaskManager's log, an event a line, as `ctr.ingest.JobLog` does.

Python's own `logging` knows neither the job nor, inside a TaskManager, any log: its lines go to standard
error, which the TaskManager's log is too, in the layout of its other lines. The thread knows the job's id.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

HANDLER: Final = "ctr-job"
"""Name of the handler: the next job in the same process puts its own in its place."""

JOB_ID: Final = "flink-job-id"
"""Flink's key of the job's id among what its threads know for their log lines (`MdcUtils.JOB_ID`)."""


class TaskManagerHandler(logging.Handler):
    """Hands lines to a function; a record's `event` names it, else its module does."""

    def __init__(self, write: Any, origin: Mapping[str, str]) -> None:
        """`write` takes whether it is a warning, and the line; `origin` is what every line says."""
        super().__init__()
        self.name = HANDLER
        self._write = write
        self._origin = origin

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        event = getattr(record, "event", record.module)
        text = line(event, {**self._origin, "message": record.getMessage()})
        self._write(record.levelno >= logging.WARNING, text)


def log_to_taskmanager(submitted_by: str) -> None:
    """From now on what `flink` logs is in the TaskManager's log; elsewhere, as in a test, nothing changes.

    Args:
        submitted_by: Dagster's run that has submitted the job; empty: none has.
    """
    try:
        from pemja import findClass  # noqa: PLC0415 - there only where Java has started this Python
    except ImportError:
        return
    job_id = str(findClass("org.slf4j.MDC").get(JOB_ID))

    def write(warning: bool, text: str) -> None:  # noqa: FBT001 - of the handler alone
        # Not by Java's logger: pemja takes any of its methods of a name, whichever the JVM lists first.
        at = f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S,%f}"[:-3]
        sys.stderr.write(f"{at} {'WARN' if warning else 'INFO'}  flink [{job_id}] - {text}\n")

    attach(TaskManagerHandler(write, {"job": job_id, "run": submitted_by}))


def attach(handler: logging.Handler) -> None:
    """Let what `flink` logs go to this handler, and to no earlier one of its name."""
    logger = logging.getLogger("flink")
    for earlier in [each for each in logger.handlers if each.name == handler.name]:
        logger.removeHandler(earlier)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def line(event: str, fields: Mapping[str, object]) -> str:
    """Write `event=... name=value ...`; a value that is not one word is quoted."""
    return " ".join([f"event={event}", *(f"{name}={_value(value)}" for name, value in fields.items())])


def _value(value: object) -> str:
    text = str(value)
    plain = text.isascii() and text.isprintable() and not set(text) & set(' "=')
    return text if text and plain else json.dumps(text, ensure_ascii=False)
