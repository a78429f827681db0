"""An alert of your own: people are notified when the traffic falls away."""

from typing import Final

import dagster as dg

from contract.settings import Settings
from ctr_platform.defs.alerts.alert import Alert
from ctr_platform.defs.alerts.notify import notify
from ctr_platform.resources import Platform
from warehouse.reads import Warehouse

SOURCE: Final = "traffic"
"""Who says so. An alert of this source is over when its next call no longer names it."""

FEWEST_IMPRESSIONS: Final = 100
"""Of a minute. Below it a producer is missing."""


def little_traffic(settings: Settings) -> list[Alert]:
    """What is wrong now; empty: nothing."""
    warehouse = Warehouse(settings.postgres_url)
    try:
        newest = warehouse.latest_windows("1min", 1)
    finally:
        warehouse.close()
    return [
        Alert(
            key="little_traffic",
            title="little traffic",
            detail=f"{window.impressions} impressions in the minute of {window.window_id}",
            url=settings.dashboard_url,
        )
        for window in newest
        if window.impressions < FEWEST_IMPRESSIONS
    ]


@dg.sensor(
    minimum_interval_seconds=60,
    description="Notifies when a minute has few impressions, while that lasts, and when it is over.",
)
def watch_traffic(platform: Platform) -> dg.SkipReason:
    """Once a minute: a window closes as often."""
    settings = platform.settings()
    alerts = little_traffic(settings)
    notify(settings, SOURCE, alerts)
    return dg.SkipReason("; ".join(alert.detail for alert in alerts) or "traffic as usual")
