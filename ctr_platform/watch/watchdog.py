"""The watchdog: a process outside Dagster that tells people when the supervisor's heartbeat stops."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from ctr_platform.alerts.problem import Problem
from ctr_platform.alerts.tell import post, tell
from ctr_platform.errors import CtrError
from ctr_platform.watch.heartbeats import beat
from warehouse.errors import WarehouseUnavailable
from warehouse.models import SUPERVISOR, WATCHDOG
from warehouse.reads import Warehouse

if TYPE_CHECKING:
    from ctr_platform.settings import Settings

LOOK_EVERY_S: Final = 10.0

GRACE_S: Final = 60.0
"""After its own start the watchdog waits this long for Dagster to start too, and to migrate the warehouse."""

LOG: Final = logging.getLogger(__name__)


def last_look(settings: Settings) -> str:
    """What a watchdog last saw, if it looked lately.

    Raises:
        CtrError: none has, or the warehouse does not answer.
    """
    warehouse = Warehouse(settings.postgres_url)
    try:
        last = warehouse.heartbeats().get(WATCHDOG)
    except WarehouseUnavailable as away:
        raise CtrError(str(away)) from None
    finally:
        warehouse.close()
    if last is None or last.age_s > settings.heartbeat_alarm:
        raise CtrError(f"no watchdog has looked for {settings.heartbeat_alarm:.0f} s")
    return last.detail


class Watchdog:
    """Looks at the supervisor's heartbeat, and tells when it stops, while that lasts, and when it is over."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._began = time.monotonic()
        self._told_without_book: float | None = None

    def run(self) -> None:
        """Look for ever."""
        while True:
            LOG.info("%s", self.look())
            time.sleep(LOOK_EVERY_S)

    def look(self) -> str:
        """Look once; returns what there is to say, in one line."""
        try:
            problem = self._supervisor()
            tell(self._settings, WATCHDOG, [problem] if problem else [])
            seen = problem.title if problem else "the supervisor's heart beats"
            beat(self._settings, WATCHDOG, seen)
        except WarehouseUnavailable as away:
            return self._without_book(str(away))
        except CtrError as error:
            return str(error)
        if self._told_without_book is not None and self._post(
            ":large_green_circle: over: *the warehouse does not answer*"
        ):
            self._told_without_book = None
        return seen

    def _supervisor(self) -> Problem | None:
        warehouse = Warehouse(self._settings.postgres_url)
        try:
            last = warehouse.heartbeats().get(SUPERVISOR)
        finally:
            warehouse.close()
        allowed_s = self._settings.heartbeat_alarm
        if last is None:
            if time.monotonic() - self._began < max(GRACE_S, allowed_s):
                return None
            return Problem(key=SUPERVISOR, title="the supervisor of the Flink job has never looked")
        if last.age_s <= allowed_s:
            return None
        return Problem(
            key=SUPERVISOR,
            title="nobody watches the Flink job",
            detail=(
                f"its supervisor last looked at {last.at:%Y-%m-%d %H:%M:%S} UTC ({last.detail}): "
                "is Dagster's daemon alive, and the sensor keep_job_running on?"
            ),
            url=self._settings.dagster_ui_url,
        )

    def _without_book(self, reason: str) -> str:
        """Nobody else can tell of this: the book of alerts, and Dagster's storage, are in that Postgres."""
        now = time.monotonic()
        told = self._told_without_book
        due = now - self._began >= GRACE_S if told is None else now - told >= self._settings.alert_repeat
        if due and self._post(f":red_circle: *the warehouse does not answer*: {reason}"):
            self._told_without_book = now
        return reason

    def _post(self, text: str) -> bool:
        """Whether it has been delivered; else it is tried again at the next look."""
        LOG.warning("%s", text)
        try:
            post(self._settings, text)
        except CtrError as error:
            LOG.warning("%s", error)
            return False
        return True
