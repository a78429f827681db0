"""Assets that are older than their freshness policy allows.

Dagster evaluates policies without an asset check, and notifies nobody. Here the policy's own definition is
applied to the newest materialization, which Dagster's public interface gives.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ctr_platform.defs.alerts.alert import Alert

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta

    import dagster as dg

    from ctr_platform.defs.alerts.dagster_pages import DagsterPages


def stale_assets(
    instance: dg.DagsterInstance, allowed: Mapping[dg.AssetKey, timedelta], pages: DagsterPages
) -> Iterator[Alert]:
    """Alerts of assets whose newest materialization is too old; of one that has none nothing is known.

    Args:
        instance: Dagster's.
        allowed: asset -> the age at which its policy fails.
        pages: where people look.
    """
    for key, age in allowed.items():
        newest = instance.get_latest_materialization_event(key)
        if newest is None or time.time() - newest.timestamp < age.total_seconds():
            continue
        moved = datetime.fromtimestamp(newest.timestamp, tz=UTC)
        yield Alert(
            key=f"freshness:{key.to_user_string()}",
            title=f"{key.to_user_string()} is stale",
            detail=f"it last moved at {moved:%Y-%m-%d %H:%M:%S} UTC, and should every {_minutes(age)} min",
            url=pages.asset(key),
            runbook="alert_asset_stale",
            since=moved + age,
        )


def _minutes(age: timedelta) -> str:
    return f"{age.total_seconds() / 60:g}"
