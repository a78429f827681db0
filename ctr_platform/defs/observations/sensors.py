"""The sensor that observes the stream: what moved since the last look counts as materialized."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import dagster as dg

from contract.errors import CtrError
from contract.names import ERROR_TOPIC, RAW_TOPIC, REPLAYS_TOPIC, WINDOWS_TOPIC
from ctr_platform.defs.catalog import (
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
)
from ctr_platform.resources import CacheReads, Kafka, WarehouseReads
from warehouse.windows import Window, WindowType

OBSERVE_EVERY_S: Final = 30
"""Fine enough for freshness policies, whose smallest window is a minute."""

REPORT_FRESH_EVERY_S: Final = 60
"""Assets with a freshness policy: the shortest warns after two minutes."""

REPORT_OTHERS_EVERY_S: Final = 300
"""Assets without one. Both together are some 9,000 events a day; each look reported would be 30,000."""

LIVE_DOCUMENTS: Final = 10
"""So many documents of each window type hold all open ones and the newest final ones."""

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
_WITH_POLICY: Final = {COUNTS_1MIN, COUNTS_5MIN, CACHE_1MIN, CACHE_5MIN}


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
def observe_stream(
    context: dg.SensorEvaluationContext, kafka: Kafka, warehouse: WarehouseReads, cache: CacheReads
) -> dg.SensorResult:
    """Look at Kafka, Postgres and Redis; each may be unavailable without hiding the others.

    What moved counts as materialized: freshness policies know of nothing else.
    """
    memory: dict[str, Any] = json.loads(context.cursor) if context.cursor else {}
    before: dict[str, list[Any]] = memory.get("reported", {})
    now_s = time.time()
    after = dict(before)
    events = []
    messages = []
    for observe in (_topics(kafka), _tables(warehouse, now_s), _documents(cache, now_s)):
        try:
            for found in observe:
                name = found.key.to_user_string()
                position, at_s = before.get(name, (None, 0.0))
                if position != found.position and now_s - at_s >= _every_s(found.key):
                    after[name] = [found.position, now_s]
                    rate = _per_second(position, found.position, now_s - at_s)
                    events.append(dg.AssetMaterialization(found.key, metadata=found.metadata | rate))
        except CtrError as error:
            context.log.warning(str(error))
            messages.append(str(error))
    moved = [event.asset_key.to_user_string() for event in events]
    messages.insert(0, f"reported: {', '.join(moved)}" if moved else "nothing to report")
    return dg.SensorResult(
        asset_events=events,
        cursor=json.dumps({"reported": after}),
        # Dagster counts every tick that starts no run as skipped: this is what it did.
        skip_reason="; ".join(messages),
    )


def _every_s(key: dg.AssetKey) -> int:
    """Return how often an asset that moves all the time is reported."""
    return REPORT_FRESH_EVERY_S if key in _WITH_POLICY else REPORT_OTHERS_EVERY_S


def _per_second(before: str | int | None, now: str | int, passed_s: float) -> dict[str, float]:
    """Growth of a count, where there is a count before; a topic made anew starts over."""
    if isinstance(before, int) and isinstance(now, int) and now >= before and passed_s > 0:
        return {"per_second": round((now - before) / passed_s, 1)}
    return {}


def _topics(kafka: Kafka) -> Iterator[Observation]:
    assets = {name: _TOPIC_ASSETS[shipped] for shipped, name in kafka.settings().topics.items()}
    for topic in kafka.describe_topics():
        if topic.exists:
            ends = {f"end of partition {each.partition}": each.end for each in topic.partitions}
            yield Observation(
                key=assets[topic.name],
                position=sum(ends.values()),
                metadata={"messages": topic.messages, **ends},
            )


def _tables(reads: WarehouseReads, now_s: float) -> Iterator[Observation]:
    with reads.open() as warehouse:
        for window_type, keys in _TABLE_ASSETS.items():
            for window in warehouse.latest_windows(window_type, 1):
                metadata = {
                    "latest_window_end": dg.MetadataValue.timestamp(window.window_end_ms / 1000),
                    "behind_s": round(now_s - window.window_end_ms / 1000, 1),
                    **_figures(window),
                }
                for key in keys:
                    yield Observation(key=key, position=str(window.window_end_ms), metadata=metadata)
        totals = warehouse.ledger_totals(reads.settings().raw_topic)
        if totals:
            figures = ("records_read", "counted", "late", "dead", "unaccounted")
            sums = {name: sum(getattr(each, name) for each in totals) for name in figures}
            yield Observation(key=LEDGER, position=sums["records_read"], metadata=sums)


def _documents(reads: CacheReads, now_s: float) -> Iterator[Observation]:
    with reads.open() as cache:
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
                        "written_at": dg.MetadataValue.timestamp(newest.written_ms / 1000),
                        "age_s": round(now_s - newest.written_ms / 1000, 1),
                        "open_windows": len(documents) - final,
                        "final_windows": final,
                        **_figures(newest),
                    },
                )


def _figures(window: Window) -> dict[str, int | float]:
    return {"impressions": window.impressions, "clicks": window.clicks, "ctr": float(window.ctr)}
