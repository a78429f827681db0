"""The watchdog: a process outside Dagster that notifies people when a heartbeat stops."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contract.errors import CtrError, WarehouseUnavailable
from ctr_platform.defs.alerts.alert import Alert
from ctr_platform.defs.alerts.heartbeats import last_heartbeat, record_heartbeat
from ctr_platform.defs.alerts.notify import notify, post
from warehouse.models import FOLLOWER, SUPERVISOR, WATCHDOG
from warehouse.reads import Warehouse

if TYPE_CHECKING:
    from contract.settings import Settings

LOOK_EVERY_S: Final = 10.0

GRACE_S: Final = 60.0
"""After its own start the watchdog waits this long for Dagster to start too, and to migrate the warehouse."""

FIRST_PASS_WITHIN_S: Final = 300.0
"""The follower's first pass needs the tables and the job's first checkpoint: what a cold start may take."""

LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A process whose heartbeat is watched."""

    name: str
    never: str
    """Title of the alert where its heart has never beaten."""

    stopped: str
    """Title of the alert where it no longer beats."""

    hint: str
    """Where to look then."""

    grace_s: float
    """Time to begin, from the watchdog's own start."""


WATCHED: Final = (
    Watched(
        name=SUPERVISOR,
        never="the supervisor of the Flink job has never looked",
        stopped="nobody watches the Flink job",
        hint="is Dagster's daemon alive, and the sensor keep_job_running on?",
        grace_s=GRACE_S,
    ),
    Watched(
        name=FOLLOWER,
        never="no follower has ever verified the windows",
        stopped="nobody verifies the windows",
        hint="is the service follower (ctr follow) up, and what it reads?",
        grace_s=FIRST_PASS_WITHIN_S,
    ),
)


def last_look(settings: Settings) -> str:
    """Return what a watchdog last saw, if it looked lately.

    Raises:
        CtrError: none has.
        WarehouseUnavailable: Postgres does not answer.
    """
    return last_heartbeat(settings, WATCHDOG, "no watchdog has looked")


class Watchdog:
    """Looks at the heartbeats, and notifies when one stops, while that lasts, and when it is over."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._began = time.monotonic()
        self._notified_without_store: float | None = None

    def run(self) -> None:
        """Look for ever."""
        while True:
            LOG.info("%s", self.look())
            time.sleep(LOOK_EVERY_S)

    def look(self) -> str:
        """Look once; returns what there is to say, in one line."""
        try:
            alerts = self._stopped()
            notify(self._settings, WATCHDOG, alerts)
            names = " and ".join(f"the {each.name}'s" for each in WATCHED)
            seen = "; ".join(each.title for each in alerts) or f"{names} heart beats"
            record_heartbeat(self._settings, WATCHDOG, seen)
        except WarehouseUnavailable as unavailable:
            return self._without_store(str(unavailable))
        except CtrError as error:
            return str(error)
        if self._notified_without_store is not None and self._post(
            ":large_green_circle: over: *the warehouse does not answer*"
        ):
            self._notified_without_store = None
        return seen

    def _stopped(self) -> list[Alert]:
        """Find whose heart does not beat."""
        warehouse = Warehouse(self._settings.postgres_url)
        try:
            heartbeats = warehouse.heartbeats()
        finally:
            warehouse.close()
        alerts = []
        allowed_s = self._settings.heartbeat_alarm
        for each in WATCHED:
            last = heartbeats.get(each.name)
            if last is None:
                if time.monotonic() - self._began >= max(each.grace_s, allowed_s):
                    alerts.append(Alert(key=each.name, title=each.never))
            elif last.age_s > allowed_s:
                seen = f"the {each.name} last looked at {last.at:%Y-%m-%d %H:%M:%S} UTC ({last.detail})"
                url = self._settings.dagster_ui_url
                alerts.append(
                    Alert(key=each.name, title=each.stopped, detail=f"{seen}: {each.hint}", url=url)
                )
        return alerts

    def _without_store(self, reason: str) -> str:
        """Nobody else can notify of this: the alert store, and Dagster's storage, are in that Postgres."""
        now = time.monotonic()
        notified = self._notified_without_store
        due = (
            now - self._began >= GRACE_S
            if notified is None
            else now - notified >= self._settings.alert_repeat
        )
        if due and self._post(f":red_circle: *the warehouse does not answer*: {reason}"):
            self._notified_without_store = now
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
