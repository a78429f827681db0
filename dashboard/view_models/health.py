"""What the health page shows: services, the job's vital signs, watchers, open alerts."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from dashboard.content.services import ask
from warehouse.errors import WarehouseUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctr_platform.settings import Settings
    from dashboard.content.board import Stores
    from dashboard.content.outages import Outage
    from dashboard.content.services import Answer
    from warehouse.quality_reads import OpenAlert, VitalSigns
    from warehouse.reads import Beat

LOOKED_BACK: Final = timedelta(hours=1)
"""Of vital signs: long enough to see a trend, short enough to see what happens now."""

OLD_AFTER_S: Final = 60
"""The job is looked at every 15 s; a look this old means that nobody looks, or that there is no job."""


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The platform's state at one moment."""

    at_s: float
    """When it was read, s since the epoch."""
    services: tuple[Answer, ...]
    signs: tuple[VitalSigns, ...] = ()
    """Of the last hour, the oldest first."""
    beats: Mapping[str, Beat] = field(default_factory=dict)
    """Last heartbeat of each watcher, by name."""
    alerts: tuple[OpenAlert, ...] = ()
    """The newest first."""
    outages: tuple[Outage, ...] = ()

    @property
    def newest(self) -> VitalSigns | None:
        """The last look at a job, if it is recent."""
        if not self.signs:
            return None
        age_s = self.at_s - self.signs[-1].observed_at.timestamp()
        return self.signs[-1] if age_s <= OLD_AFTER_S else None


def load_pipeline(settings: Settings, stores: Stores) -> Pipeline:
    """Ask every service, and read what the watchers have written down."""
    at_s = time.time()
    services = tuple(ask(settings, stores))
    try:
        signs = tuple(stores.quality.vital_signs(datetime.fromtimestamp(at_s, tz=UTC) - LOOKED_BACK))
        beats = stores.warehouse.heartbeats()
        alerts = tuple(stores.quality.open_alerts())
        stores.outages.back("Postgres")
    except WarehouseUnavailable as error:
        return Pipeline(at_s=at_s, services=services, outages=(stores.outages.away("Postgres", error),))
    return Pipeline(at_s=at_s, services=services, signs=signs, beats=beats, alerts=alerts)
