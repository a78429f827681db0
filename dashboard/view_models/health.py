"""What the health page shows: services, the job's metrics, watchers, open alerts."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from contract.errors import WarehouseUnavailable
from dashboard.view_models.services import ask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contract.settings import Settings
    from dashboard.view_models.live import Stores
    from dashboard.view_models.outages import Outage
    from dashboard.view_models.services import Answer
    from warehouse.quality_reads import JobMetricsSample, OpenAlert
    from warehouse.reads import HeartbeatStatus

LOOKED_BACK: Final = timedelta(hours=1)
"""Job metrics of so long are shown: enough for a trend, short enough for what happens now."""

OLD_AFTER_S: Final = 60
"""The job is looked at every 15 s; a look this old means that nobody looks, or that there is no job."""


@dataclass(frozen=True, kw_only=True)
class HealthData:
    """The platform's state at one moment."""

    at_s: float
    """When it was read, s since the epoch."""
    services: tuple[Answer, ...]
    health_checks: tuple[JobMetricsSample, ...] = ()
    """Samples of the last hour, the oldest first."""
    heartbeats: Mapping[str, HeartbeatStatus] = field(default_factory=dict)
    """Last heartbeat of each watcher, by name."""
    alerts: tuple[OpenAlert, ...] = ()
    """The newest first."""
    outages: tuple[Outage, ...] = ()

    @property
    def newest(self) -> JobMetricsSample | None:
        """The last look at a job, if it is recent."""
        if not self.health_checks:
            return None
        age_s = self.at_s - self.health_checks[-1].observed_at.timestamp()
        return self.health_checks[-1] if age_s <= OLD_AFTER_S else None


def load_health(settings: Settings, stores: Stores) -> HealthData:
    """Ask every service, and read what the watchers have written down."""
    at_s = time.time()
    services = tuple(ask(settings, stores))
    try:
        health_checks = tuple(stores.quality.vital_signs(datetime.fromtimestamp(at_s, tz=UTC) - LOOKED_BACK))
        heartbeats = stores.warehouse.heartbeats()
        alerts = tuple(stores.quality.open_alerts())
        stores.outages.back("Postgres")
    except WarehouseUnavailable as error:
        return HealthData(at_s=at_s, services=services, outages=(stores.outages.away("Postgres", error),))
    return HealthData(
        at_s=at_s, services=services, health_checks=health_checks, heartbeats=heartbeats, alerts=alerts
    )
