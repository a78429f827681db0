"""The cache and the dashboard: the end of the lineage."""

from datetime import timedelta
from typing import Final

import dagster as dg

from contract.settings import load_settings
from ctr_platform.defs.catalog import (
    BY_JOB,
    CACHE_1MIN,
    CACHE_5MIN,
    DASHBOARD,
    FLINK_JOB,
    METRICS_1MIN,
    METRICS_5MIN,
    OWNERS,
    SERVING,
    web_page,
)

FRESH_CACHE: Final = dg.FreshnessPolicy.time_window(
    # Open windows follow within a second; Dagster looks every half minute, and takes no less than one.
    warn_window=timedelta(minutes=2),
    fail_window=timedelta(minutes=5),
)


def _cache(key: dg.AssetKey, keys: str, what: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        deps=[FLINK_JOB],
        group_name=SERVING,
        kinds={"redis"},
        owners=OWNERS,
        tags=BY_JOB,
        description=f"{what} windows as JSON documents, open ones within a second of their events.",
        metadata={"keys": keys},
        freshness_policy=FRESH_CACHE,
    )


CACHE: Final = [
    _cache(CACHE_1MIN, "metrics:1min:{window_id}", "1 minute"),
    _cache(CACHE_5MIN, "metrics:5min:{window_id}", "5 minute"),
]


def _dashboard(url: str) -> dg.AssetSpec:
    """The pages that people look at."""
    return web_page(
        DASHBOARD,
        [CACHE_1MIN, CACHE_5MIN, METRICS_1MIN, METRICS_5MIN],
        group=SERVING,
        kind="streamlit",
        url=url,
        description="The Streamlit dashboard: live windows from Redis, history from Postgres.",
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Define the cache, and the dashboard at its address."""
    return dg.Definitions(assets=[*CACHE, _dashboard(load_settings().dashboard_url)])
