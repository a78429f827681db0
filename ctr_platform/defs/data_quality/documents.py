"""Final documents in Redis and in `ctr_windows`, beside the warehouse's windows."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from confluent_kafka import TopicPartition
from sqlalchemy import func, select

from contract.errors import CtrError
from ctr_platform.defs.data_quality.rules import FEED, REDIS
from ctr_platform.defs.kafka.client import ask
from ctr_platform.defs.kafka.offset_ranges import (
    ANSWER_WITHIN_S,
    bounds,
    consumer,
    message_batches,
    partitions,
)
from flink.documents import TIME_TO_LIVE_S
from warehouse.cache import MAX_WINDOWS, Cache, parse_document
from warehouse.ctr import percent
from warehouse.models.corrections import WindowRevision
from warehouse.streams import counted_stream
from warehouse.views import WINDOW_ACCURACY
from warehouse.windows import WINDOW_MINUTES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection

    from contract.settings import Settings
    from warehouse.stream_tables import StreamTables
    from warehouse.windows import WindowDocument, WindowType

STORES: Final = (REDIS.name, FEED.name)

FEED_SPAN: Final = timedelta(hours=1)
"""Windows of the feed that are looked at: many more than close between two reports."""

EXPIRES_EARLY: Final = timedelta(seconds=60)
"""A document of Redis may be about to expire, and is not missed any more."""

PUBLISHED_WITHIN: Final = timedelta(minutes=2)
"""From a merge until the documents of its windows are published; after that, readers see wrong figures."""

COLUMNS: Final = (
    *("window_type", "window_start", "revision", "impressions", "warehouse_impressions"),
    *("clicks", "warehouse_clicks", "ctr", "warehouse_ctr", "unlike_segments"),
)

Figures = tuple[int, ...]
"""Impressions, clicks and further sums."""

Segments = dict[tuple[Any, ...], Figures]
"""By the values of the dimensions."""


def final_documents(settings: Settings, tables: StreamTables, store: str) -> list[WindowDocument]:
    """The final documents that a store holds now, of `ctr_windows` those of the last hour or so.

    Args:
        settings: where everything is.
        tables: of the stream that is counted; what was written before a cutover is left out.
        store: one of `STORES`.

    Raises:
        CacheUnavailable: Redis is unavailable.
        CtrError: Kafka is unavailable, or holds something else than documents.
    """
    return _cached(settings, tables) if store == REDIS.name else _fed(settings, tables)


def _cached(settings: Settings, tables: StreamTables) -> list[WindowDocument]:
    cache = Cache(settings.redis_host, settings.redis_port, settings.redis_key_prefix, tables)
    try:
        found = [each for kind in WINDOW_MINUTES for each in cache.current(kind, MAX_WINDOWS)]
    finally:
        cache.close()
    return [each for each in found if each.final]


def _fed(settings: Settings, tables: StreamTables) -> list[WindowDocument]:
    """Return the last document of the highest revision of each window."""
    newest: dict[tuple[WindowType, int], WindowDocument] = {}
    topic = settings.windows_topic
    # The last of the windows that are looked at closed after its start.
    written_since_ms = int((time.time() - FEED_SPAN.total_seconds()) * 1000)
    with consumer(settings, "ctr-quality") as reader:
        for partition in partitions(reader, settings, topic):
            _, end = bounds(reader, settings, topic, partition)
            place = TopicPartition(topic, partition, written_since_ms)
            [start] = ask(settings, partial(reader.offsets_for_times, [place], ANSWER_WITHIN_S))
            if start.offset < 0:
                continue
            for batch in message_batches(reader, settings, start, end):
                for body in filter(None, batch.bodies):
                    document = _document(body, tables, topic, partition)
                    if document is None:
                        continue
                    key = (document.window_type, document.window_start_ms)
                    known = newest.get(key)
                    if known is None or known.revision <= document.revision:
                        newest[key] = document
    return list(newest.values())


def _document(body: bytes, tables: StreamTables, topic: str, partition: int) -> WindowDocument | None:
    try:
        return parse_document(body.decode(), tables)
    except (ValueError, TypeError, KeyError) as error:
        raise CtrError(
            f"{topic}[{partition}] holds a document that is none of a window: {error!r}"
        ) from error


def compared(connection: Connection, store: str, documents: Iterable[WindowDocument]) -> pd.DataFrame:
    """Each verified window that the store must have, beside its document.

    A window without one has no figures of a document; one that was revised a moment ago is left out.
    """
    rows: list[tuple[Any, ...]] = []
    found = {(each.window_type, each.start): each for each in documents}
    for window_type in WINDOW_MINUTES:
        first, last = _span(connection, store, window_type)
        windows = _windows(connection, window_type, (first, last))
        of_store = {start: each for (kind, start), each in found.items() if kind == window_type}
        starts = windows.keys() | {start for start in of_store if first <= start <= last}
        rows += [
            _row(window_type, start, of_store.get(start), windows.get(start, {}))
            for start in sorted(starts - _unsettled(connection, window_type))
        ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _span(connection: Connection, store: str, window_type: WindowType) -> tuple[datetime, datetime]:
    """First and last start of the windows that are verified and that the store must still have."""
    now = datetime.now(tz=UTC)
    length = timedelta(minutes=WINDOW_MINUTES[window_type])
    kept = timedelta(seconds=TIME_TO_LIVE_S[window_type]) - EXPIRES_EARLY
    first = now - FEED_SPAN if store == FEED.name else now - kept - length
    accuracy = WINDOW_ACCURACY.c
    last = connection.scalar(
        select(func.max(accuracy.window_start)).where(
            accuracy.window_type == window_type, accuracy.window_start >= first
        )
    )
    return first, last or first


def _unsettled(connection: Connection, window_type: WindowType) -> set[datetime]:
    """Windows that were revised a moment ago: their documents may be those of the former revision."""
    table = WindowRevision.__table__.c
    since = datetime.now(tz=UTC) - PUBLISHED_WITHIN
    query = select(table.window_start).where(table.window_type == window_type, table.revised_at > since)
    return set(connection.scalars(query))


def _windows(
    connection: Connection, window_type: WindowType, time_range: tuple[datetime, datetime]
) -> dict[datetime, Segments]:
    counted = counted_stream(connection)
    tables = counted.tables
    view = tables.segments[window_type]
    windows: dict[datetime, Segments] = {}
    chosen: list[ColumnElement[bool]] = [view.c.window_start.between(*time_range)]
    if counted.counted_from is not None:
        # Documents of earlier windows are of another shape.
        chosen.append(view.c.window_start >= counted.counted_from)
    for row in connection.execute(select(view).where(*chosen)):
        segments = windows.setdefault(row.window_start, {})
        segment = tuple(getattr(row, each) for each in tables.dimensions)
        segments[segment] = tuple(getattr(row, each) for each in tables.figures)
    return windows


def _row(
    window_type: WindowType, start: datetime, document: WindowDocument | None, segments: Segments
) -> tuple[Any, ...]:
    impressions, clicks, *_ = _sum(segments.values())
    return (
        window_type,
        f"{start:%Y-%m-%d %H:%M}Z",
        None if document is None else document.revision,
        None if document is None else document.impressions,
        impressions,
        None if document is None else document.clicks,
        clicks,
        None if document is None else document.ctr,
        percent(clicks, impressions) if impressions else None,
        0 if document is None else _unlike(document, segments),
    )


def _unlike(document: WindowDocument, segments: Segments) -> int:
    """How many segments differ. The sum of those beyond a document's limit counts as one."""
    named = {tuple(each.dimensions.values()): each.figures for each in document.segments if not each.is_rest}
    other = [each.figures for each in document.segments if each.is_rest]
    rest = [counts for segment, counts in segments.items() if segment not in named]
    differing = sum(segments.get(segment) != counts for segment, counts in named.items())
    return differing + (_sum(rest) != _sum(other) if other else len(rest))


def _sum(figures: Iterable[Figures]) -> Figures:
    """Sum them up; of none, impressions and clicks are 0."""
    return tuple(map(sum, zip(*figures, strict=True))) or (0, 0)
