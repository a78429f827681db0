"""The sensor that observes the stream: what moved since the last look counts as materialized."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import dagster as dg

from ctr_platform.defs.platform import (
    CACHE_1MIN,
    CACHE_5MIN,
    COUNTS_1MIN,
    COUNTS_5MIN,
    ERROR_EVENTS,
    LEDGER,
    METRICS_1MIN,
    METRICS_5MIN,
    RAW_EVENTS,
    REPLAYS,
    WINDOWS_FEED,
    Platform,
)
from ctr_platform.errors import CtrError
from ctr_platform.kafka.topics import describe_topics
from ctr_platform.settings import ERROR_TOPIC, RAW_TOPIC, REPLAYS_TOPIC, WINDOWS_TOPIC, Settings
from warehouse.cache import Cache
from warehouse.errors import CacheUnavailable, WarehouseUnavailable
from warehouse.reads import Warehouse
from warehouse.windows import Window, WindowType

OBSERVE_EVERY_S: Final = 30
"""Fine enough for freshness policies, whose smallest window is a minute."""

LIVE_DOCUMENTS: Final = 10
"""Of each window type, enough for all open ones and the newest final ones."""

_TOPIC_ASSETS: Final = {
    RAW_TOPIC: RAW_EVENTS,
    ERROR_TOPIC: ERROR_EVENTS,
    WINDOWS_TOPIC: WINDOWS_FEED,
    REPLAYS_TOPIC: REPLAYS,
}
_TABLE_ASSETS: Final[dict[WindowType, tuple[dg.AssetKey, ...]]] = {
    "1min": (COUNTS_1MIN, METRICS_1MIN),
    "5min": (COUNTS_5MIN, METRICS_5MIN),
}
_CACHE_ASSETS: Final[dict[WindowType, dg.AssetKey]] = {"1min": CACHE_1MIN, "5min": CACHE_5MIN}


@dataclass(frozen=True, kw_only=True)
class Observation:
    """How far an asset is: when `position` differs from the last look's, it has moved."""

    key: dg.AssetKey
    position: str | int
    """An integer is a count of what went through; its growth per second is reported too."""

    metadata: dict[str, Any]


@dg.sensor(
    minimum_interval_seconds=OBSERVE_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reports the topics, tables and documents that moved, so that their freshness shows.",
)
def observe_stream(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult:
    """Look at Kafka, Postgres and Redis; each may be away without hiding the others.

    What moved counts as materialized: freshness policies know of nothing else.
    """
    last = json.loads(context.cursor) if context.cursor else {}
    before: dict[str, str | int] = last.get("positions", {})
    now_s = time.time()
    passed_s = now_s - last.get("at_s", now_s)
    settings = platform.settings()
    after = dict(before)
    events = []
    remarks = []
    for look in (_topics, _tables, _cache):
        try:
            for found in look(settings, now_s):
                name = found.key.to_user_string()
                if before.get(name) != found.position:
                    after[name] = found.position
                    rate = _per_second(before.get(name), found.position, passed_s)
                    events.append(dg.AssetMaterialization(found.key, metadata=found.metadata | rate))
        except (CtrError, WarehouseUnavailable, CacheUnavailable) as error:
            context.log.warning(str(error))
            remarks.append(str(error))
    moved = [event.asset_key.to_user_string() for event in events]
    remarks.insert(0, f"moved: {', '.join(moved)}" if moved else "nothing has moved")
    return dg.SensorResult(
        asset_events=events,
        cursor=json.dumps({"at_s": now_s, "positions": after}),
        skip_reason="; ".join(remarks),  # shown as what the tick did; it never starts a run
    )


def _per_second(before: str | int | None, now: str | int, passed_s: float) -> dict[str, float]:
    """Growth of a count, where there is a count before; a topic made anew starts over."""
    if isinstance(before, int) and isinstance(now, int) and now >= before and passed_s > 0:
        return {"per_second": round((now - before) / passed_s, 1)}
    return {}


def _topics(settings: Settings, _now_s: float) -> Iterator[Observation]:
    for topic in describe_topics(settings):
        if topic.exists:
            ends = {f"end of partition {each.partition}": each.end for each in topic.partitions}
            yield Observation(
                key=_TOPIC_ASSETS[topic.name],
                position=sum(ends.values()),
                metadata={"messages": topic.messages, **ends},
            )


def _tables(settings: Settings, now_s: float) -> Iterator[Observation]:
    warehouse = Warehouse(settings.postgres_url)
    try:
        for window_type, keys in _TABLE_ASSETS.items():
            for window in warehouse.latest_windows(window_type, 1):
                metadata = {
                    "latest_window_end": dg.MetadataValue.timestamp(window.window_end_ms / 1000),
                    "behind_s": round(now_s - window.window_end_ms / 1000, 1),
                    **_figures(window),
                }
                for key in keys:
                    yield Observation(key=key, position=str(window.window_end_ms), metadata=metadata)
        totals = warehouse.ledger_totals(RAW_TOPIC)
        if totals:
            figures = ("records_read", "counted", "late", "dead", "unaccounted")
            sums = {name: sum(getattr(each, name) for each in totals) for name in figures}
            yield Observation(key=LEDGER, position=sums["records_read"], metadata=sums)
    finally:
        warehouse.close()


def _cache(settings: Settings, now_s: float) -> Iterator[Observation]:
    cache = Cache(settings.redis_host, settings.redis_port)
    try:
        for window_type, key in _CACHE_ASSETS.items():
            documents = cache.current(window_type, LIVE_DOCUMENTS)
            for newest in documents[:1]:
                final = sum(document.final for document in documents)
                yield Observation(
                    key=key,
                    position=f"{newest.window_id} {newest.impressions} {newest.final}",
                    metadata={
                        "window_id": newest.window_id,
                        "final": newest.final,
                        "age_s": round(now_s - newest.written_ms / 1000, 1),
                        "open_windows": len(documents) - final,
                        "final_windows": final,
                        **_figures(newest),
                    },
                )
    finally:
        cache.close()


def _figures(window: Window) -> dict[str, int | float]:
    return {"impressions": window.impressions, "clicks": window.clicks, "ctr": float(window.ctr)}
