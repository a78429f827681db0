"""The watchdog: a process outside Dagster that notifies people when a heartbeat stops."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from contract.errors import CtrError, WarehouseUnavailable
from ctr_platform.defs.alerts.alert import Alert
from ctr_platform.defs.alerts.heartbeats import last_heartbeat, record_heartbeat
from ctr_platform.defs.alerts.message import links, statement
from ctr_platform.defs.alerts.notify import notify, post
from warehouse.models.operation import FOLLOWER, SUPERVISOR, WATCHDOG
from warehouse.reads import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contract.settings import Settings
    from warehouse.reads import HeartbeatStatus, RecountPosition

LOOK_EVERY_S: Final = 10.0

GRACE_S: Final = 60.0
"""After its own start the watchdog waits this long for Dagster to start too, and to migrate the warehouse."""

FIRST_PASS_WITHIN_S: Final = 300.0
"""The follower's first pass needs the tables and the job's first checkpoint: what a cold start may take."""

STANDS_AFTER_S: Final = 300.0
"""A pass a minute reads what is new in seconds, and a batch of a backlog takes no longer."""

STANDS_AFTER_INTERVALS: Final = 3
"""Where passes are made more rarely, so many of them may go by."""

WAREHOUSE_AWAY: Final = Alert(
    key="warehouse", title="the warehouse does not answer", runbook="alert_warehouse_away"
)

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

    runbook: tuple[str, str]
    """Sections of the runbook for the one and for the other."""

    grace_s: float
    """Time to begin, from the watchdog's own start."""


WATCHED: Final = (
    Watched(
        name=SUPERVISOR,
        never="the supervisor of the Flink job has never looked",
        stopped="nobody watches the Flink job",
        hint="is Dagster's daemon alive, and the sensor keep_job_running on?",
        runbook=("alert_supervisor_never_looked", "alert_nobody_watches"),
        grace_s=GRACE_S,
    ),
    Watched(
        name=FOLLOWER,
        never="no follower has ever verified the windows",
        stopped="nobody verifies the windows",
        hint="is the service follower (ctr follow) up, and what it reads?",
        runbook=("alert_follower_never_verified", "alert_nobody_verifies"),
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


@dataclass(frozen=True, kw_only=True)
class _Progress:
    """How far the follower was when it last moved, or had nothing to read."""

    offsets: int
    since: float
    """By the clock of `time.monotonic`."""


class Watchdog:
    """Looks at the heartbeats, and notifies when one stops, while that lasts, and when it is over."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._began = time.monotonic()
        self._notified_without_store: float | None = None
        self._progress: _Progress | None = None

    def run(self) -> None:
        """Look for ever."""
        while True:
            LOG.info("%s", self.look())
            time.sleep(LOOK_EVERY_S)

    def look(self) -> str:
        """Look once; returns what there is to say, in one line."""
        try:
            alerts = self._alerts()
            notify(self._settings, WATCHDOG, alerts)
            names = " and ".join(f"the {each.name}'s" for each in WATCHED)
            seen = "; ".join(each.title for each in alerts) or f"{names} heart beats"
            record_heartbeat(self._settings, WATCHDOG, seen)
        except WarehouseUnavailable as unavailable:
            return self._without_store(str(unavailable))
        except CtrError as error:
            return str(error)
        over = f":large_green_circle: over: {statement(WAREHOUSE_AWAY.title, '')}"
        if self._notified_without_store is not None and self._post(over):
            self._notified_without_store = None
        return seen

    def _alerts(self) -> list[Alert]:
        warehouse = Warehouse(self._settings.postgres_url)
        try:
            heartbeats = warehouse.heartbeats()
            position = warehouse.recount_position(self._settings.raw_topic)
        finally:
            warehouse.close()
        return [*self._stopped(heartbeats), *self._standing(heartbeats, position)]

    def _stopped(self, heartbeats: Mapping[str, HeartbeatStatus]) -> Iterator[Alert]:
        """Find whose heart does not beat."""
        allowed_s = self._settings.heartbeat_alarm
        for each in WATCHED:
            last = heartbeats.get(each.name)
            never, stopped = each.runbook
            if last is None:
                if time.monotonic() - self._began >= max(each.grace_s, allowed_s):
                    yield Alert(key=each.name, title=each.never, detail=each.hint, runbook=never)
            elif last.age_s > allowed_s:
                yield Alert(
                    key=each.name,
                    title=each.stopped,
                    detail=f"the {each.name} last looked at {last.at:%Y-%m-%d %H:%M:%S} UTC "
                    f"({last.detail}): {each.hint}",
                    url=self._settings.dagster_ui_url,
                    runbook=stopped,
                    since=last.at,
                )

    def _standing(
        self, heartbeats: Mapping[str, HeartbeatStatus], position: RecountPosition
    ) -> Iterator[Alert]:
        """Find a follower whose heart beats, but who does not follow the ledger."""
        now = time.monotonic()
        before = self._progress
        if before is None or not position.behind or position.offsets != before.offsets:
            self._progress = _Progress(offsets=position.offsets, since=now)
            return
        last = heartbeats.get(FOLLOWER)
        stood_s = now - before.since
        allowed_s = max(STANDS_AFTER_S, STANDS_AFTER_INTERVALS * self._settings.recount_interval)
        if stood_s > allowed_s and last is not None and last.age_s <= self._settings.heartbeat_alarm:
            yield Alert(
                key="follower_progress",
                title="the follower makes no progress",
                detail=f"it stands at {position.offsets} records, and the ledger goes on; it says: "
                f"{last.detail}",
                url=self._settings.dagster_ui_url,
                runbook="alert_follower_stands",
                since=datetime.now(tz=UTC) - timedelta(seconds=stood_s),
            )

    def _without_store(self, reason: str) -> str:
        """Nobody else can notify of this: the alert store, and Dagster's storage, are in that Postgres."""
        now = time.monotonic()
        notified = self._notified_without_store
        due = (
            now - self._began >= GRACE_S
            if notified is None
            else now - notified >= self._settings.alert_repeat
        )
        line = " ".join(
            [
                f":red_circle: {statement(WAREHOUSE_AWAY.title, reason)}",
                *links(self._settings, WAREHOUSE_AWAY),
            ]
        )
        if due and self._post(line):
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
