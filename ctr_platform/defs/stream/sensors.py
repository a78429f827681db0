"""The sensor that observes the stream: what moved since the last look counts as materialized."""

import json
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
    WINDOWS_FEED,
    Platform,
)
from ctr_platform.errors import CtrError
from ctr_platform.kafka.topics import describe_topics
from ctr_platform.settings import ERROR_TOPIC, RAW_TOPIC, WINDOWS_TOPIC, Settings
from warehouse.cache import Cache
from warehouse.errors import CacheUnavailable, WarehouseUnavailable
from warehouse.reads import Warehouse
from warehouse.windows import WindowType

OBSERVE_EVERY_S: Final = 30
"""Fine enough for freshness policies, whose smallest window is a minute."""

_TOPIC_ASSETS: Final = {RAW_TOPIC: RAW_EVENTS, ERROR_TOPIC: ERROR_EVENTS, WINDOWS_TOPIC: WINDOWS_FEED}
_TABLE_ASSETS: Final[dict[WindowType, tuple[dg.AssetKey, ...]]] = {
    "1min": (COUNTS_1MIN, METRICS_1MIN),
    "5min": (COUNTS_5MIN, METRICS_5MIN),
}
_CACHE_ASSETS: Final[dict[WindowType, dg.AssetKey]] = {"1min": CACHE_1MIN, "5min": CACHE_5MIN}


@dataclass(frozen=True)
class Observation:
    """How far an asset is: when `position` differs from the last look's, it has moved."""

    key: dg.AssetKey
    position: str
    metadata: dict[str, Any]


@dg.sensor(
    minimum_interval_seconds=OBSERVE_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reports the topics, tables and documents that moved, so that their freshness shows.",
)
def observe_stream(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult:
    """Look at Kafka, Postgres and Redis; each may be away without hiding the others."""
    before: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
    settings = platform.settings()
    after = dict(before)
    events = []
    away = []
    for look in (_topics, _tables, _cache):
        try:
            for found in look(settings):
                name = found.key.to_user_string()
                if before.get(name) != found.position:
                    after[name] = found.position
                    events.append(dg.AssetMaterialization(found.key, metadata=found.metadata))
        except (CtrError, WarehouseUnavailable, CacheUnavailable) as error:
            away.append(str(error))
    for problem in away:
        context.log.warning(problem)
    nothing = "; ".join(away) or "nothing has moved"
    return dg.SensorResult(
        asset_events=events, cursor=json.dumps(after), skip_reason=None if events else nothing
    )


def _topics(settings: Settings) -> Iterator[Observation]:
    for topic in describe_topics(settings):
        if topic.exists:
            ends = {f"end of partition {each.partition}": each.end for each in topic.partitions}
            yield Observation(
                _TOPIC_ASSETS[topic.name],
                str(sum(ends.values())),
                {"messages": topic.messages, **ends},
            )


def _tables(settings: Settings) -> Iterator[Observation]:
    warehouse = Warehouse(settings.postgres_url)
    try:
        for window_type, keys in _TABLE_ASSETS.items():
            fresh = warehouse.freshness(window_type)
            if fresh.latest_window_end is not None:
                end = fresh.latest_window_end
                for key in keys:
                    yield Observation(
                        key, end.isoformat(), {"latest_window_end": dg.MetadataValue.timestamp(end)}
                    )
        totals = warehouse.ledger_totals(RAW_TOPIC)
        read = sum(each.records_read for each in totals)
        if totals:
            figures = ("counted", "late", "dead", "unaccounted")
            sums = {name: sum(getattr(each, name) for each in totals) for name in figures}
            yield Observation(LEDGER, str(read), {"records_read": read, **sums})
    finally:
        warehouse.close()


def _cache(settings: Settings) -> Iterator[Observation]:
    cache = Cache(settings.redis_host, settings.redis_port)
    try:
        for window_type, key in _CACHE_ASSETS.items():
            for document in cache.current(window_type, 1):
                yield Observation(
                    key,
                    f"{document.window_id} {document.impressions} {document.final}",
                    {
                        "window_id": document.window_id,
                        "final": document.final,
                        "impressions": document.impressions,
                        "clicks": document.clicks,
                        "ctr": float(document.ctr),
                    },
                )
    finally:
        cache.close()
