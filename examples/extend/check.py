"""A check of an asset: the traffic has some clicks."""

from typing import Final

import dagster as dg

from ctr_platform.defs.catalog import COUNTS_1MIN
from ctr_platform.resources import Platform
from warehouse.reads import Warehouse

WINDOWS: Final = 30
"""Half an hour without any click is no chance at a CTR of some percent."""


@dg.asset_check(
    asset=COUNTS_1MIN,
    description=f"The newest {WINDOWS} windows have a click among them: else a producer sends none.",
)
def some_clicks(platform: Platform) -> dg.AssetCheckResult:
    """Warn rather than fail: the platform counts what it is sent."""
    warehouse = Warehouse(platform.settings().postgres_url)
    try:
        windows = warehouse.latest_windows("1min", WINDOWS)
    finally:
        warehouse.close()
    clicks = sum(window.clicks for window in windows)
    return dg.AssetCheckResult(
        passed=clicks > 0 or len(windows) < WINDOWS,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"windows": len(windows), "clicks": clicks},
    )
