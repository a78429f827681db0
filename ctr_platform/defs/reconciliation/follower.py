"""The follower: a process beside Dagster that lets the reconciliation follow the topic, pass by pass."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from contract.errors import CtrError, WarehouseUnavailable
from ctr_platform.defs.alerts.heartbeats import last_heartbeat, record_heartbeat, record_trouble
from ctr_platform.defs.reconciliation.run import recount
from warehouse.models.operation import FOLLOWER

if TYPE_CHECKING:
    from contract.settings import Settings
    from ctr_platform.defs.reconciliation.passes import Recount

HEARTBEAT_EVERY_S: Final = 10.0
"""Often enough for `HEARTBEAT_ALARM` (60 s), also within a pass over a long backlog."""

RETRY_S: Final = 5.0
"""A pass that a service's absence has ended is tried again soon: what it had read is on record."""

LOG: Final = logging.getLogger(__name__)


def last_pass(settings: Settings) -> str:
    """Return what the follower has to say of its last pass, if its heart beats.

    Raises:
        CtrError: no follower runs.
        WarehouseUnavailable: Postgres does not answer.
    """
    return last_heartbeat(settings, FOLLOWER, "no follower has verified the windows")


class Follower:
    """Makes a pass every `RECOUNT_INTERVAL`, and a heartbeat for as long as passes succeed.

    A pass waits for its turn: an hour that a person asks for, a backfill and a verification make passes too,
    and the warehouse's lock lets in one at a time.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._beat_at: float | None = None
        self._trouble = ""

    def run(self) -> None:
        """Follow until the process is told to end: what has been committed by then stays."""
        while True:
            began = time.monotonic()
            seen = self.follow_once()
            due = began + self._settings.recount_interval
            while seen is not None and (left_s := due - time.monotonic()) > 0:
                time.sleep(min(left_s, HEARTBEAT_EVERY_S))
                seen = self._heartbeat(seen)
            if seen is None:
                time.sleep(RETRY_S)

    def follow_once(self) -> str | None:
        """Make a pass; returns what it has done, in one line, or None where a service is unavailable."""
        try:
            done = recount(self._settings, on_batch=self._still_reading)
        except CtrError as error:
            self._report_trouble(str(error))
            return None
        seen = summary(done)
        LOG.info("%s", seen)
        self._beat_at = None
        return self._heartbeat(seen)

    def _still_reading(self) -> None:
        """Let the heart beat within a pass; a store that is unavailable ends the pass by itself."""
        self._heartbeat("reads a backlog")

    def _heartbeat(self, detail: str) -> str | None:
        """Beat, if it is time to; None where Postgres is unavailable."""
        now = time.monotonic()
        if self._beat_at is not None and now - self._beat_at < HEARTBEAT_EVERY_S:
            return detail
        try:
            record_heartbeat(self._settings, FOLLOWER, detail)
        except WarehouseUnavailable as error:
            self._report_trouble(str(error))
            return None
        if self._trouble:
            LOG.warning("goes on: %s", detail)
        self._beat_at, self._trouble = now, ""
        return detail

    def _report_trouble(self, trouble: str) -> None:
        """Log what keeps it from following, once, and leave it with the last heartbeat for the watchdog."""
        if not self._trouble:
            LOG.warning("waits: %s", trouble)
        self._trouble = trouble
        try:
            record_trouble(self._settings, FOLLOWER, trouble)
        except WarehouseUnavailable:
            return  # the watchdog misses the warehouse itself


def summary(done: Recount) -> str:
    """Describe a pass in one line."""
    verified = done.verification
    accuracy = f"{verified.inexact} inexact" if verified.inexact else "all exact"
    return f"read {done.reading.records} records; verified {verified.windows} windows: {accuracy}"
